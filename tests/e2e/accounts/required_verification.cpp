// Where an address has to be verified before its account may do anything, and nobody learns who has one.
#include "tests/e2e/support/mail_fixture.hpp"

using namespace flows;

namespace {

struct strict : correspondence {
    explicit strict(support::environment more = {}) : correspondence(with_required(std::move(more))) {}

    static support::environment with_required(support::environment more)
    {
        more.emplace_back("LATCHKEY_EMAIL_VERIFICATION", "required");
        return more;
    }

    support::response sign_up_as(const std::string& email, const std::string& password = "long enough")
    {
        return post("/signup", credentials(email, password));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(required_verification)

BOOST_FIXTURE_TEST_CASE(who_signs_up_follows_the_link_and_then_signs_in, strict)
{
    auto made = sign_up_as("ada@example.com");
    BOOST_TEST(made.status == 202u);
    BOOST_TEST(made.body.empty());
    auto early = log_in_with("ada@example.com", "long enough");
    BOOST_TEST(early.status == 403u);
    BOOST_TEST(early.code() == "email_not_verified");
    BOOST_TEST(log_in_with("ada@example.com", "not her own").status == 401u);
    BOOST_TEST(verify(token_to("ada@example.com", verify_subject)).status == 200u);
    auto opened = log_in_with("ada@example.com", "long enough");
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(at(opened, "/workspace/name") == "\"ada's workspace\"");
}

BOOST_FIXTURE_TEST_CASE(the_answer_to_a_known_address_is_the_same_and_its_owner_is_told, strict)
{
    sign_up_as("ada@example.com");
    verify(token_to("ada@example.com", verify_subject));
    auto known = sign_up_as("ada@example.com", "of somebody else");
    auto unknown = sign_up_as("bob@example.com", "of somebody else");
    BOOST_TEST(known.status == 202u);
    BOOST_TEST(comparable(known) == comparable(unknown));
    letter_to("ada@example.com", "You already have an account");
    BOOST_TEST(log_in_with("ada@example.com", "of somebody else").status == 401u);
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(the_newest_of_those_who_sign_up_unverified_counts, strict)
{
    sign_up_as("ada@example.com", "of somebody else");
    auto first = token_to("ada@example.com", verify_subject);
    sign_up_as("ada@example.com", "long enough");
    auto second = token_to("ada@example.com", verify_subject);
    BOOST_TEST(verify(first).status == 400u);
    BOOST_TEST(verify(second).status == 200u);
    BOOST_TEST(log_in_with("ada@example.com", "of somebody else").status == 401u);
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 200u);
    for (auto table : {"users", "workspaces", "memberships"}) // nothing of the first is left over
        BOOST_TEST(db.sql("SELECT count(*) FROM " + std::string(table)) == "1", table);
}

BOOST_FIXTURE_TEST_CASE(credentials_of_an_unverified_account_may_ask_for_the_mail_and_no_more, strict)
{
    sign_up_as("ada@example.com");
    verify(token_to("ada@example.com", verify_subject));
    auto session = person_of(log_in_with("ada@example.com", "long enough"));
    auto key = post("/api-keys", R"({"name":"k"})", session.token).text("/secret");
    db.sql("UPDATE users SET email_verified_at = NULL"); // as of a time when it was optional
    auto token = person_of(log_in_with("ada@example.com", "long enough")).token;
    BOOST_TEST(token.empty());

    support::running_server again(
        db.conninfo(), with_folder(with_required({{"LATCHKEY_MASTER_KEY", server.master_key()},
                                                  {"LATCHKEY_PUBLIC_URL", "http://127.0.0.1:0"}})));
    support::http_client fresh(again.port());
    for (auto& with : {session.token, key}) {
        for (std::string path : {"/auth", "/sessions", "/api-keys"}) {
            auto refused = fresh.get(base + path, with);
            BOOST_TEST(refused.status == 403u, path);
            BOOST_TEST(refused.code() == "email_not_verified", path);
        }
        BOOST_TEST(fresh.get(base + "/me", with).status == 200u);
        BOOST_TEST(fresh.post(base + "/email/verify/resend", "", with).status == 202u);
    }
    BOOST_TEST(verify(token_to("ada@example.com", verify_subject)).status ==
               400u); // the second has replaced it
    BOOST_TEST(verify(token_to("ada@example.com", verify_subject)).status == 200u);
    BOOST_TEST(fresh.post(base + "/logout", "", session.token).status == 204u);
}

BOOST_AUTO_TEST_SUITE_END()
