// LATCHKEY_EMAIL_VERIFICATION=required: no access before verification, and no account enumeration at signup.
#include "tests/e2e/support/mail_fixture.hpp"

#include <string>
#include <vector>

using namespace e2e;

namespace {

struct required_verification_fixture : mail_fixture {
    explicit required_verification_fixture(support::environment more = {})
        : mail_fixture(with_required(std::move(more)))
    {}

    static support::environment with_required(support::environment more)
    {
        more.emplace_back("LATCHKEY_EMAIL_VERIFICATION", "required");
        return more;
    }

    support::response post_signup(const std::string& email, const std::string& password = "long enough")
    {
        return post("/signup", credentials(email, password));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(required_verification)

BOOST_FIXTURE_TEST_CASE(signup_requires_the_link_before_the_first_login, required_verification_fixture)
{
    auto made = post_signup("ada@example.com");
    BOOST_TEST(made.status == 202u);
    BOOST_TEST(made.body.empty());
    auto early = log_in_with("ada@example.com", "long enough");
    BOOST_TEST(early.status == 401u); // there is no account yet
    BOOST_TEST(early.code() == "invalid_credentials");
    BOOST_TEST(db.sql("SELECT count(*) FROM users") == "0");
    BOOST_TEST(log_in_with("ada@example.com", "not her own").status == 401u);
    BOOST_TEST(verify(emailed_token("ada@example.com", verify_subject)).status == 200u);
    auto opened = log_in_with("ada@example.com", "long enough");
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(json_at(opened, "/workspace/name") == "\"ada's workspace\"");
}

BOOST_FIXTURE_TEST_CASE(a_known_address_is_answered_alike_and_its_owner_is_notified,
                        required_verification_fixture)
{
    post_signup("ada@example.com");
    verify(emailed_token("ada@example.com", verify_subject));
    auto known = post_signup("ada@example.com", "chosen by another");
    auto unknown = post_signup("bob@example.com", "chosen by another");
    BOOST_TEST(known.status == 202u);
    BOOST_TEST(normalized(known) == normalized(unknown));
    email_to("ada@example.com", "You already have an account");
    BOOST_TEST(log_in_with("ada@example.com", "chosen by another").status == 401u);
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(each_signup_is_pending_on_its_own, required_verification_fixture)
{
    post_signup("ada@example.com", "chosen by another");
    auto others = emailed_token("ada@example.com", verify_subject);
    post_signup("Ada@example.com", "long enough");
    auto own = emailed_token("Ada@example.com", verify_subject);
    auto wrong = post("/email/verify", support::object({{"token", own}, {"password", "chosen by another"}}));
    BOOST_TEST(wrong.status == 403u);
    auto proved = post("/email/verify", support::object({{"token", own}, {"password", "long enough"}}));
    BOOST_TEST(proved.status == 200u);
    BOOST_TEST(proved.text("/email") == "Ada@example.com");
    BOOST_TEST(verify(others).code() == "invalid_token");
    BOOST_TEST(verify(own).code() == "invalid_token");
    BOOST_TEST(log_in_with("ada@example.com", "chosen by another").status == 401u);
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 200u);
    BOOST_TEST(db.sql("SELECT is_proved(u) FROM users u") == "t");
    for (auto table : {"users", "workspaces", "memberships"}) // the other sign-up leaves no rows
        BOOST_TEST(db.sql("SELECT count(*) FROM " + std::string(table)) == "1", table);
    BOOST_TEST(db.sql("SELECT count(*) FROM pending_signups") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_later_signup_of_another_person_hides_no_link, required_verification_fixture)
{
    post_signup("ada@example.com", "long enough");
    emailed_token("ada@example.com", verify_subject);
    post_signup("ada@example.com", "chosen by another");
    emailed_token("ada@example.com", verify_subject);
    BOOST_TEST(post("/email/verify/resend", R"({"email":"ada@example.com"})").status == 202u);
    int proved = 0;
    for (int mail = 0; mail < 2; ++mail)
        proved += verify(emailed_token("ada@example.com", verify_subject), "long enough").status == 200u;
    BOOST_TEST(proved == 1);
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 200u);
    BOOST_TEST(log_in_with("ada@example.com", "chosen by another").status == 401u);
}

BOOST_FIXTURE_TEST_CASE(a_signup_completed_by_the_link_alone_proves_no_account, required_verification_fixture)
{
    post_signup("ada@example.com", "chosen by another");
    BOOST_TEST(verify_by_link_only(emailed_token("ada@example.com", verify_subject)).status == 200u);
    auto planted = person_from(log_in_with("ada@example.com", "chosen by another"));
    post("/password/forgot", R"({"email":"ada@example.com"})");
    auto reset = support::object(
        {{"token", emailed_token("ada@example.com", reset_subject)}, {"password", "long enough"}});
    BOOST_TEST(post("/password/reset", reset).status == 204u);
    BOOST_TEST(client.get(base + "/me", planted.token).status == 401u);
    BOOST_TEST(person_from(log_in_with("ada@example.com", "long enough")).user != planted.user);
}

BOOST_FIXTURE_TEST_CASE(a_pending_signup_can_be_sent_again_or_disowned, required_verification_fixture)
{
    post_signup("ada@example.com");
    auto older = emailed_token("ada@example.com", verify_subject);
    BOOST_TEST(post("/email/verify/resend", R"({"email":"ada@example.com"})").status == 202u);
    auto newer = emailed_token("ada@example.com", verify_subject);
    BOOST_TEST(verify(older).code() == "invalid_token");
    auto body = support::object({{"token", newer}});
    BOOST_TEST(post("/email/verify/disown", body).status == 204u);
    BOOST_TEST(post("/email/verify/disown", body).code() == "invalid_token");
    BOOST_TEST(verify(newer).code() == "invalid_token");
    BOOST_TEST(post("/email/verify/resend", R"({"email":"ada@example.com"})").status == 202u);
    BOOST_TEST(no_more_emails("ada@example.com"));
    BOOST_TEST(db.sql("SELECT count(*) FROM users") == "0");
}

BOOST_FIXTURE_TEST_CASE(an_unverified_account_lapses_with_the_proof_of_a_signup,
                        required_verification_fixture)
{
    post_signup("ada@example.com", "chosen by another");
    verify(emailed_token("ada@example.com", verify_subject), "chosen by another");
    auto planted = person_from(log_in_with("ada@example.com", "chosen by another"));
    db.sql_with_invalidation("UPDATE users SET email_verified_at = NULL"); // of a time without verification
    post_signup("ada@example.com");
    auto body = support::object(
        {{"token", emailed_token("ada@example.com", verify_subject)}, {"password", "long enough"}});
    BOOST_TEST(post("/email/verify", body).status == 200u);
    BOOST_TEST(client.get(base + "/me", planted.token).status == 401u);
    BOOST_TEST(person_from(log_in_with("ada@example.com", "long enough")).user != planted.user);
}

BOOST_FIXTURE_TEST_CASE(an_unverified_account_can_only_request_the_verification_email,
                        required_verification_fixture)
{
    post_signup("ada@example.com");
    verify(emailed_token("ada@example.com", verify_subject));
    auto session = person_from(log_in_with("ada@example.com", "long enough"));
    auto key = post("/api-keys", R"({"name":"k"})", session.token).text("/secret");
    db.sql("UPDATE users SET email_verified_at = NULL"); // as if signed up while verification was optional
    auto token = person_from(log_in_with("ada@example.com", "long enough")).token;
    BOOST_TEST(token.empty());

    support::running_server again(
        db.conninfo(), with_folder(with_required({{"LATCHKEY_MASTER_KEY", server.master_key()},
                                                  {"LATCHKEY_PUBLIC_URL", "http://127.0.0.1:0"}})));
    support::http_client fresh(again.port());
    std::vector<std::string> links;
    for (auto& with : {session.token, key}) {
        for (std::string path : {"/auth", "/sessions", "/api-keys"}) {
            auto refused = fresh.get(base + path, with);
            BOOST_TEST(refused.status == 403u, path);
            BOOST_TEST(refused.code() == "email_not_verified", path);
        }
        BOOST_TEST(fresh.get(base + "/me", with).status == 200u);
        BOOST_TEST(fresh.post(base + "/email/verify/resend", "", with).status == 202u);
        // Two emails in flight have no order, and the second may cancel the first.
        links.push_back(emailed_token("ada@example.com", verify_subject));
    }
    BOOST_TEST(verify(links[0]).status == 400u); // replaced by the second
    BOOST_TEST(verify(links[1]).status == 200u);
    BOOST_TEST(fresh.post(base + "/logout", "", session.token).status == 204u);
}

BOOST_AUTO_TEST_SUITE_END()
