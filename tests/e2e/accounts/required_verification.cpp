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
    BOOST_TEST(early.status == 403u);
    BOOST_TEST(early.code() == "email_not_verified");
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

BOOST_FIXTURE_TEST_CASE(the_latest_unverified_signup_replaces_earlier_ones, required_verification_fixture)
{
    post_signup("ada@example.com", "chosen by another");
    auto first = emailed_token("ada@example.com", verify_subject);
    post_signup("ada@example.com", "long enough");
    auto second = emailed_token("ada@example.com", verify_subject);
    BOOST_TEST(verify(first).status == 400u);
    BOOST_TEST(verify(second).status == 200u);
    BOOST_TEST(log_in_with("ada@example.com", "chosen by another").status == 401u);
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 200u);
    for (auto table : {"users", "workspaces", "memberships"}) // the first signup leaves no rows
        BOOST_TEST(db.sql("SELECT count(*) FROM " + std::string(table)) == "1", table);
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
