// A request with a known credential takes no memory from the heap.
#include "tests/e2e/support/account_fixture.hpp"

#include <cstdint>
#include <string>

using namespace e2e;

namespace {

constexpr int requests = 1000;

struct quiet_server : account_fixture {
    quiet_server()
        : account_fixture({{"LATCHKEY_THREADS", "1"},
                           {"LATCHKEY_LOG_LEVEL", "info"},
                           {"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000000"}})
    {}

    /// Blocks of memory that the server takes for many requests on one connection.
    std::int64_t allocations_of(const std::string& path, const std::string& credential)
    {
        auto send = [&] { BOOST_TEST_REQUIRE(client.get(path, credential).status < 300u); };
        for (int i = 0; i < 10; ++i) // until it is known
            send();
        auto before = server.allocations();
        for (int i = 0; i < requests; ++i)
            send();
        return server.allocations().value_or(0) - before.value_or(0);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(allocations)

BOOST_FIXTURE_TEST_CASE(a_known_credential_is_checked_without_any, quiet_server)
{
    client.set("X-Forwarded-For", "203.0.113.7"); // ignored: there is no trusted proxy
    auto key = mint(R"({"name": "ci", "scopes": ["content:read", "content:write", "team:read"]})");
    // Timers of the server may take some at any time.
    constexpr std::int64_t some = requests / 10;
    BOOST_TEST(allocations_of(base + "/auth", key) < some);
    BOOST_TEST(allocations_of(base + "/auth", token) < some);
    BOOST_TEST(allocations_of("/healthz", {}) < some);
}

BOOST_FIXTURE_TEST_CASE(requests_that_take_some_are_counted, quiet_server)
{
    if (server.allocations()) // else not measured, under a sanitizer
        BOOST_TEST(allocations_of(base + "/me", token) > requests);
}

BOOST_AUTO_TEST_SUITE_END()
