// Password reset and change, and the credentials that they revoke.
#include "tests/e2e/support/mail_fixture.hpp"

#include <atomic>
#include <thread>
#include <vector>

using namespace e2e;

namespace {

constexpr auto new_password = "quite another one";

struct password_fixture : mail_fixture {
    explicit password_fixture(support::environment settings = {}) : mail_fixture(std::move(settings))
    {
        ada = sign_up(client, "ada@example.com");
    }

    void verify_ada()
    {
        BOOST_REQUIRE(verify(emailed_token("ada@example.com", verify_subject)).status == 200u);
    }

    std::string request_reset()
    {
        BOOST_REQUIRE(post("/password/forgot", R"({"email":"ada@example.com"})").status == 202u);
        return emailed_token("ada@example.com", reset_subject);
    }

    support::response reset(const std::string& token, const std::string& password = new_password)
    {
        return post("/password/reset", support::object({{"token", token}, {"password", password}}));
    }

    support::response change(const std::string& old, const std::string& wanted, const std::string& with)
    {
        return post("/password/change",
                    support::object({{"current_password", old}, {"new_password", wanted}}), with);
    }

    std::string mint()
    {
        auto made = post("/api-keys", R"({"name":"ci"})", ada.token);
        BOOST_REQUIRE(made.status == 201u);
        return made.text("/secret");
    }

    unsigned status_of(const std::string& with) { return client.get(base + "/me", with).status; }

    person ada;
};

} // namespace

BOOST_AUTO_TEST_SUITE(passwords)

BOOST_FIXTURE_TEST_CASE(a_forgotten_password_is_reset_with_the_emailed_link, password_fixture)
{
    verify_ada();
    auto other = log_in(client, "ada@example.com");
    auto key = mint();
    auto token = request_reset();
    auto done = reset(token);
    BOOST_TEST(done.status == 204u);
    BOOST_TEST(done.body.empty());

    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 401u);
    BOOST_TEST(log_in_with("ada@example.com", new_password).status == 200u);
    for (auto& session : {ada, other}) {
        BOOST_TEST(status_of(session.token) == 401u);
        auto refresh = support::object({{"refresh_token", session.refresh_token}});
        BOOST_TEST(post("/token/refresh", refresh).status == 401u);
    }
    BOOST_TEST(status_of(key) == 200u); // keys of a verified owner stay valid; the notice lists them
    auto notice = email_to("ada@example.com", changed_subject);
    BOOST_TEST(notice.text.find("“ci” (tnx_" + prefix_of(key)) != std::string::npos);
    BOOST_TEST(reset(token).code() == "invalid_token");
}

BOOST_FIXTURE_TEST_CASE(a_reset_can_revoke_api_keys, password_fixture)
{
    verify_ada();
    auto key = mint();
    auto body =
        support::object({{"token", request_reset()}, {"password", new_password}, {"revoke_api_keys", true}});
    BOOST_TEST(post("/password/reset", body).status == 204u);
    BOOST_TEST(status_of(key) == 401u);
    auto notice = email_to("ada@example.com", changed_subject);
    BOOST_TEST(notice.text.find(prefix_of(key)) == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_reset_verifies_the_address_and_revokes_earlier_credentials, password_fixture)
{
    auto earlier_key = mint();
    auto workspace_key =
        post("/api-keys", R"({"name":"k","owner":"workspace","role":"admin"})", ada.token).text("/secret");
    BOOST_REQUIRE(status_of(workspace_key) == 200u);
    auto older_link = emailed_token("ada@example.com", verify_subject);
    BOOST_TEST(reset(request_reset()).status == 204u);
    BOOST_TEST(status_of(earlier_key) == 401u);
    BOOST_TEST(status_of(workspace_key) == 401u);
    BOOST_TEST(status_of(ada.token) == 401u);
    BOOST_TEST(verify(older_link).status == 400u); // all earlier links are invalid
    auto opened = log_in_with("ada@example.com", new_password);
    BOOST_TEST(json_at(opened, "/user/email_verified") == "true");
}

BOOST_FIXTURE_TEST_CASE(forgot_password_does_not_reveal_whether_an_address_exists, password_fixture)
{
    auto known = post("/password/forgot", R"({"email":"ada@example.com"})");
    auto unknown = post("/password/forgot", R"({"email":"unknown@example.com"})");
    BOOST_TEST(known.status == 202u);
    BOOST_TEST(normalized(known) == normalized(unknown));
    BOOST_TEST(no_more_emails("unknown@example.com"));
}

BOOST_FIXTURE_TEST_CASE(of_concurrent_resets_exactly_one_succeeds, password_fixture)
{
    auto token = request_reset();
    std::atomic<int> winner{-1};
    std::atomic<unsigned> done{0}, rejected{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 8; ++i)
        threads.emplace_back([&, i] {
            support::http_client one(server.port());
            auto password = "quite another one " + std::to_string(i);
            auto answer = one.post(base + "/password/reset",
                                   support::object({{"token", token}, {"password", password}}));
            if (answer.status == 204u)
                winner = i;
            done += answer.status == 204u;
            rejected += answer.code() == "invalid_token";
        });
    for (auto& one : threads)
        one.join();
    BOOST_TEST(done == 1u);
    BOOST_TEST(rejected == 7u);
    auto password = "quite another one " + std::to_string(winner);
    BOOST_TEST(log_in_with("ada@example.com", password).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_weak_password_does_not_spend_the_reset_token, password_fixture)
{
    auto token = request_reset();
    for (auto weak : {"password1", "ada@example.com", "qwertyuiop", "aaaaaaaaaaaa"}) {
        auto refused = reset(token, weak);
        BOOST_TEST(refused.status == 422u, weak);
        BOOST_TEST(refused.code() == "weak_password", weak);
        BOOST_TEST(member_names(refused) == "detail code");
    }
    BOOST_TEST(validation_errors(reset(token, "short")) == "body.password string_too_short");
    BOOST_TEST(reset(token).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(weak_passwords_are_rejected_on_every_route, password_fixture)
{
    auto refused = post("/signup", support::object({{"email", "grace.hopper@example.com"},
                                                    {"password", "gracehopper1906"},
                                                    {"name", "Grace Hopper"}}));
    BOOST_TEST(refused.status == 422u);
    BOOST_TEST(refused.code() == "weak_password");
    BOOST_TEST(change("long enough", "letmein123", ada.token).code() == "weak_password");
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_change_requires_the_current_password_and_ends_other_sessions, password_fixture)
{
    auto other = log_in(client, "ada@example.com");
    auto key = mint();
    auto wrong = change("not hers at all", new_password, ada.token);
    BOOST_TEST(wrong.status == 403u);
    BOOST_TEST(wrong.code() == "invalid_credentials");
    BOOST_TEST(status_of(other.token) == 200u);
    BOOST_TEST(validation_errors(post("/password/change", R"({"new_password":"quite another one"})",
                                      ada.token)) == "body.current_password missing");

    verify_ada(); // only a verified address gets notices
    BOOST_TEST(change("long enough", new_password, ada.token).status == 204u);
    BOOST_TEST(status_of(ada.token) == 200u);
    BOOST_TEST(status_of(other.token) == 401u);
    BOOST_TEST(status_of(key) == 200u);
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 401u);
    BOOST_TEST(log_in_with("ada@example.com", new_password).status == 200u);
    auto notice = email_to("ada@example.com", changed_subject);
    BOOST_TEST(notice.text.find(prefix_of(key)) != std::string::npos);
    BOOST_TEST(notice.text.find("127.0.0.1") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_change_invalidates_a_pending_reset, password_fixture)
{
    auto token = request_reset();
    BOOST_TEST(change("long enough", new_password, ada.token).status == 204u);
    BOOST_TEST(reset(token, "chosen by another").code() == "invalid_token");
}

BOOST_FIXTURE_TEST_CASE(a_change_invalidates_a_pending_email_change, password_fixture)
{
    auto body = support::object({{"new_email", "evil@example.com"}, {"password", "long enough"}});
    BOOST_REQUIRE(post("/email/change", body, ada.token).status == 202u);
    auto token = emailed_token("evil@example.com", "Confirm your new email address");
    BOOST_TEST(change("long enough", new_password, ada.token).status == 204u);
    auto confirm = support::object({{"token", token}});
    BOOST_TEST(post("/email/change/confirm", confirm).code() == "invalid_token");
}

BOOST_FIXTURE_TEST_CASE(changes_concurrent_with_a_reset_have_no_effect, password_fixture)
{
    verify_ada();
    auto key = mint();
    std::atomic<bool> done{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 3; ++i) { // with the old password, and a key that survives a reset
        threads.emplace_back([&, i] {
            support::http_client one(server.port());
            auto move = support::object({{"new_email", "evil@example.com"}, {"password", "long enough"}});
            auto keep = support::object(
                {{"current_password", "long enough"}, {"new_password", "the attacker keeps it"}});
            while (!done) {
                if (i == 0)
                    one.post(base + "/email/change", move, key);
                else
                    one.post(base + "/password/change", keep, key);
            }
        });
    }
    auto token = request_reset();
    auto outcome = reset(token); // a concurrent change may have come first and invalidated the link
    if (outcome.status == 400u)
        outcome = reset(request_reset());
    done = true;
    for (auto& one : threads)
        one.join();
    BOOST_TEST(outcome.status == 204u);
    BOOST_TEST(log_in_with("ada@example.com", new_password).status == 200u);
    BOOST_TEST(db.sql("SELECT count(*) FROM one_time_tokens WHERE purpose = 'change_email'") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_reset_revokes_keys_that_are_being_minted_concurrently, password_fixture)
{
    verify_ada();
    std::atomic<bool> done{false};
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i)
        threads.emplace_back([&, key = mint()] {
            support::http_client one(server.port());
            while (!done)
                one.post(base + "/api-keys", R"({"name":"another"})", key);
        });
    auto body =
        support::object({{"token", request_reset()}, {"password", new_password}, {"revoke_api_keys", true}});
    BOOST_TEST(post("/password/reset", body).status == 204u);
    BOOST_TEST(db.sql("SELECT count(*) FROM api_keys WHERE revoked_at IS NULL") == "0");
    done = true;
    for (auto& one : threads)
        one.join();
    BOOST_TEST(db.sql("SELECT count(*) FROM api_keys WHERE revoked_at IS NULL") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_change_with_an_api_key_ends_every_session, password_fixture)
{
    auto key = mint();
    BOOST_TEST(change("long enough", new_password, key).status == 204u);
    BOOST_TEST(status_of(ada.token) == 401u);
    BOOST_TEST(status_of(key) == 200u);
}

BOOST_AUTO_TEST_CASE(wrong_current_passwords_are_limited_for_the_credential)
{
    password_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(fixture.change("not hers at all", new_password, fixture.ada.token).status == 403u);
    BOOST_TEST(fixture.change("long enough", new_password, fixture.ada.token).status == 429u);
    BOOST_TEST(fixture.log_in_with("ada@example.com", "long enough").status == 200u);

    // An API key shares the attempts of its network, since a key can make others.
    fixture.client.set("User-Agent", "unknown");
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(fixture.change("not hers at all", new_password, fixture.mint()).status == 403u);
    BOOST_TEST(fixture.change("long enough", new_password, fixture.mint()).status == 429u);
    BOOST_TEST(fixture.log_in_with("ada@example.com", "long enough").status == 429u);
}

BOOST_FIXTURE_TEST_CASE(a_disabled_account_gets_no_reset_email, password_fixture)
{
    auto token = request_reset();
    db.sql("UPDATE users SET disabled_at = now()");
    BOOST_TEST(reset(token).code() == "invalid_token");
    BOOST_TEST(post("/password/forgot", R"({"email":"ada@example.com"})").status == 202u);
    BOOST_TEST(no_more_emails("ada@example.com", reset_subject));
}

BOOST_FIXTURE_TEST_CASE(no_secret_is_in_the_database_or_the_log, password_fixture)
{
    db.sql("UPDATE users SET email_verified_at = now()");
    auto token = request_reset();
    auto kept = db.sql("SELECT encode(digest, 'hex') FROM one_time_tokens WHERE purpose = 'reset_password'");
    BOOST_TEST(kept.size() == 64u);
    BOOST_TEST(kept != db.sql("SELECT encode('" + token + "', 'hex')"));
    BOOST_TEST(kept == db.sql("SELECT encode(sha256('" + token + "'), 'hex')"));
    reset(token);
    BOOST_TEST(server.stop() == 0); // completes the log
    auto log = server.log();
    BOOST_TEST(log.find(new_password) == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
