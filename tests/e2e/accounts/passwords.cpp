// Passwords: forgotten, reset, changed; and what ends with the old one.
#include "tests/e2e/support/mail_fixture.hpp"

#include <atomic>
#include <thread>
#include <vector>

using namespace flows;

namespace {

constexpr auto new_password = "quite another one";

struct ada_signed_up : correspondence {
    explicit ada_signed_up(support::environment settings = {}) : correspondence(std::move(settings))
    {
        ada = sign_up(client, "ada@example.com");
    }

    void verify_ada() { BOOST_REQUIRE(verify(token_to("ada@example.com", verify_subject)).status == 200u); }

    std::string ask_for_reset()
    {
        BOOST_REQUIRE(post("/password/forgot", R"({"email":"ada@example.com"})").status == 202u);
        return token_to("ada@example.com", reset_subject);
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

    unsigned me(const std::string& with) { return client.get(base + "/me", with).status; }

    person ada;
};

} // namespace

BOOST_AUTO_TEST_SUITE(passwords)

BOOST_FIXTURE_TEST_CASE(a_forgotten_password_is_set_anew_by_the_link_of_a_mail, ada_signed_up)
{
    verify_ada();
    auto other = log_in(client, "ada@example.com");
    auto key = mint();
    auto token = ask_for_reset();
    auto done = reset(token);
    BOOST_TEST(done.status == 204u);
    BOOST_TEST(done.body.empty());

    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 401u);
    BOOST_TEST(log_in_with("ada@example.com", new_password).status == 200u);
    for (auto& session : {ada, other}) {
        BOOST_TEST(me(session.token) == 401u);
        auto refresh = support::object({{"refresh_token", session.refresh_token}});
        BOOST_TEST(post("/token/refresh", refresh).status == 401u);
    }
    BOOST_TEST(me(key) == 200u); // a verified owner's keys live on, and the notice says so
    auto notice = letter_to("ada@example.com", changed_subject);
    BOOST_TEST(notice.text.find("“ci” (tnx_" + prefix_of(key)) != std::string::npos);
    BOOST_TEST(reset(token).code() == "invalid_token");
}

BOOST_FIXTURE_TEST_CASE(a_reset_may_end_the_keys_too, ada_signed_up)
{
    verify_ada();
    auto key = mint();
    auto body =
        support::object({{"token", ask_for_reset()}, {"password", new_password}, {"revoke_api_keys", true}});
    BOOST_TEST(post("/password/reset", body).status == 204u);
    BOOST_TEST(me(key) == 401u);
    auto notice = letter_to("ada@example.com", changed_subject);
    BOOST_TEST(notice.text.find(prefix_of(key)) == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(the_link_proves_the_address_and_ends_what_was_made_before_it_was_proved,
                        ada_signed_up)
{
    auto planted = mint();
    auto of_the_workspace =
        post("/api-keys", R"({"name":"k","owner":"workspace","role":"admin"})", ada.token).text("/secret");
    BOOST_REQUIRE(me(of_the_workspace) == 200u);
    auto older_link = token_to("ada@example.com", verify_subject);
    BOOST_TEST(reset(ask_for_reset()).status == 204u);
    BOOST_TEST(me(planted) == 401u);
    BOOST_TEST(me(of_the_workspace) == 401u);
    BOOST_TEST(me(ada.token) == 401u);
    BOOST_TEST(verify(older_link).status == 400u); // every link from before is void
    auto opened = log_in_with("ada@example.com", new_password);
    BOOST_TEST(at(opened, "/user/email_verified") == "true");
}

BOOST_FIXTURE_TEST_CASE(forgetting_says_nothing_of_whom_it_reaches, ada_signed_up)
{
    auto known = post("/password/forgot", R"({"email":"ada@example.com"})");
    auto unknown = post("/password/forgot", R"({"email":"nobody@example.com"})");
    BOOST_TEST(known.status == 202u);
    BOOST_TEST(comparable(known) == comparable(unknown));
    BOOST_TEST(is_silent("nobody@example.com"));
}

BOOST_FIXTURE_TEST_CASE(of_many_who_reset_at_once_one_does, ada_signed_up)
{
    auto token = ask_for_reset();
    std::atomic<int> winner{-1};
    std::atomic<unsigned> done{0}, spent{0};
    std::vector<std::thread> crowd;
    for (int i = 0; i < 8; ++i)
        crowd.emplace_back([&, i] {
            support::http_client one(server.port());
            auto password = "quite another one " + std::to_string(i);
            auto answer = one.post(base + "/password/reset",
                                   support::object({{"token", token}, {"password", password}}));
            if (answer.status == 204u)
                winner = i;
            done += answer.status == 204u;
            spent += answer.code() == "invalid_token";
        });
    for (auto& one : crowd)
        one.join();
    BOOST_TEST(done == 1u);
    BOOST_TEST(spent == 7u);
    auto password = "quite another one " + std::to_string(winner);
    BOOST_TEST(log_in_with("ada@example.com", password).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_weak_password_leaves_the_link_as_good_as_it_was, ada_signed_up)
{
    auto token = ask_for_reset();
    for (auto weak : {"password1", "ada@example.com", "qwertyuiop", "aaaaaaaaaaaa"}) {
        auto refused = reset(token, weak);
        BOOST_TEST(refused.status == 422u, weak);
        BOOST_TEST(refused.code() == "weak_password", weak);
        BOOST_TEST(members(refused) == "detail code");
    }
    BOOST_TEST(faults(reset(token, "short")) == "body.password string_too_short");
    BOOST_TEST(reset(token).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(weak_passwords_are_refused_wherever_one_is_set, ada_signed_up)
{
    auto refused = post("/signup", support::object({{"email", "grace.hopper@example.com"},
                                                    {"password", "gracehopper1906"},
                                                    {"name", "Grace Hopper"}}));
    BOOST_TEST(refused.status == 422u);
    BOOST_TEST(refused.code() == "weak_password");
    BOOST_TEST(change("long enough", "letmein123", ada.token).code() == "weak_password");
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_change_needs_the_old_password_and_ends_the_other_sessions, ada_signed_up)
{
    auto other = log_in(client, "ada@example.com");
    auto key = mint();
    auto wrong = change("not hers at all", new_password, ada.token);
    BOOST_TEST(wrong.status == 403u);
    BOOST_TEST(wrong.code() == "invalid_credentials");
    BOOST_TEST(me(other.token) == 200u);
    BOOST_TEST(faults(post("/password/change", R"({"new_password":"quite another one"})", ada.token)) ==
               "body.current_password missing");

    BOOST_TEST(change("long enough", new_password, ada.token).status == 204u);
    BOOST_TEST(me(ada.token) == 200u);
    BOOST_TEST(me(other.token) == 401u);
    BOOST_TEST(me(key) == 200u);
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 401u);
    BOOST_TEST(log_in_with("ada@example.com", new_password).status == 200u);
    auto notice = letter_to("ada@example.com", changed_subject);
    BOOST_TEST(notice.text.find(prefix_of(key)) != std::string::npos);
    BOOST_TEST(notice.text.find("127.0.0.1") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_change_voids_a_reset_that_is_under_way, ada_signed_up)
{
    auto token = ask_for_reset();
    BOOST_TEST(change("long enough", new_password, ada.token).status == 204u);
    BOOST_TEST(reset(token, "of somebody else").code() == "invalid_token");
}

BOOST_FIXTURE_TEST_CASE(a_change_voids_a_move_to_another_address_too, ada_signed_up)
{
    auto body = support::object({{"new_email", "evil@example.com"}, {"password", "long enough"}});
    BOOST_REQUIRE(post("/email/change", body, ada.token).status == 202u);
    auto token = token_to("evil@example.com", "Confirm your new e-mail address");
    BOOST_TEST(change("long enough", new_password, ada.token).status == 204u);
    auto confirm = support::object({{"token", token}});
    BOOST_TEST(post("/email/change/confirm", confirm).code() == "invalid_token");
}

BOOST_FIXTURE_TEST_CASE(whoever_is_still_changing_things_when_the_password_is_reset_changes_nothing,
                        ada_signed_up)
{
    verify_ada();
    auto key = mint();
    std::atomic<bool> done{false};
    std::vector<std::thread> crowd;
    for (int i = 0; i < 3; ++i) { // with the old password, and a key that outlives a reset
        crowd.emplace_back([&, i] {
            support::http_client one(server.port());
            auto move = support::object({{"new_email", "evil@example.com"}, {"password", "long enough"}});
            auto keep = support::object(
                {{"current_password", "long enough"}, {"new_password", "the thief keeps it"}});
            while (!done) {
                if (i == 0)
                    one.post(base + "/email/change", move, key);
                else
                    one.post(base + "/password/change", keep, key);
            }
        });
    }
    auto token = ask_for_reset();
    auto went = reset(token); // the thief's change may have come first, and voided the link
    if (went.status == 400u)
        went = reset(ask_for_reset());
    done = true;
    for (auto& one : crowd)
        one.join();
    BOOST_TEST(went.status == 204u);
    BOOST_TEST(log_in_with("ada@example.com", new_password).status == 200u);
    BOOST_TEST(db.sql("SELECT count(*) FROM one_time_tokens WHERE purpose = 'change_email'") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_reset_that_ends_the_keys_ends_those_too_that_are_just_being_made, ada_signed_up)
{
    verify_ada();
    std::atomic<bool> done{false};
    std::vector<std::thread> crowd;
    for (int i = 0; i < 4; ++i)
        crowd.emplace_back([&, key = mint()] {
            support::http_client one(server.port());
            while (!done)
                one.post(base + "/api-keys", R"({"name":"another"})", key);
        });
    auto body =
        support::object({{"token", ask_for_reset()}, {"password", new_password}, {"revoke_api_keys", true}});
    BOOST_TEST(post("/password/reset", body).status == 204u);
    BOOST_TEST(db.sql("SELECT count(*) FROM api_keys WHERE revoked_at IS NULL") == "0");
    done = true;
    for (auto& one : crowd)
        one.join();
    BOOST_TEST(db.sql("SELECT count(*) FROM api_keys WHERE revoked_at IS NULL") == "0");
}

BOOST_FIXTURE_TEST_CASE(with_a_key_the_password_is_changed_as_well_and_every_session_ends, ada_signed_up)
{
    auto key = mint();
    BOOST_TEST(change("long enough", new_password, key).status == 204u);
    BOOST_TEST(me(ada.token) == 401u);
    BOOST_TEST(me(key) == 200u);
}

BOOST_AUTO_TEST_CASE(guesses_at_ones_own_password_count_as_those_at_the_door)
{
    ada_signed_up world({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(world.change("not hers at all", new_password, world.ada.token).status == 403u);
    BOOST_TEST(world.change("long enough", new_password, world.ada.token).status == 429u);
    BOOST_TEST(world.log_in_with("ada@example.com", "long enough").status == 429u);
}

BOOST_FIXTURE_TEST_CASE(a_disabled_account_gets_no_link, ada_signed_up)
{
    auto token = ask_for_reset();
    db.sql("UPDATE users SET disabled_at = now()");
    BOOST_TEST(reset(token).code() == "invalid_token");
    BOOST_TEST(post("/password/forgot", R"({"email":"ada@example.com"})").status == 202u);
    BOOST_TEST(is_silent("ada@example.com", reset_subject));
}

BOOST_FIXTURE_TEST_CASE(nothing_that_was_a_secret_is_in_the_database_or_in_the_log, ada_signed_up)
{
    db.sql("UPDATE users SET email_verified_at = now()");
    auto token = ask_for_reset();
    auto kept = db.sql("SELECT encode(digest, 'hex') FROM one_time_tokens WHERE purpose = 'reset_password'");
    BOOST_TEST(kept.size() == 64u);
    BOOST_TEST(kept != db.sql("SELECT encode('" + token + "', 'hex')"));
    BOOST_TEST(kept == db.sql("SELECT encode(sha256('" + token + "'), 'hex')"));
    reset(token);
    auto log = server.log();
    BOOST_TEST(log.find(new_password) == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
