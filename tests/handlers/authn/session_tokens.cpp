#include "handlers/authn/session_tokens.hpp"

#include "tests/handlers/handler_fixture.hpp"
#include "tests/support/forge.hpp"

#include <boost/test/unit_test.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <limits>
#include <string>
#include <vector>

using namespace handlers;
using handlers::test::id_of;

namespace {

const std::vector<std::uint8_t> salt(16, 7);

struct issuing : handlers::test::handler_fixture {
    crypto::claims claims_of(const std::string& token, std::int64_t later = 0)
    {
        auto now = std::chrono::floor<std::chrono::seconds>(cx.now()).time_since_epoch().count();
        auto checked = cx.jwt->verify(token, config.public_url, config.public_url, now + later);
        BOOST_REQUIRE(std::holds_alternative<crypto::claims>(checked));
        return std::get<crypto::claims>(checked);
    }

    access_token make_access(std::optional<token_workspace> workspace)
    {
        token_subject subject;
        subject.user = id_of(1);
        subject.session = id_of(2);
        subject.workspace = workspace;
        subject.session_expires = cx.now() + session_left;
        return make_access_token(cx, subject);
    }

    std::string access(db::role role) { return make_access(token_workspace{id_of(3), id_of(4), role}).text; }

    std::string refresh(db::uuid session, std::int64_t counter)
    {
        return make_refresh_token(cx, {id_of(1), session, {}, {}, counter, salt});
    }

    std::chrono::seconds session_left{86400};

    bool is_good(const std::string& token, const std::vector<std::uint8_t>& with)
    {
        auto read = parse_refresh_token(token);
        return read && is_authentic(cx, *read, with);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(session_tokens)

BOOST_FIXTURE_TEST_CASE(access_tokens_hold_user_workspace_role_and_expiry, issuing)
{
    config.access_token_ttl = std::chrono::seconds(90);
    auto claims = claims_of(access(db::role::manager));
    BOOST_TEST(claims.issuer == "https://id.example.com");
    BOOST_TEST(claims.audience == "https://id.example.com");
    BOOST_TEST(claims.subject == to_string(id_of(1)));
    BOOST_TEST(claims.session_id == to_string(id_of(2)));
    BOOST_TEST(claims.workspace_id == to_string(id_of(3)));
    BOOST_TEST(claims.membership_id == to_string(id_of(4)));
    BOOST_TEST(claims.role == "manager");
    BOOST_TEST(claims.expires_at - claims.issued_at == 90);
    BOOST_TEST(claims_of(access(db::role::admin)).role == "admin");
    BOOST_TEST(claims_of(access(db::role::member)).role == "member");
}

BOOST_FIXTURE_TEST_CASE(access_tokens_without_a_workspace_name_none, issuing)
{
    auto claims = claims_of(make_access(std::nullopt).text);
    BOOST_TEST(claims.workspace_id == "");
    BOOST_TEST(claims.membership_id == "");
    BOOST_TEST(claims.role == "");
}

BOOST_FIXTURE_TEST_CASE(no_access_token_outlives_its_session, issuing)
{
    config.access_token_ttl = std::chrono::seconds(3600);
    session_left = std::chrono::seconds(100);
    auto token = make_access(std::nullopt);
    auto claims = claims_of(token.text);
    BOOST_TEST(claims.expires_at - claims.issued_at == token.expires_in);
    BOOST_TEST(token.expires_in <= 100);
    BOOST_TEST(token.expires_in >= 98);
    session_left = std::chrono::seconds(-5);
    BOOST_TEST(make_access(std::nullopt).expires_in == 0);
}

BOOST_FIXTURE_TEST_CASE(access_tokens_are_unique, issuing)
{
    auto one = claims_of(access(db::role::admin)), other = claims_of(access(db::role::admin));
    BOOST_TEST(one.token_id != other.token_id);
}

BOOST_FIXTURE_TEST_CASE(refresh_tokens_hold_session_and_counter, issuing)
{
    for (std::int64_t counter :
         {std::int64_t{0}, std::int64_t{1}, std::numeric_limits<std::int64_t>::max()}) {
        auto token = refresh(id_of(2), counter);
        auto read = parse_refresh_token(token);
        BOOST_TEST_REQUIRE(read.has_value());
        BOOST_TEST((read->session == id_of(2)));
        BOOST_TEST(read->counter == counter);
        BOOST_TEST(is_authentic(cx, *read, salt));
    }
}

BOOST_FIXTURE_TEST_CASE(refresh_tokens_are_deterministic_and_differ_by_counter, issuing)
{
    auto first = refresh(id_of(2), 0);
    BOOST_TEST(first == refresh(id_of(2), 0));
    BOOST_TEST(first != refresh(id_of(2), 1));
    BOOST_TEST(first != refresh(id_of(3), 0));
}

BOOST_FIXTURE_TEST_CASE(refresh_tokens_depend_on_the_salt_and_the_key, issuing)
{
    auto token = refresh(id_of(2), 0);
    BOOST_TEST(is_good(token, salt));
    BOOST_TEST(!is_good(token, std::vector<std::uint8_t>(16, 8)));
    BOOST_TEST(!is_good(token, {}));
    cx.refresh_mac = crypto::hmac_sha256(crypto::key{9});
    BOOST_TEST(!is_good(token, salt));
}

BOOST_FIXTURE_TEST_CASE(altered_refresh_tokens_are_rejected, issuing)
{
    auto token = refresh(id_of(2), 5);
    for (std::size_t i = 0; i < token.size(); ++i) {
        BOOST_TEST(!is_good(support::forge(token, i), salt), i);
        BOOST_TEST(!parse_refresh_token(token.substr(0, i)).has_value(), i);
    }
    for (auto tail : {"A", "AAAA", "=", "\n", " "})
        BOOST_TEST(!parse_refresh_token(token + tail).has_value(), tail);
}

BOOST_AUTO_TEST_SUITE_END()
