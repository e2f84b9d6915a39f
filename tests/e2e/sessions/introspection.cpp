// OAuth token introspection (RFC 7662) and revocation (RFC 7009).
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/forge.hpp"

#include <boost/json/object.hpp>

#include <string>

using namespace e2e;

namespace {

struct introspection_fixture : team_fixture {
    using team_fixture::team_fixture;

    support::response post_form(const std::string& path, const std::string& body,
                                const std::string& with = {})
    {
        support::http::request<support::http::string_body> message(support::http::verb::post, base + path,
                                                                   11);
        message.set(support::http::field::content_type, "application/x-www-form-urlencoded");
        if (!with.empty())
            message.set(support::http::field::authorization, "Bearer " + with);
        message.body() = body;
        return client.send(std::move(message));
    }

    support::response introspect(const std::string& subject, const std::string& with = {})
    {
        return post_form("/introspect", "token=" + subject, with.empty() ? token : with);
    }

    bool is_inactive(const std::string& subject) { return introspect(subject).body == R"({"active":false})"; }

    support::response revoke(const std::string& subject, const std::string& more = {})
    {
        return post_form("/revoke", "token=" + subject + more);
    }

    std::string outcome_on_all_cores(const std::string& subject)
    {
        return on_all_cores(server, get_request("/me", subject));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(introspection)

BOOST_FIXTURE_TEST_CASE(introspecting_a_session_returns_its_claims, introspection_fixture)
{
    auto answer = introspect(mel.token);
    BOOST_REQUIRE_MESSAGE(answer.status == 200u, answer.body);
    auto all = answer.json().as_object();
    BOOST_TEST(all.at("active").as_bool());
    BOOST_TEST(answer.text("/sub") == mel.user);
    BOOST_TEST(answer.text("/wid") == workspace);
    BOOST_TEST(answer.text("/role") == "manager");
    BOOST_TEST(answer.text("/scope") == "*");
    BOOST_TEST(answer.text("/token_type") == "Bearer");
    BOOST_TEST(answer.text("/credential") == "session");
    BOOST_TEST(answer.text("/iss").starts_with("http://127.0.0.1"));
    BOOST_TEST(answer.text("/iss") == answer.text("/aud"));
    BOOST_TEST(all.at("exp").as_int64() - all.at("iat").as_int64() == 3600);
    BOOST_TEST(!answer.text("/jti").empty());
    BOOST_TEST(answer.header("Cache-Control") == "no-store");
}

BOOST_FIXTURE_TEST_CASE(introspecting_a_key_returns_its_scopes, introspection_fixture)
{
    auto key =
        mint(R"({"name":"k","scopes":["team:read","content:read"],"expires_at":"2099-01-01T00:00:00Z"})");
    auto answer = introspect(key);
    BOOST_TEST(answer.text("/scope") == "team:read content:read");
    BOOST_TEST(answer.text("/credential") == "api_key");
    auto all = answer.json().as_object();
    BOOST_TEST(all.at("exp").as_int64() == 4070908800);
    BOOST_TEST(all.at("permissions").as_array().size() == 2u);
    BOOST_TEST(!all.contains("iat"));

    auto of_workspace = mint(R"({"name":"k","owner":"workspace"})");
    answer = introspect(of_workspace);
    BOOST_TEST(answer.text("/role") == "member");
    BOOST_TEST(!answer.json().as_object().contains("sub"));
    BOOST_TEST(!answer.json().as_object().contains("exp"));
}

BOOST_FIXTURE_TEST_CASE(tokens_that_are_not_valid_in_this_workspace_are_inactive, introspection_fixture)
{
    auto key = mint(R"({"name":"k"})");
    BOOST_TEST(introspect(key).text("/credential") == "api_key");
    BOOST_REQUIRE(client.del(base + "/api-keys/" + prefix_of(key), token).status == 204u);
    BOOST_TEST(is_inactive(key));
    auto outsider = sign_up(client, "eve@example.net");
    BOOST_TEST(is_inactive(outsider.token));
    for (std::string made_up : {"tnx_", "x", "a.b.c", "tnx_aaaaaaaa_00000000000000000000000000000000000000",
                                "%C3%A9", "a%00b", "%FF", "+"})
        BOOST_TEST(is_inactive(made_up), made_up);
    BOOST_TEST(is_inactive(std::string(20000, 'A')));
    BOOST_TEST(is_inactive(token.substr(0, token.size() - 2)));
    BOOST_TEST(is_inactive(refresh_token)); // not an access token
    BOOST_REQUIRE(client.del(base + "/team/" + mel.user, token).status == 204u);
    BOOST_TEST(is_inactive(mel.token));
}

BOOST_FIXTURE_TEST_CASE(introspection_requires_its_permission, introspection_fixture)
{
    BOOST_TEST(introspect(token, mel.token).text("/required") == "tokens:introspect");
    BOOST_TEST(introspect(token, mint(R"({"name":"k","scopes":["team:read"]})")).status == 403u);
    BOOST_TEST(introspect(token, mint(R"({"name":"k","scopes":["tokens:introspect"]})")).status == 200u);
    BOOST_TEST(post_form("/introspect", "token=" + token).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(requests_are_forms, introspection_fixture)
{
    BOOST_TEST(client.post(base + "/introspect", support::object({{"token", token}}), token).status == 415u);
    auto nothing = post_form("/introspect", "", token);
    BOOST_TEST(nothing.status == 400u);
    BOOST_TEST(member_names(nothing) == "error error_description");
    for (std::string form : {"", "token=", "token_type_hint=x", "token=a&token=b", "token=%zz", "token=%"}) {
        BOOST_TEST(post_form("/introspect", form, token).text("/error") == "invalid_request", form);
        BOOST_TEST(post_form("/revoke", form).text("/error") == "invalid_request", form);
        BOOST_TEST(post_form("/revoke", form).status == 400u, form);
    }
    // Unknown parameters are ignored (RFC 6749, 3.2).
    BOOST_TEST(post_form("/introspect", "resource=x&token_type_hint=refresh_token&token=" + token, token)
                   .text("/sub") == user);
}

BOOST_FIXTURE_TEST_CASE(a_revoked_key_is_rejected_on_every_core, introspection_fixture)
{
    auto key = mint(R"({"name":"k"})");
    BOOST_TEST(client.get(base + "/me", key).status == 200u);
    auto done = revoke(key, "&token_type_hint=access_token");
    BOOST_TEST(done.status == 200u);
    BOOST_TEST(done.body == "");
    BOOST_TEST(outcome_on_all_cores(key) == "401 unauthorized");
    auto events = client.get(base + "/audit?action=api_key.revoke", token);
    BOOST_TEST(events.text("/items/0/target") == prefix_of(key));
    BOOST_TEST(events.text("/items/0/actor/user_id") == user);
}

BOOST_FIXTURE_TEST_CASE(revoking_an_access_token_ends_its_session, introspection_fixture)
{
    BOOST_TEST(revoke(mel.token).status == 200u);
    BOOST_TEST(outcome_on_all_cores(mel.token) == "401 unauthorized");
    auto renewed =
        client.post(base + "/token/refresh", support::object({{"refresh_token", mel.refresh_token}}));
    BOOST_TEST(renewed.status == 401u);
    BOOST_TEST(client.get(base + "/me", token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(revoking_a_refresh_token_ends_its_session, introspection_fixture)
{
    BOOST_TEST(revoke(mel.refresh_token, "&token_type_hint=refresh_token").status == 200u);
    BOOST_TEST(outcome_on_all_cores(mel.token) == "401 unauthorized");
    auto events = client.get(base + "/audit?action=session.revoke", token);
    BOOST_TEST(events.text("/items/0/actor/user_id") == mel.user);
}

BOOST_FIXTURE_TEST_CASE(revoking_an_invalid_token_succeeds, introspection_fixture)
{
    auto forged = support::forge(mel.refresh_token, mel.refresh_token.size() / 2);
    for (auto& subject : {std::string("x"), std::string("tnx_nonsense"), forged, token.substr(0, 40),
                          std::string("a%00b"), std::string("%FF"), std::string(20000, 'A')})
        BOOST_TEST(revoke(subject).status == 200u, subject);
    BOOST_TEST(client.get(base + "/me", mel.token).status == 200u);
}

BOOST_AUTO_TEST_SUITE_END()
