// Signing in through a provider: the way there and back, who is who, and what is given back.
#include "tests/e2e/support/browser.hpp"
#include "tests/support/eventually.hpp"

#include <atomic>
#include <thread>
#include <vector>

using namespace flows;

BOOST_AUTO_TEST_SUITE(oidc_sign_in)

BOOST_FIXTURE_TEST_CASE(a_stranger_gets_an_account_and_a_workspace, with_provider)
{
    auto sent = begin();
    BOOST_TEST(sent.status == 302u);
    auto asked = sent.header("Location");
    BOOST_TEST(asked.starts_with(provider().issuer() + "/authorize?"));
    BOOST_TEST(parameter(asked, "client_id") == "client-1");
    BOOST_TEST(parameter(asked, "response_type") == "code");
    BOOST_TEST(parameter(asked, "code_challenge_method") == "S256");
    BOOST_TEST(parameter(asked, "redirect_uri") == "http://127.0.0.1:0/api/v1/users/oauth/google/callback");
    BOOST_TEST(parameter(asked, "scope") == "openid email profile");
    BOOST_TEST(parameter(asked, "state") != state); // ours, not the client's
    auto cookie = sent.header("Set-Cookie");
    BOOST_TEST(cookie.find("; HttpOnly; SameSite=Lax") != std::string::npos);
    BOOST_TEST(cookie.find("Path=/api/v1/users/oauth/google;") != std::string::npos);
    BOOST_TEST(cookie.find("Secure") == std::string::npos); // the public URL is not https

    auto back = come_back(visit_provider(sent));
    BOOST_TEST(back.status == 302u);
    auto to = back.header("Location");
    BOOST_TEST(to.starts_with("https://app.example/in?"));
    BOOST_TEST(parameter(to, "state") == state);
    BOOST_TEST(parameter(to, "error").empty());
    BOOST_TEST(back.header("Set-Cookie").find("Max-Age=0") != std::string::npos);

    auto opened = exchange(parameter(to, "code"));
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(members(opened) == "access_token token_type expires_in refresh_token user workspace");
    BOOST_TEST(opened.text("/user/email") == "ada@example.org");
    BOOST_TEST(opened.text("/user/name") == "Ada");
    BOOST_TEST(at(opened, "/user/email_verified") == "true");
    BOOST_TEST(opened.text("/workspace/name") == "Ada's workspace");
    auto token = opened.text("/access_token");
    BOOST_TEST(at(client.get(base + "/me", token), "/role") == "\"admin\"");

    auto again = sign_in();
    BOOST_TEST(again.text("/user/id") == opened.text("/user/id"));
    BOOST_TEST(again.text("/workspace/id") == opened.text("/workspace/id"));
    auto grants = client.get(base + "/me/oauth-grants", token);
    BOOST_TEST(members(grants) == "items next_cursor total");
    BOOST_TEST(members(grants, "/items/0") == "provider email created_at last_used_at");
    BOOST_TEST(grants.text("/items/0/provider") == "google");
    BOOST_TEST(grants.text("/items/0/email") == "ada@example.org");
}

BOOST_AUTO_TEST_CASE(without_a_provider_there_is_nothing_here)
{
    correspondence world;
    auto path = base + "/oauth/google/";
    BOOST_TEST(world.client
                   .get(path + "authorize?redirect_uri=https://app.example/in&state=s&code_challenge=" +
                        std::string(43, 'c') + "&code_challenge_method=S256")
                   .status == 404u);
    BOOST_TEST(world.client.get(path + "callback?state=s&code=c").status == 404u);
    auto body = support::object({{"code", "c"}, {"code_verifier", std::string(43, 'v')}});
    BOOST_TEST(world.client.post(path + "exchange", body).status == 404u);
}

BOOST_FIXTURE_TEST_CASE(the_browser_is_sent_only_where_it_is_allowed_exactly, with_provider)
{
    for (std::string uri : {"https://app.example/in/", "https://app.example/in?", "https://app.example/",
                            "HTTPS://app.example/in", "https://app.example/in#x",
                            "https://app.example.evil/in", "https://evil.example/", "//app.example/in"}) {
        redirect_uri = uri;
        auto refused = begin();
        BOOST_TEST(faults(refused) == "query.redirect_uri value_error", uri);
        BOOST_TEST(refused.header("Location").empty());
    }
    redirect_uri = "https://app.example/in?from=mail";
    auto to = consent();
    BOOST_TEST(to.starts_with("https://app.example/in?from=mail&"));
    BOOST_TEST(exchange(parameter(to, "code")).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(what_a_client_must_say_is_told_at_once, with_provider)
{
    BOOST_TEST(
        faults(client.get(std::string(google) + "/authorize")) ==
        "query.code_challenge missing, query.code_challenge_method missing, query.redirect_uri missing, "
        "query.state missing");
    auto plain = begin_path();
    plain.replace(plain.find("S256"), 4, "plain");
    BOOST_TEST(faults(client.get(plain)) == "query.code_challenge_method enum");
}

BOOST_FIXTURE_TEST_CASE(a_code_is_good_once_for_a_minute_and_for_whom_it_was_made, with_provider)
{
    auto code = parameter(consent(), "code");
    BOOST_TEST(exchange(code).status == 200u);
    BOOST_TEST(exchange(code).code() == "invalid_token");

    code = parameter(consent(), "code");
    BOOST_TEST(exchange(code, std::string(43, 'w')).code() == "invalid_token");
    BOOST_TEST(exchange(code).code() == "invalid_token"); // one try is all

    code = parameter(consent(), "code");
    db.sql("UPDATE oauth_codes SET expires_at = now() - interval '1 second'");
    BOOST_TEST(exchange(code).code() == "invalid_token");
    for (auto wrong : {"nonsense", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})
        BOOST_TEST(exchange(wrong).code() == "invalid_token");
}

BOOST_FIXTURE_TEST_CASE(of_many_who_exchange_a_code_at_once_one_signs_in, with_provider)
{
    auto body = support::object({{"code", parameter(consent(), "code")}, {"code_verifier", verifier}});
    std::atomic<unsigned> good{0}, spent{0};
    std::vector<std::thread> crowd;
    for (int i = 0; i < 8; ++i)
        crowd.emplace_back([&] {
            support::http_client one(server.port());
            auto answer = one.post(base + "/oauth/google/exchange", body);
            good += answer.status == 200u;
            spent += answer.code() == "invalid_token";
        });
    for (auto& one : crowd)
        one.join();
    BOOST_TEST(good == 1u);
    BOOST_TEST(spent == 7u);
}

BOOST_FIXTURE_TEST_CASE(another_browser_cannot_finish_what_this_one_began, with_provider)
{
    auto to = visit_provider(begin());
    auto mine = cookies;
    cookies.clear();
    BOOST_TEST(come_back(to).status == 400u);
    begin(); // the cookie of another sign-in
    BOOST_TEST(come_back(to).status == 400u);
    auto forged = mine;
    forged.back() = forged.back() == 'A' ? 'B' : 'A';
    for (auto& wrong :
         {forged, mine + "A", mine.substr(0, mine.find('=') + 1), std::string("latchkey_sign_in_x=1")}) {
        cookies = wrong;
        BOOST_TEST(come_back(to).status == 400u, wrong);
    }
    cookies = "other=1; " + mine + "; more=2";
    BOOST_TEST(come_back(to).status == 302u);
}

BOOST_FIXTURE_TEST_CASE(a_forged_state_is_refused, with_provider)
{
    auto to = visit_provider(begin());
    auto real = parameter(to, "state");
    for (auto& wrong : {real.substr(1), std::string(43, 'A'), "B" + real.substr(1), std::string("x")}) {
        auto changed = to;
        changed.replace(changed.find(real), real.size(), wrong);
        auto refused = come_back(changed);
        BOOST_TEST(refused.status == 400u, wrong);
        BOOST_TEST(refused.header("Location").empty());
    }
    BOOST_TEST(faults(client.get(std::string(google) + "/callback?code=c")) == "query.state missing");
}

BOOST_FIXTURE_TEST_CASE(who_declines_is_sent_home_with_the_reason, with_provider)
{
    auto state_of = [&] { return parameter(begin().header("Location"), "state"); };
    auto back = [&](const std::string& query) {
        return come_back("http://x" + std::string(google) + "/callback?" + query);
    };
    auto to = back("error=access_denied&state=" + state_of()).header("Location");
    BOOST_TEST(to.starts_with("https://app.example/in?"));
    BOOST_TEST(parameter(to, "error") == "access_denied");
    BOOST_TEST(parameter(to, "state") == state);
    BOOST_TEST(parameter(to, "code").empty());
    to = back("error=%3Cscript%3E&state=" + state_of()).header("Location");
    BOOST_TEST(parameter(to, "error") == "server_error");
    to = back("state=" + state_of()).header("Location"); // neither a code nor an error
    BOOST_TEST(parameter(to, "error") == "server_error");
}

BOOST_FIXTURE_TEST_CASE(a_forged_token_signs_nobody_in, with_provider)
{
    boost::json::object past{{"exp", 1000000000}};
    for (auto& lie : std::vector<boost::json::object>{
             {{"claims", {{"iss", "https://evil.example"}}}},
             {{"claims", {{"aud", "another-client"}}}},
             {{"claims", {{"nonce", "another-nonce"}}}},
             {{"claims", {{"nonce", nullptr}}}},
             {{"claims", past}},
             {{"alg", "none"}},
             {{"alg", "HS256"}},
             {{"bad_signature", true}},
             {{"unknown_kid", true}},
         }) {
        provider().reset();
        provider().set(lie);
        BOOST_TEST(error() == "server_error", boost::json::serialize(lie));
    }
    BOOST_TEST(db.sql("SELECT count(*) FROM users") == "0");
    provider().reset();
    BOOST_TEST(sign_in().status == 200u);
}

BOOST_FIXTURE_TEST_CASE(new_keys_of_the_provider_are_fetched_once, with_provider)
{
    BOOST_TEST(sign_in().status == 200u);
    auto before = provider().hits("jwks");
    provider().set({{"rotate", true}});
    BOOST_TEST(sign_in().status == 200u);
    BOOST_TEST(provider().hits("jwks") >= before + 1);
    provider().set({{"unknown_kid", true}});
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(error() == "server_error");
    BOOST_TEST(provider().hits("jwks") <= before + 2 * 4); // once in a while for each of the four cores
}

BOOST_FIXTURE_TEST_CASE(only_a_verified_address_counts, with_provider)
{
    provider_says({{"email_verified", false}});
    BOOST_TEST(error() == "email_not_verified");
    provider_says({{"email_verified", nullptr}});
    BOOST_TEST(error() == "email_not_verified");
    provider_says({{"email_verified", true}, {"email", nullptr}});
    BOOST_TEST(error() == "email_not_verified");
    provider_says({{"email", "no address"}});
    BOOST_TEST(error() == "email_not_verified");
}

BOOST_FIXTURE_TEST_CASE(a_verified_account_is_joined, with_provider)
{
    auto ada = sign_up(client, "ada@example.org");
    BOOST_REQUIRE(verify(token_to("ada@example.org", verify_subject)).status == 200u);
    auto opened = sign_in();
    BOOST_TEST(opened.text("/user/id") == ada.user);
    BOOST_TEST(opened.text("/workspace/id") == ada.workspace);
    BOOST_TEST(client.get(base + "/me", ada.token).status == 200u);
    BOOST_TEST(log_in_with("ada@example.org", "long enough").status == 200u);

    provider_says({{"email", "moved@example.org"}}); // the same person there
    BOOST_TEST(sign_in().text("/user/id") == ada.user);
}

BOOST_FIXTURE_TEST_CASE(an_unverified_account_loses_what_somebody_else_may_have_planted, with_provider)
{
    auto planted = sign_up(client, "ada@example.org");
    auto key = post("/api-keys", R"({"name":"k"})", planted.token).text("/secret");
    auto of_the_workspace =
        post("/api-keys", R"({"name":"k","owner":"workspace","role":"admin"})", planted.token)
            .text("/secret");
    BOOST_REQUIRE(client.get(base + "/me", of_the_workspace).status == 200u);
    auto link = token_to("ada@example.org", verify_subject);
    auto opened = sign_in();
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(at(opened, "/user/email_verified") == "true");
    BOOST_TEST(client.get(base + "/me", planted.token).status == 401u);
    BOOST_TEST(client.get(base + "/me", key).status == 401u);
    BOOST_TEST(client.get(base + "/me", of_the_workspace).status == 401u);
    auto refresh = support::object({{"refresh_token", planted.refresh_token}});
    BOOST_TEST(post("/token/refresh", refresh).status == 401u);
    BOOST_TEST(log_in_with("ada@example.org", "long enough").status == 401u);
    BOOST_TEST(verify(link).code() == "invalid_token");
}

BOOST_FIXTURE_TEST_CASE(one_account_has_one_person_at_the_provider, with_provider)
{
    sign_in();
    provider_says({{"sub", "another"}});
    auto refused = sign_in();
    BOOST_TEST(refused.status == 409u);
    BOOST_TEST(refused.code() == "conflict");
}

BOOST_FIXTURE_TEST_CASE(a_disabled_account_stays_out, with_provider)
{
    sign_in();
    db.sql("UPDATE users SET disabled_at = now()");
    auto refused = sign_in();
    BOOST_TEST(refused.status == 403u);
    BOOST_TEST(refused.code() == "account_disabled");
    db.sql("DELETE FROM oauth_grants");
    BOOST_TEST(sign_in().code() == "account_disabled");
}

BOOST_FIXTURE_TEST_CASE(tokens_are_sealed_at_rest_and_given_back_when_unlinked, with_provider)
{
    provider().set({{"refresh_token", "refresh-from-the-provider"}});
    auto token = sign_in().text("/access_token");
    auto row = db.sql("SELECT encode(sealed_tokens, 'escape') FROM oauth_grants");
    BOOST_TEST(row.find("refresh-from") == std::string::npos);

    auto last = client.del(base + "/me/oauth-grants/google", token);
    BOOST_TEST(last.status == 409u);
    BOOST_TEST(last.code() == "conflict");
    post("/password/forgot", R"({"email":"ada@example.org"})");
    auto reset =
        support::object({{"token", token_to("ada@example.org", reset_subject)}, {"password", "long enough"}});
    BOOST_REQUIRE(post("/password/reset", reset).status == 204u);

    provider().set({{"fail", {{"revoke", 503}}}});
    token = log_in(client, "ada@example.org").token;
    BOOST_TEST(client.del(base + "/me/oauth-grants/google", token).status == 204u);
    BOOST_TEST(client.del(base + "/me/oauth-grants/google", token).status == 404u);
    BOOST_TEST(support::eventually(std::chrono::seconds(10), [] { return provider().hits("revoke") == 1; }));
    BOOST_TEST(db.sql("SELECT count(*) FROM oauth_revocations") == "1"); // kept until it has succeeded
    provider().set({{"fail", {{"revoke", nullptr}}}});
    db.sql("UPDATE oauth_revocations SET next_attempt_at = now()");
    BOOST_TEST(support::eventually(std::chrono::seconds(10), [] { return provider().hits("revoke") == 2; }));
    BOOST_TEST(support::eventually(std::chrono::seconds(10),
                                   [&] { return db.sql("SELECT count(*) FROM oauth_revocations") == "0"; }));
    auto revoked = provider().log().at("revoked").as_array();
    BOOST_TEST(boost::json::serialize(revoked.back()) == "\"refresh-from-the-provider\"");
}

BOOST_FIXTURE_TEST_CASE(who_has_no_password_proves_it_by_a_fresh_sign_in, with_provider)
{
    auto token = sign_in().text("/access_token");
    auto key = post("/api-keys", R"({"name":"k"})", token).text("/secret");
    auto change = R"({"new_password":"long enough"})";
    auto by_key = post("/password/change", change, key);
    BOOST_TEST(by_key.status == 403u);
    BOOST_TEST(by_key.code() == "reauthentication_required");
    db.sql("UPDATE sessions SET created_at = now() - interval '6 minutes'");
    BOOST_TEST(post("/password/change", change, token).code() == "reauthentication_required");
    auto fresh = sign_in().text("/access_token");
    BOOST_TEST(post("/password/change", change, fresh).status == 204u);
    BOOST_TEST(log_in_with("ada@example.org", "long enough").status == 200u);
    BOOST_TEST(log_in_with("ada@example.org", "").status == 422u);
}

BOOST_FIXTURE_TEST_CASE(a_provider_that_fails_sends_people_home_and_is_asked_again, with_provider)
{
    for (auto& trouble : std::vector<boost::json::object>{{{"fail", {{"token", 500}}}},
                                                          {{"fail", {{"token", 400}}}},
                                                          {{"garbage", {{"token", true}}}},
                                                          {{"garbage", {{"token", "huge"}}}},
                                                          {{"fail", {{"jwks", 500}}}}}) {
        provider().reset();
        provider().set(trouble);
        if (trouble.contains("fail") && trouble.at("fail").as_object().contains("jwks"))
            provider().set({{"rotate", true}}); // or the keys are at hand
        BOOST_TEST(!error().empty(), boost::json::serialize(trouble));
    }
}

BOOST_AUTO_TEST_CASE(a_provider_that_lies_about_itself_is_not_believed)
{
    provider().reset();
    provider().set({{"discovery", {{"issuer", "https://evil.example"}}}});
    with_provider world;
    provider().set({{"discovery", {{"issuer", "https://evil.example"}}}});
    auto sent = world.begin();
    BOOST_TEST(sent.status == 302u);
    BOOST_TEST(parameter(sent.header("Location"), "error") == "server_error");
    BOOST_TEST(sent.header("Location").starts_with("https://app.example/in?"));
}

BOOST_AUTO_TEST_CASE(the_cookie_is_for_https_alone_where_the_server_is)
{
    with_provider world({{"LATCHKEY_PUBLIC_URL", "https://id.example.com/auth"}});
    auto cookie = world.begin().header("Set-Cookie");
    BOOST_TEST(cookie.find("; Secure") != std::string::npos);
    BOOST_TEST(cookie.find("Path=/auth/api/v1/users/oauth/google;") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
