#include "handlers/http/guards.hpp"

#include "handlers/access/rate_limits.hpp"
#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace handlers;
using boost::asio::ip::make_address;
using handlers::test::header_of;

namespace {

struct guarded : handlers::test::desk {
    /// What is said from memory alone: "in", "ask" if the database has to be asked, or a refusal's code.
    std::string admitted(const guard& who)
    {
        auto c = as_anyone();
        auto outcome = admit_remembered(c, who);
        return !outcome ? "ask" : !*outcome ? "in" : std::string((*outcome)->code);
    }

    std::string admitted_with(std::string_view authorization)
    {
        message.set(http::field::authorization, authorization);
        return admitted(current_user);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(guards)

BOOST_FIXTURE_TEST_CASE(only_what_can_be_a_credential_is_worth_a_look_up, guarded)
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

BOOST_FIXTURE_TEST_CASE(a_mistyped_key_is_found_without_a_look_up, guarded)
{
    auto key = crypto::make_api_key().text;
    for (std::size_t i = 4; i < key.size(); ++i) {
        auto typo = key;
        typo[i] = typo[i] == 'a' ? 'b' : 'a';
        BOOST_TEST(admitted_with("Bearer " + typo) == "unauthorized", i);
    }
}

BOOST_FIXTURE_TEST_CASE(who_asks_without_a_credential_counts_for_the_address, guarded)
{
    config.rate_limit_per_minute = 3;
    BOOST_TEST(admitted(anyone) == "in");
    BOOST_TEST(admitted(current_user) == "unauthorized");
    BOOST_TEST(admitted_with("Bearer tnx_") == "unauthorized");
    BOOST_TEST(admitted(anyone) == "rate_limited");
    BOOST_TEST(admitted(current_user) == "rate_limited");
    BOOST_TEST(admitted(unlimited) == "in");
    BOOST_TEST(admitted_with("Bearer a.b.c") == "ask"); // may be somebody's
    req.client = make_address("203.0.113.8");
    BOOST_TEST(admitted(anyone) == "in");
}

BOOST_FIXTURE_TEST_CASE(zero_is_no_limit_of_any_kind, guarded)
{
    config.rate_limit_per_minute = 0;
    auto c = as_anyone();
    auto bucket = address_bucket(req.client);
    for (int i = 0; i < 200; ++i) {
        BOOST_TEST(admitted(anyone) == "in");
        BOOST_TEST(!count(c, limits::login_account, bucket));
    }
}

BOOST_AUTO_TEST_CASE(an_ipv6_client_counts_by_its_network_and_an_ipv4_one_by_itself)
{
    auto bucket = [](const char* text) { return address_bucket(make_address(text)); };
    BOOST_TEST((bucket("2001:db8:1:2::1") == bucket("2001:db8:1:2:ffff:ffff:ffff:ffff")));
    BOOST_TEST((bucket("2001:db8:1:2::1") != bucket("2001:db8:1:3::1")));
    BOOST_TEST((bucket("192.0.2.1") != bucket("192.0.2.2")));
    BOOST_TEST((bucket("0.0.0.0") != bucket("::")));
    BOOST_TEST((bucket("192.0.2.1") != bucket("::c000:201")));
}

BOOST_AUTO_TEST_CASE(who_is_over_a_limit_is_told_which_and_how_long)
{
    auto out = to_reply(rate_limited({limits::signup_address, std::chrono::seconds(90)}));
    BOOST_TEST(out.status == 429u);
    BOOST_TEST(header_of(out, "Retry-After") == "90");
    BOOST_TEST(header_of(out, "RateLimit-Policy") == "\"signup-ip\";q=20;w=3600");
    BOOST_TEST(header_of(out, "RateLimit") == "\"signup-ip\";r=0;t=90");
}

BOOST_FIXTURE_TEST_CASE(a_workspaces_key_is_no_person, guarded)
{
    BOOST_TEST(!require_person(as_person(1)));
    auto refused = require_person(as(db::principal()));
    BOOST_TEST_REQUIRE(refused.has_value());
    BOOST_TEST(refused->status == 403u);
    BOOST_TEST(refused->code == "forbidden");
}

BOOST_AUTO_TEST_SUITE_END()
