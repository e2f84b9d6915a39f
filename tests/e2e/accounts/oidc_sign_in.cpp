// Sign-in through an OpenID provider: redirects, state and cookie, account linking, token revocation.
#include "tests/e2e/support/browser.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/forge.hpp"

#include <algorithm>
#include <atomic>
#include <thread>
#include <vector>

using namespace e2e;

BOOST_AUTO_TEST_SUITE(oidc_sign_in)

BOOST_FIXTURE_TEST_CASE(a_first_sign_in_creates_an_account_and_a_workspace, oidc_fixture)
{
    auto sent = begin();
    BOOST_TEST(sent.status == 302u);
    auto asked = sent.header("Location");
    BOOST_TEST(asked.starts_with(provider().issuer() + "/authorize?"));
    BOOST_TEST(query_parameter(asked, "client_id") == "client-1");
    BOOST_TEST(query_parameter(asked, "response_type") == "code");
    BOOST_TEST(query_parameter(asked, "code_challenge_method") == "S256");
    BOOST_TEST(query_parameter(asked, "redirect_uri") ==
               "http://127.0.0.1:0/api/v1/users/oauth/google/callback");
    BOOST_TEST(query_parameter(asked, "scope") == "openid email profile");
    BOOST_TEST(query_parameter(asked, "state") != state); // the server's own, not the client's
    auto cookie = sent.header("Set-Cookie");
    BOOST_TEST(cookie.find("; HttpOnly; SameSite=Lax") != std::string::npos);
    BOOST_TEST(cookie.find("Path=/api/v1/users/oauth/google;") != std::string::npos);
    BOOST_TEST(cookie.find("Secure") == std::string::npos); // the public URL is not https

    auto back = return_from_provider(visit_provider(sent));
    BOOST_TEST(back.status == 302u);
    auto to = back.header("Location");
    BOOST_TEST(to.starts_with("https://app.example/in?"));
    BOOST_TEST(query_parameter(to, "state") == state);
    BOOST_TEST(query_parameter(to, "error").empty());
    BOOST_TEST(back.header("Set-Cookie").find("Max-Age=0") != std::string::npos);

    auto opened = exchange(query_parameter(to, "code"));
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(member_names(opened) == "access_token token_type expires_in refresh_token user workspace");
    BOOST_TEST(opened.text("/user/email") == "ada@example.org");
    BOOST_TEST(opened.text("/user/name") == "Ada");
    BOOST_TEST(json_at(opened, "/user/email_verified") == "true");
    BOOST_TEST(opened.text("/workspace/name") == "Ada's workspace");
    auto token = opened.text("/access_token");
    BOOST_TEST(json_at(client.get(base + "/me", token), "/role") == "\"admin\"");

    auto again = sign_in();
    BOOST_TEST(again.text("/user/id") == opened.text("/user/id"));
    BOOST_TEST(again.text("/workspace/id") == opened.text("/workspace/id"));
    auto grants = client.get(base + "/me/oauth-grants", token);
    BOOST_TEST(member_names(grants) == "items next_cursor total");
    BOOST_TEST(member_names(grants, "/items/0") == "provider issuer email created_at last_used_at");
    BOOST_TEST(grants.text("/items/0/provider") == "google");
    BOOST_TEST(grants.text("/items/0/issuer") == provider().issuer());
    BOOST_TEST(grants.text("/items/0/email") == "ada@example.org");
}

BOOST_AUTO_TEST_CASE(without_a_provider_the_routes_are_not_found)
{
    mail_fixture fixture;
    auto path = base + "/oauth/google/";
    BOOST_TEST(fixture.client
                   .get(path + "authorize?redirect_uri=https://app.example/in&state=s&code_challenge=" +
                        std::string(43, 'c') + "&code_challenge_method=S256")
                   .status == 404u);
    BOOST_TEST(fixture.client.get(path + "callback?state=s&code=c").status == 404u);
    auto body = support::object({{"code", "c"}, {"code_verifier", std::string(43, 'v')}});
    BOOST_TEST(fixture.client.post(path + "exchange", body).status == 404u);
}

BOOST_FIXTURE_TEST_CASE(redirect_uris_are_matched_exactly, oidc_fixture)
{
    for (std::string uri : {"https://app.example/in/", "https://app.example/in?", "https://app.example/",
                            "HTTPS://app.example/in", "https://app.example/in#x",
                            "https://app.example.evil/in", "https://evil.example/", "//app.example/in"}) {
        redirect_uri = uri;
        auto refused = begin();
        BOOST_TEST(validation_errors(refused) == "query.redirect_uri value_error", uri);
        BOOST_TEST(refused.header("Location").empty());
    }
    // The server's own page, at the public URL alone.
    const std::string own = "http://127.0.0.1:0";
    for (std::string uri :
         {own + "/reset", own + "/invite", own + "/sign-in/google/done/", own + "/sign-in/google/done?x",
          own + "/sign-in/google/donex", own, std::string("https://127.0.0.1:0/sign-in/google/done"),
          std::string("http://127.0.0.1/sign-in/google/done"),
          std::string("http://localhost:0/sign-in/google/done"), std::string("/sign-in/google/done")}) {
        redirect_uri = uri;
        BOOST_TEST(validation_errors(begin()) == "query.redirect_uri value_error", uri);
    }
    redirect_uri = own + "/sign-in/google/done";
    BOOST_TEST(begin().status == 302u);
    redirect_uri = "https://app.example/in?from=mail";
    auto to = consent();
    BOOST_TEST(to.starts_with("https://app.example/in?from=mail&"));
    BOOST_TEST(exchange(query_parameter(to, "code")).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(missing_parameters_are_reported_at_once, oidc_fixture)
{
    BOOST_TEST(
        validation_errors(client.get(std::string(google) + "/authorize")) ==
        "query.code_challenge missing, query.code_challenge_method missing, query.redirect_uri missing, "
        "query.state missing");
    auto plain = begin_path();
    plain.replace(plain.find("S256"), 4, "plain");
    BOOST_TEST(validation_errors(client.get(plain)) == "query.code_challenge_method enum");
}

BOOST_FIXTURE_TEST_CASE(a_code_is_single_use_expires_and_is_bound_to_its_verifier, oidc_fixture)
{
    auto code = query_parameter(consent(), "code");
    BOOST_TEST(exchange(code).status == 200u);
    BOOST_TEST(exchange(code).code() == "invalid_token");

    code = query_parameter(consent(), "code");
    BOOST_TEST(exchange(code, std::string(43, 'w')).code() == "invalid_token");
    BOOST_TEST(exchange(code).code() == "invalid_token"); // a failed attempt spends the code

    code = query_parameter(consent(), "code");
    db.sql("UPDATE oauth_codes SET expires_at = now() - interval '1 second'");
    BOOST_TEST(exchange(code).code() == "invalid_token");
    for (auto& wrong : {std::string(), std::string("nonsense"), std::string(43, 'A'), std::string("a\0b", 3),
                        std::string(5000, 'A')}) {
        BOOST_TEST(exchange(wrong).code() == "invalid_token");
        BOOST_TEST(exchange(std::string(43, 'A'), wrong).code() == "invalid_token");
    }
}

BOOST_FIXTURE_TEST_CASE(of_concurrent_exchanges_exactly_one_succeeds, oidc_fixture)
{
    auto body = support::object({{"code", query_parameter(consent(), "code")}, {"code_verifier", verifier}});
    std::atomic<unsigned> succeeded{0}, rejected{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            support::http_client one(server.port());
            auto answer = one.post(base + "/oauth/google/exchange", body);
            succeeded += answer.status == 200u;
            rejected += answer.code() == "invalid_token";
        });
    for (auto& one : threads)
        one.join();
    BOOST_TEST(succeeded == 1u);
    BOOST_TEST(rejected == 7u);
}

BOOST_FIXTURE_TEST_CASE(the_callback_is_bound_to_the_browser_by_its_cookie, oidc_fixture)
{
    auto to = visit_provider(begin());
    auto mine = cookies;
    cookies.clear();
    BOOST_TEST(return_from_provider(to).status == 400u);
    begin(); // sets the cookie of another sign-in
    BOOST_TEST(return_from_provider(to).status == 400u);
    for (auto& wrong : {support::forge(mine), mine + "A", mine.substr(0, mine.find('=') + 1),
                        std::string("latchkey_sign_in_x=1")}) {
        cookies = wrong;
        BOOST_TEST(return_from_provider(to).status == 400u, wrong);
    }
    cookies = "other=1; " + mine + "; more=2";
    BOOST_TEST(return_from_provider(to).status == 302u);
}

BOOST_FIXTURE_TEST_CASE(a_state_is_good_once_on_every_node, oidc_fixture)
{
    support::running_server second(db.conninfo(),
                                   with_settings({{"LATCHKEY_MASTER_KEY", server.master_key()}}));
    auto to = visit_provider(begin());
    BOOST_TEST(return_from_provider(to).status == 302u);
    for (auto port : {server.port(), second.port()}) { // the browser has kept the cookie
        support::http_client replaying(port);
        replaying.set("Cookie", cookies);
        auto refused = replaying.get(request_target(to));
        BOOST_TEST(refused.status == 400u);
        BOOST_TEST(refused.code() == "bad_request");
        BOOST_TEST(refused.header("Location").empty());
        BOOST_TEST(refused.header("Set-Cookie").find("Max-Age=0") != std::string::npos);
    }
    BOOST_TEST(provider().hits("token") == 1);

    // An error spends the state as well: another response to the same request is not believed.
    to = visit_provider(begin());
    auto failed = "http://x" + std::string(google) +
                  "/callback?error=access_denied&state=" + query_parameter(to, "state");
    BOOST_TEST(return_from_provider(failed).status == 302u);
    BOOST_TEST(return_from_provider(to).status == 400u);
    BOOST_TEST(provider().hits("token") == 1);
}

BOOST_FIXTURE_TEST_CASE(of_concurrent_callbacks_exactly_one_succeeds, oidc_fixture)
{
    auto target = request_target(visit_provider(begin()));
    std::atomic<unsigned> succeeded{0}, rejected{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&] {
            support::http_client one(server.port());
            one.set("Cookie", cookies);
            auto answer = one.get(target);
            succeeded += answer.status == 302u;
            rejected += answer.status == 400u;
        });
    for (auto& one : threads)
        one.join();
    BOOST_TEST(succeeded == 1u);
    BOOST_TEST(rejected == 7u);
}

BOOST_FIXTURE_TEST_CASE(a_browser_has_at_most_five_sign_ins_in_progress, oidc_fixture)
{
    std::vector<std::string> jar; // as a browser sends it: the oldest first
    std::vector<std::string> callbacks;
    auto send_jar = [&] {
        std::string header = "other=1";
        for (auto& one : jar)
            header += "; " + one;
        client.set("Cookie", header);
    };
    auto begin_another = [&] {
        send_jar();
        auto sent = client.get(begin_path());
        client.set("Cookie", "");
        auto [line, end] = sent.headers.equal_range("Set-Cookie");
        for (; line != end; ++line) {
            std::string set(line->value());
            auto pair = set.substr(0, set.find(';'));
            auto name = pair.substr(0, pair.find('=') + 1);
            std::erase_if(jar, [&](auto& old) { return old.starts_with(name); });
            if (set.find("Max-Age=0") == std::string::npos)
                jar.push_back(pair);
        }
        callbacks.push_back(visit_provider(sent));
    };
    auto finish = [&](std::size_t number) {
        send_jar();
        auto back = client.get(request_target(callbacks.at(number)));
        client.set("Cookie", "");
        return back.status;
    };
    for (std::size_t begun = 1; begun <= 7; ++begun) {
        begin_another();
        BOOST_TEST(jar.size() == std::min<std::size_t>(begun, 5));
    }
    BOOST_TEST(finish(0) == 400u);
    BOOST_TEST(finish(1) == 400u);
    for (std::size_t number = 2; number < 7; ++number)
        BOOST_TEST(finish(number) == 302u);

    // What is unreadable goes before what is in progress, and cookies of others stay.
    auto newest = jar.back();
    jar = {newest};
    for (char c = 'a'; c < 'i'; ++c)
        jar.push_back("latchkey_sign_in_" + std::string(16, c) + "=x");
    jar.push_back("latchkey_sign_in_short=x");
    begin_another();
    BOOST_TEST(jar.size() == 6u);
    BOOST_TEST(std::ranges::count(jar, newest) == 1);
    BOOST_TEST(std::ranges::count(jar, "latchkey_sign_in_short=x") == 1);
}

BOOST_FIXTURE_TEST_CASE(the_callback_of_another_issuer_is_rejected, oidc_fixture)
{
    auto with_issuer = [&](const std::string& issuer) {
        auto to = visit_provider(begin()) + "&iss=" + issuer;
        return query_parameter(return_from_provider(to).header("Location"), "error");
    };
    BOOST_TEST(with_issuer("https://evil.example") == "server_error");
    BOOST_TEST(provider().hits("token") == 0);
    BOOST_TEST(with_issuer(provider().issuer()) == "");
}

BOOST_FIXTURE_TEST_CASE(a_forged_state_is_rejected, oidc_fixture)
{
    auto to = visit_provider(begin());
    auto real = query_parameter(to, "state");
    for (auto& wrong : {real.substr(1), support::forge(real), support::forge(real, 0), std::string("x")}) {
        auto changed = to;
        changed.replace(changed.find(real), real.size(), wrong);
        auto refused = return_from_provider(changed);
        BOOST_TEST(refused.status == 400u, wrong);
        BOOST_TEST(refused.header("Location").empty());
    }
    BOOST_TEST(validation_errors(client.get(std::string(google) + "/callback?code=c")) ==
               "query.state missing");
}

BOOST_FIXTURE_TEST_CASE(provider_errors_are_passed_to_the_client, oidc_fixture)
{
    auto state_of = [&] { return query_parameter(begin().header("Location"), "state"); };
    auto back = [&](const std::string& query) {
        return return_from_provider("http://x" + std::string(google) + "/callback?" + query);
    };
    auto to = back("error=access_denied&state=" + state_of()).header("Location");
    BOOST_TEST(to.starts_with("https://app.example/in?"));
    BOOST_TEST(query_parameter(to, "error") == "access_denied");
    BOOST_TEST(query_parameter(to, "state") == state);
    BOOST_TEST(query_parameter(to, "code").empty());
    to = back("error=%3Cscript%3E&state=" + state_of()).header("Location");
    BOOST_TEST(query_parameter(to, "error") == "server_error");
    to = back("state=" + state_of()).header("Location"); // neither a code nor an error
    BOOST_TEST(query_parameter(to, "error") == "server_error");
}

BOOST_FIXTURE_TEST_CASE(a_forged_id_token_is_rejected, oidc_fixture)
{
    boost::json::object past{{"exp", 1000000000}};
    for (auto& forgery : std::vector<boost::json::object>{
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
        provider().set(forgery);
        BOOST_TEST(error() == "server_error", boost::json::serialize(forgery));
    }
    BOOST_TEST(db.sql("SELECT count(*) FROM users") == "0");
    provider().reset();
    BOOST_TEST(sign_in().status == 200u);
}

BOOST_FIXTURE_TEST_CASE(unknown_key_ids_refetch_the_jwks_at_a_limited_rate, oidc_fixture)
{
    BOOST_TEST(sign_in().status == 200u);
    auto before = provider().hits("jwks");
    provider().set({{"rotate", true}});
    BOOST_TEST(sign_in().status == 200u);
    BOOST_TEST(provider().hits("jwks") >= before + 1);
    provider().set({{"unknown_kid", true}});
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(error() == "server_error");
    BOOST_TEST(provider().hits("jwks") <= before + 2 * 2); // rate-limited on each of the two cores
}

BOOST_FIXTURE_TEST_CASE(an_unverified_provider_address_is_rejected, oidc_fixture)
{
    set_claims({{"email_verified", false}});
    BOOST_TEST(error() == "email_not_verified");
    set_claims({{"email_verified", nullptr}});
    BOOST_TEST(error() == "email_not_verified");
    set_claims({{"email_verified", true}, {"email", nullptr}});
    BOOST_TEST(error() == "email_not_verified");
    set_claims({{"email", "no address"}});
    BOOST_TEST(error() == "email_not_verified");
}

BOOST_FIXTURE_TEST_CASE(a_verified_account_is_linked, oidc_fixture)
{
    auto ada = sign_up(client, "ada@example.org");
    BOOST_REQUIRE(verify(emailed_token("ada@example.org", verify_subject)).status == 200u);
    auto opened = sign_in();
    BOOST_TEST(opened.text("/user/id") == ada.user);
    BOOST_TEST(opened.text("/workspace/id") == ada.workspace);
    BOOST_TEST(client.get(base + "/me", ada.token).status == 200u);
    BOOST_TEST(log_in_with("ada@example.org", "long enough").status == 200u);

    set_claims({{"email", "moved@example.org"}}); // the same subject
    BOOST_TEST(sign_in().text("/user/id") == ada.user);
}

BOOST_FIXTURE_TEST_CASE(linking_an_unverified_account_revokes_its_earlier_credentials, oidc_fixture)
{
    auto earlier = sign_up(client, "ada@example.org");
    auto key = post("/api-keys", R"({"name":"k"})", earlier.token).text("/secret");
    auto workspace_key =
        post("/api-keys", R"({"name":"k","owner":"workspace","role":"admin"})", earlier.token)
            .text("/secret");
    BOOST_REQUIRE(client.get(base + "/me", workspace_key).status == 200u);
    auto link = emailed_token("ada@example.org", verify_subject);
    auto opened = sign_in();
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(json_at(opened, "/user/email_verified") == "true");
    BOOST_TEST(client.get(base + "/me", earlier.token).status == 401u);
    BOOST_TEST(client.get(base + "/me", key).status == 401u);
    BOOST_TEST(client.get(base + "/me", workspace_key).status == 401u);
    auto refresh = support::object({{"refresh_token", earlier.refresh_token}});
    BOOST_TEST(post("/token/refresh", refresh).status == 401u);
    BOOST_TEST(log_in_with("ada@example.org", "long enough").status == 401u);
    BOOST_TEST(verify(link).code() == "invalid_token");
}

BOOST_FIXTURE_TEST_CASE(an_account_is_linked_to_one_provider_subject, oidc_fixture)
{
    sign_in();
    set_claims({{"sub", "another"}});
    auto refused = sign_in();
    BOOST_TEST(refused.status == 409u);
    BOOST_TEST(refused.code() == "conflict");
}

BOOST_FIXTURE_TEST_CASE(a_disabled_account_cannot_sign_in, oidc_fixture)
{
    sign_in();
    db.sql("UPDATE users SET disabled_at = now()");
    auto refused = sign_in();
    BOOST_TEST(refused.status == 403u);
    BOOST_TEST(refused.code() == "account_disabled");
    db.sql("DELETE FROM oauth_grants");
    BOOST_TEST(sign_in().code() == "account_disabled");
}

BOOST_FIXTURE_TEST_CASE(provider_tokens_are_sealed_at_rest_and_revoked_when_unlinked, oidc_fixture)
{
    provider().set({{"refresh_token", "refresh-from-the-provider"}});
    auto token = sign_in().text("/access_token");
    auto row = db.sql("SELECT encode(sealed_tokens, 'escape') FROM oauth_grants");
    BOOST_TEST(row.find("refresh-from") == std::string::npos);

    auto last = client.del(base + "/me/oauth-grants/google", token);
    BOOST_TEST(last.status == 409u);
    BOOST_TEST(last.code() == "conflict");
    post("/password/forgot", R"({"email":"ada@example.org"})");
    auto reset = support::object(
        {{"token", emailed_token("ada@example.org", reset_subject)}, {"password", "long enough"}});
    BOOST_REQUIRE(post("/password/reset", reset).status == 204u);

    provider().set({{"fail", {{"revoke", 503}}}});
    token = log_in(client, "ada@example.org").token;
    BOOST_TEST(client.del(base + "/me/oauth-grants/google", token).status == 204u);
    BOOST_TEST(client.del(base + "/me/oauth-grants/google", token).status == 404u);
    BOOST_TEST(support::eventually([] { return provider().hits("revoke") == 1; }));
    BOOST_TEST(db.sql("SELECT count(*) FROM oauth_revocations") == "1"); // kept until the provider accepts it
    provider().set({{"fail", {{"revoke", nullptr}}}});
    db.sql("UPDATE oauth_revocations SET next_attempt_at = now()");
    BOOST_TEST(support::eventually([] { return provider().hits("revoke") == 2; }));
    BOOST_TEST(support::eventually([&] { return db.sql("SELECT count(*) FROM oauth_revocations") == "0"; }));
    auto revoked = provider().log().at("revoked").as_array();
    BOOST_TEST(boost::json::serialize(revoked.back()) == "\"refresh-from-the-provider\"");
}

BOOST_FIXTURE_TEST_CASE(without_a_password_a_recent_sign_in_reauthenticates, oidc_fixture)
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

BOOST_FIXTURE_TEST_CASE(provider_failures_redirect_with_an_error_and_are_not_cached, oidc_fixture)
{
    for (auto& failure : std::vector<boost::json::object>{{{"fail", {{"token", 500}}}},
                                                          {{"fail", {{"token", 400}}}},
                                                          {{"garbage", {{"token", true}}}},
                                                          {{"garbage", {{"token", "huge"}}}},
                                                          {{"fail", {{"jwks", 500}}}}}) {
        provider().reset();
        provider().set(failure);
        if (failure.contains("fail") && failure.at("fail").as_object().contains("jwks"))
            provider().set({{"rotate", true}}); // or the cached keys suffice
        BOOST_TEST(!error().empty(), boost::json::serialize(failure));
    }
}

BOOST_AUTO_TEST_CASE(a_discovery_document_with_another_issuer_is_rejected)
{
    provider().reset();
    provider().set({{"discovery", {{"issuer", "https://evil.example"}}}});
    oidc_fixture fixture;
    provider().set({{"discovery", {{"issuer", "https://evil.example"}}}});
    auto sent = fixture.begin();
    BOOST_TEST(sent.status == 302u);
    BOOST_TEST(query_parameter(sent.header("Location"), "error") == "server_error");
    BOOST_TEST(sent.header("Location").starts_with("https://app.example/in?"));
}

BOOST_AUTO_TEST_CASE(the_cookie_is_secure_if_the_public_url_is_https)
{
    oidc_fixture fixture({{"LATCHKEY_PUBLIC_URL", "https://id.example.com/auth"}});
    auto cookie = fixture.begin().header("Set-Cookie");
    BOOST_TEST(cookie.find("; Secure") != std::string::npos);
    BOOST_TEST(cookie.find("Path=/auth/api/v1/users/oauth/google;") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
