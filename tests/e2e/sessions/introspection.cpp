// Tokens as other servers of OAuth ask about them, and give them back.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <boost/json/object.hpp>

#include <string>

using namespace flows;

namespace {

struct asking : team {
    using team::team;

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

    support::response introspect(const std::string& what, const std::string& with = {})
    {
        return post_form("/introspect", "token=" + what, with.empty() ? token : with);
    }

    bool is_inactive(const std::string& what) { return introspect(what).body == R"({"active":false})"; }

    support::response give_back(const std::string& what, const std::string& more = {})
    {
        return post_form("/revoke", "token=" + what + more);
    }

    std::string refused_everywhere(const std::string& what)
    {
        return everywhere(server, to_get("/me", what));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(introspection)

BOOST_FIXTURE_TEST_CASE(of_a_session_it_tells_who_and_until_when, asking)
{
    auto told = introspect(mel.token);
    BOOST_REQUIRE_MESSAGE(told.status == 200u, told.body);
    auto all = told.json().as_object();
    BOOST_TEST(all.at("active").as_bool());
    BOOST_TEST(told.text("/sub") == mel.user);
    BOOST_TEST(told.text("/wid") == workspace);
    BOOST_TEST(told.text("/role") == "manager");
    BOOST_TEST(told.text("/scope") == "*");
    BOOST_TEST(told.text("/token_type") == "Bearer");
    BOOST_TEST(told.text("/credential") == "session");
    BOOST_TEST(told.text("/iss").starts_with("http://127.0.0.1"));
    BOOST_TEST(told.text("/iss") == told.text("/aud"));
    BOOST_TEST(all.at("exp").as_int64() - all.at("iat").as_int64() == 3600);
    BOOST_TEST(!told.text("/jti").empty());
    BOOST_TEST(told.header("Cache-Control") == "no-store");
}

BOOST_FIXTURE_TEST_CASE(of_a_key_it_tells_what_its_scopes_leave, asking)
{
    auto key =
        mint(R"({"name":"k","scopes":["team:read","content:read"],"expires_at":"2099-01-01T00:00:00Z"})");
    auto told = introspect(key);
    BOOST_TEST(told.text("/scope") == "team:read content:read");
    BOOST_TEST(told.text("/credential") == "api_key");
    auto all = told.json().as_object();
    BOOST_TEST(all.at("exp").as_int64() == 4070908800);
    BOOST_TEST(all.at("permissions").as_array().size() == 2u);
    BOOST_TEST(!all.contains("iat"));

    auto of_workspace = mint(R"({"name":"k","owner":"workspace"})");
    told = introspect(of_workspace);
    BOOST_TEST(told.text("/role") == "member");
    BOOST_TEST(!told.json().as_object().contains("sub"));
    BOOST_TEST(!told.json().as_object().contains("exp"));
}

BOOST_FIXTURE_TEST_CASE(what_is_not_good_here_and_now_is_inactive_and_no_more_is_told, asking)
{
    auto key = mint(R"({"name":"k"})");
    BOOST_TEST(introspect(key).text("/credential") == "api_key");
    BOOST_REQUIRE(client.del(base + "/api-keys/" + prefix_of(key), token).status == 204u);
    BOOST_TEST(is_inactive(key));
    auto stranger = sign_up(client, "eve@example.net");
    BOOST_TEST(is_inactive(stranger.token));
    for (std::string made_up :
         {"tnx_", "x", "a.b.c", "tnx_aaaaaaaa_00000000000000000000000000000000000000", "%C3%A9"})
        BOOST_TEST(is_inactive(made_up), made_up);
    BOOST_TEST(is_inactive(token.substr(0, token.size() - 2)));
    BOOST_TEST(is_inactive(refresh_token)); // which is no token to call with
    BOOST_REQUIRE(client.del(base + "/team/" + mel.user, token).status == 204u);
    BOOST_TEST(is_inactive(mel.token));
}

BOOST_FIXTURE_TEST_CASE(asking_takes_the_permission, asking)
{
    BOOST_TEST(introspect(token, mel.token).text("/required") == "tokens:introspect");
    BOOST_TEST(introspect(token, mint(R"({"name":"k","scopes":["team:read"]})")).status == 403u);
    BOOST_TEST(introspect(token, mint(R"({"name":"k","scopes":["tokens:introspect"]})")).status == 200u);
    BOOST_TEST(post_form("/introspect", "token=" + token).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(a_form_is_what_is_read, asking)
{
    BOOST_TEST(client.post(base + "/introspect", support::object({{"token", token}}), token).status == 415u);
    auto nothing = post_form("/introspect", "", token);
    BOOST_TEST(nothing.status == 422u);
    BOOST_TEST(nothing.body.find(R"(["body","token"])") != std::string::npos);
    BOOST_TEST(post_form("/introspect", "token=a&token=b", token).status == 422u);
    BOOST_TEST(post_form("/introspect", "token=%zz", token).status == 400u);
    // Parameters that are not known are to be ignored (RFC 6749, 3.2).
    BOOST_TEST(post_form("/introspect", "resource=x&token_type_hint=refresh_token&token=" + token, token)
                   .text("/sub") == user);
}

BOOST_FIXTURE_TEST_CASE(a_key_that_is_given_back_is_refused_everywhere, asking)
{
    auto key = mint(R"({"name":"k"})");
    BOOST_TEST(client.get(base + "/me", key).status == 200u);
    auto done = give_back(key, "&token_type_hint=access_token");
    BOOST_TEST(done.status == 200u);
    BOOST_TEST(done.body == "");
    BOOST_TEST(refused_everywhere(key) == "401 unauthorized");
    auto trail = client.get(base + "/audit?action=api_key.revoke", token);
    BOOST_TEST(trail.text("/items/0/target") == prefix_of(key));
    BOOST_TEST(trail.text("/items/0/actor/user_id") == user);
}

BOOST_FIXTURE_TEST_CASE(an_access_token_takes_its_session_along, asking)
{
    BOOST_TEST(give_back(mel.token).status == 200u);
    BOOST_TEST(refused_everywhere(mel.token) == "401 unauthorized");
    auto renewed =
        client.post(base + "/token/refresh", support::object({{"refresh_token", mel.refresh_token}}));
    BOOST_TEST(renewed.status == 401u);
    BOOST_TEST(client.get(base + "/me", token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_refresh_token_ends_its_session_too, asking)
{
    BOOST_TEST(give_back(mel.refresh_token, "&token_type_hint=refresh_token").status == 200u);
    BOOST_TEST(refused_everywhere(mel.token) == "401 unauthorized");
    auto trail = client.get(base + "/audit?action=session.revoke", token);
    BOOST_TEST(trail.text("/items/0/actor/user_id") == mel.user);
}

BOOST_FIXTURE_TEST_CASE(what_is_no_token_is_given_back_just_as_well, asking)
{
    auto forged = mel.refresh_token;
    forged.back() = forged.back() == 'A' ? 'B' : 'A';
    forged[forged.size() / 2] = forged[forged.size() / 2] == 'A' ? 'B' : 'A';
    for (auto& what : {std::string("x"), std::string("tnx_nonsense"), forged, token.substr(0, 40)})
        BOOST_TEST(give_back(what).status == 200u, what);
    BOOST_TEST(client.get(base + "/me", mel.token).status == 200u);
    BOOST_TEST(post_form("/revoke", "token_type_hint=x").status == 422u);
}

BOOST_AUTO_TEST_SUITE_END()
