#include "handlers/http/guards.hpp"

#include "handlers/access/client_address.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/http/request_limits.hpp"
#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace handlers;
using boost::asio::ip::make_address;
using handlers::test::header_of;

namespace {

struct guarded : handlers::test::handler_fixture {
    /// The decision from memory alone: "in", "ask" on a cache miss, or the code of the error.
    std::string admitted(const guard& required)
    {
        auto c = as_anonymous();
        auto outcome = authorize_cached(c, required);
        return !outcome ? "ask" : !*outcome ? "in" : std::string((*outcome)->code.name());
    }

    std::string admitted_with(std::string_view authorization)
    {
        message.set(http::field::authorization, authorization);
        return admitted(current_user);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(guards)

BOOST_FIXTURE_TEST_CASE(malformed_credentials_are_rejected_without_a_lookup, guarded)
{
    BOOST_TEST(admitted(current_user) == "unauthorized");
    BOOST_TEST(admitted_with("Bearer a.b.c") == "ask");
    BOOST_TEST(admitted_with("bearer   a.b.c") == "ask");
    BOOST_TEST(admitted_with("Bearer " + crypto::make_api_key().text) == "ask");
    for (auto nonsense : {"", "Bearer", "Bearer ", "Bearer    ", "Basic YTpi", "Token a.b.c", "a.b.c",
                          "Bearer tnx_", "Bearer tnx_aaaaaaaa_00000000000000000000000000000000000000"})
        BOOST_TEST(admitted_with(nonsense) == "unauthorized", nonsense);
    BOOST_TEST(admitted_with("Bearer " + std::string(8193, 'a')) == "unauthorized");
    message.insert(http::field::authorization, "Bearer a.b.c");
    BOOST_TEST(admitted(current_user) == "bad_request");
}

BOOST_FIXTURE_TEST_CASE(mistyped_api_keys_are_rejected_without_a_lookup, guarded)
{
    auto key = crypto::make_api_key().text;
    for (std::size_t i = 4; i < key.size(); ++i) {
        auto typo = key;
        typo[i] = typo[i] == 'a' ? 'b' : 'a';
        BOOST_TEST(admitted_with("Bearer " + typo) == "unauthorized", i);
    }
}

BOOST_FIXTURE_TEST_CASE(requests_without_a_valid_credential_count_for_the_address, guarded)
{
    config.rate_limit_per_minute = 3;
    BOOST_TEST(admitted(anyone) == "in");
    BOOST_TEST(admitted(current_user) == "unauthorized");
    BOOST_TEST(admitted_with("Bearer tnx_") == "unauthorized");
    BOOST_TEST(admitted(anyone) == "rate_limited");
    BOOST_TEST(admitted(current_user) == "rate_limited");
    BOOST_TEST(admitted(unlimited) == "in");
    BOOST_TEST(admitted_with("Bearer a.b.c") == "ask"); // may be a valid one
    req.client = make_address("203.0.113.8");
    BOOST_TEST(admitted(anyone) == "in");
}

BOOST_FIXTURE_TEST_CASE(a_limit_of_zero_disables_all_limits, guarded)
{
    config.rate_limit_per_minute = 0;
    auto c = as_anonymous();
    auto bucket = address_bucket(req.client);
    for (int i = 0; i < 200; ++i) {
        BOOST_TEST(admitted(anyone) == "in");
        auto over = support::run(io, [&] { return count_request(c, rate_limits::login_account, bucket); });
        BOOST_TEST(!over);
    }
}

BOOST_AUTO_TEST_CASE(ipv6_clients_count_by_their_64_prefix_and_ipv4_by_address)
{
    auto bucket = [](const char* text) { return address_bucket(make_address(text)); };
    BOOST_TEST((bucket("2001:db8:1:2::1") == bucket("2001:db8:1:2:ffff:ffff:ffff:ffff")));
    BOOST_TEST((bucket("2001:db8:1:2::1") != bucket("2001:db8:1:3::1")));
    BOOST_TEST((bucket("192.0.2.1") != bucket("192.0.2.2")));
    BOOST_TEST((bucket("0.0.0.0") != bucket("::")));
    BOOST_TEST((bucket("192.0.2.1") != bucket("::c000:201")));
}

BOOST_AUTO_TEST_CASE(a_429_names_the_policy_and_the_delay)
{
    auto out = to_reply(rate_limited({rate_limits::signup_address, std::chrono::seconds(90)}));
    BOOST_TEST(out.status == 429u);
    BOOST_TEST(header_of(out, "Retry-After") == "90");
    BOOST_TEST(header_of(out, "RateLimit-Policy") == "\"signup-ip\";q=20;w=3600");
    BOOST_TEST(header_of(out, "RateLimit") == "\"signup-ip\";r=0;t=90");
}

BOOST_FIXTURE_TEST_CASE(api_keys_of_a_workspace_have_no_user, guarded)
{
    BOOST_TEST(!require_user(as_user(1)));
    auto refused = require_user(as(db::principal()));
    BOOST_TEST_REQUIRE(refused.has_value());
    BOOST_TEST(refused->code.status() == 403u);
    BOOST_TEST(refused->code.name() == "forbidden");
}

BOOST_AUTO_TEST_SUITE_END()
