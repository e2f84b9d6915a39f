#include "handlers/http/guards.hpp"

#include "handlers/access/client_address.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/http/authenticate.hpp"
#include "handlers/http/request_limits.hpp"
#include "tests/handlers/handler_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <cstdio>
#include <deque>
#include <exception>
#include <string>

using namespace handlers;
using boost::asio::ip::make_address;
using handlers::test::header_of;
using handlers::test::request_message;

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

BOOST_FIXTURE_TEST_CASE(a_request_of_another_site_is_rejected_before_its_credential, guarded)
{
    config.rate_limit_per_minute = 4;
    for (auto& required : {current_user.same_origin(), anyone.same_origin(), by_cookie.same_origin()})
        BOOST_TEST(admitted(required) == "cross_site_request");
    message.set(http::field::sec_fetch_site, "same-origin");
    BOOST_TEST(admitted(current_user.same_origin()) == "unauthorized");
    BOOST_TEST(admitted(anyone.same_origin()) == "rate_limited"); // all of these count for the address
    BOOST_TEST(admitted(by_cookie.same_origin()) == "in");        // counted by its handler
    message.set(http::field::sec_fetch_site, "none");
    BOOST_TEST(admitted(by_cookie.same_origin()) == "rate_limited");
    BOOST_TEST(admitted(current_user) == "rate_limited");
    message.set(http::field::authorization, "Bearer a.b.c");
    BOOST_TEST(admitted(current_user) == "ask"); // no other call looks at it
}

BOOST_FIXTURE_TEST_CASE(what_a_page_puts_in_place_of_the_header_is_the_credential, guarded)
{
    auto c = as_anonymous();
    c.bearer = "a.b.c";
    BOOST_TEST(!authorize_cached(c, current_user)); // would be looked up
    c.bearer = "tnx_";
    BOOST_TEST(((*authorize_cached(c, current_user))->code == codes::unauthorized));
    message.set(http::field::authorization, "Bearer a.b.c");
    BOOST_TEST(admitted(current_user) == "ask");
    c.bearer = std::string_view(""); // no credential
    BOOST_TEST(((*authorize_cached(c, current_user))->code == codes::unauthorized));
    BOOST_TEST(read_bearer_token(c)->empty());
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

namespace {

/// Clients of limits by address.
struct address_limited : guarded {
    bool passes(const rate_limits::address_rule& rule, const std::string& client,
                address_receipt* counted = {})
    {
        req.client = make_address(client);
        auto c = as_anonymous();
        return !support::run(io, [&] { return count_client(c, rule, counted); });
    }

    unsigned passed_of(unsigned tries, const rate_limits::address_rule& rule, const std::string& client)
    {
        unsigned passed = 0;
        for (unsigned i = 0; i < tries; ++i)
            passed += passes(rule, client);
        return passed;
    }
};

/// An address in the 64-bit networks of a prefix, counted through.
std::string network_of(const char* prefix, unsigned number)
{
    char out[40];
    std::snprintf(out, sizeof out, "%s:%x::1", prefix, number);
    return out;
}

} // namespace

/// A customer with a /48 has 65,536 networks of 64 bits.
BOOST_FIXTURE_TEST_CASE(one_customer_neither_fills_a_table_nor_shuts_out_others, address_limited)
{
    for (auto& rule : {rate_limits::mail_address, rate_limits::signup_address}) {
        unsigned passed = 0;
        for (unsigned number = 0; number < 65'536; ++number)
            passed += passes(rule, network_of("2001:db8:1", number));
        BOOST_TEST(passed <= rule.networks[1].limit);
        BOOST_TEST(passed >= rule.address.limit);
        BOOST_TEST(!passes(rule, network_of("2001:db8:1", 7)));
        BOOST_TEST(passes(rule, "2001:db8:2::1"));
    }
    rate_limiter real(42); // with its own size
    for (unsigned number = 0; number < 65'536; ++number) {
        auto& rule = rate_limits::mail_address.networks[1];
        const std::uint8_t site[] = {1, 2, 3, 4, 5, 6};
        if (real.count(rule, site).verdict == rate_limiter::verdict::admitted)
            (void)real.count(rate_limits::mail_address.address,
                             address_bucket(make_address(network_of("2001:db8:1", number))));
    }
    BOOST_TEST(real.overflows(rate_table::address_actions) == 0u);
}

BOOST_FIXTURE_TEST_CASE(neighbours_of_a_network_have_limits_of_their_own, address_limited)
{
    auto& rule = rate_limits::signup_address;
    BOOST_TEST(passed_of(30, rule, "2001:db8:1:0::1") == 20u);
    BOOST_TEST(passed_of(30, rule, "2001:db8:1:1::1") == 20u);
    BOOST_TEST(passed_of(30, rule, "2001:db8:1:2::1") == 20u); // the refused ones were not counted
    BOOST_TEST(passed_of(30, rule, "2001:db8:1:3::1") == 20u);
    BOOST_TEST(passed_of(30, rule, "2001:db8:1:4::1") == 0u); // the /56 has 80
    BOOST_TEST(passed_of(30, rule, "2001:db8:1:100::1") == 20u);
    BOOST_TEST(passed_of(30, rule, "192.0.2.1") == 20u);
    BOOST_TEST(passed_of(30, rule, "192.0.2.2") == 20u);
}

BOOST_FIXTURE_TEST_CASE(a_client_is_taken_back_from_all_of_its_networks, address_limited)
{
    auto& rule = rate_limits::signup_address;
    for (unsigned i = 0; i < 500; ++i) {
        address_receipt counted{};
        BOOST_TEST_REQUIRE(passes(rule, network_of("2001:db8:1", i % 8), &counted));
        refund(counted);
    }
}

namespace {

/// Looks made-up credentials up, all at the same time. @return the outcomes
struct looked_up {
    unsigned refused = 0, failed = 0;
};

} // namespace

/// The database does not answer, so lookups stay outstanding until they fail.
BOOST_FIXTURE_TEST_CASE(a_client_over_its_limit_has_few_lookups_outstanding, guarded)
{
    config.rate_limit_per_minute = 3;
    auto look_up = [&](int count) {
        std::deque<request_message> messages;
        std::deque<request> requests;
        std::deque<call> calls;
        looked_up out;
        for (int i = 0; i < count; ++i) {
            auto& sent = messages.emplace_back();
            sent.set(http::field::authorization, "Bearer " + crypto::make_api_key().text);
            requests.push_back({sent.head(), sent.body(), "/", "", req.client, "r"});
            calls.push_back({cx, requests.back(), {}, {}});
            boost::asio::co_spawn(io.get_executor(), authorize(calls.back(), current_user),
                                  [&out](std::exception_ptr error, std::optional<problem> refusal) {
                                      out.failed += error != nullptr;
                                      out.refused += refusal && refusal->code.name() == "rate_limited";
                                  });
        }
        io.restart();
        auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
        while (out.failed + out.refused < static_cast<unsigned>(count))
            if (io.run_one_until(until) == 0)
                break;
        return out;
    };
    BOOST_TEST(look_up(10).failed == 10u); // within the limit
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(admitted(current_user) == "unauthorized");
    for (int round = 0; round < 3; ++round) { // places are given back
        auto out = look_up(10);
        BOOST_TEST(out.failed == lookup_limiter::most);
        BOOST_TEST(out.refused == 10u - lookup_limiter::most);
    }
    req.client = make_address("203.0.113.8");
    BOOST_TEST(look_up(10).failed == 10u);
}

BOOST_AUTO_TEST_CASE(a_429_names_the_policy_and_the_delay)
{
    auto out = to_reply(rate_limited({rate_limits::signup_address.address, std::chrono::seconds(90)}));
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
