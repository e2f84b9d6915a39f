// Moving an account to another mail address.
#include "tests/e2e/support/mail_fixture.hpp"

using namespace flows;

namespace {

constexpr std::string_view confirm_subject = "Confirm your new e-mail address";
constexpr std::string_view about_to_change = "Your e-mail address is about to change";

struct moving : correspondence {
    moving()
    {
        ada = sign_up(client, "ada@example.com");
        BOOST_REQUIRE(verify(token_to("ada@example.com", verify_subject)).status == 200u);
    }

    support::response change(const std::string& to, const std::string& password = "long enough")
    {
        return post("/email/change", support::object({{"new_email", to}, {"password", password}}), ada.token);
    }

    support::response confirm(const std::string& token)
    {
        return post("/email/change/confirm", support::object({{"token", token}}));
    }

    std::string email() { return client.get(base + "/me", ada.token).text("/user/email"); }

    person ada;
};

} // namespace

BOOST_AUTO_TEST_SUITE(email_changes)

BOOST_FIXTURE_TEST_CASE(the_new_address_confirms_and_the_old_one_is_told, moving)
{
    auto asked = change("Ada@New.example");
    BOOST_TEST(asked.status == 202u);
    BOOST_TEST(asked.body.empty());
    BOOST_TEST(email() == "ada@example.com");
    auto notice = letter_to("ada@example.com", about_to_change);
    BOOST_TEST(notice.text.find("Ada@New.example") != std::string::npos);
    auto mail = letter_to("Ada@New.example", confirm_subject);
    auto token = support::token_in(mail);
    BOOST_TEST(support::link_in(mail) == "http://127.0.0.1:0/email-change?token=" + token);

    auto done = confirm(token);
    BOOST_TEST(done.status == 200u);
    BOOST_TEST(done.text("/email") == "Ada@New.example");
    BOOST_TEST(email() == "Ada@New.example");
    letter_to("ada@example.com", "Your e-mail address was changed");
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 401u);
    BOOST_TEST(log_in_with("ada@new.example", "long enough").status == 200u);
    BOOST_TEST(confirm(token).code() == "invalid_token");
}

BOOST_FIXTURE_TEST_CASE(a_change_needs_the_password, moving)
{
    auto wrong = change("ada@new.example", "not hers at all");
    BOOST_TEST(wrong.status == 403u);
    BOOST_TEST(wrong.code() == "invalid_credentials");
    auto missing = post("/email/change", R"({"new_email":"ada@new.example"})", ada.token);
    BOOST_TEST(faults(missing) == "body.password missing");
    BOOST_TEST(faults(change("ADA@example.com")) == "body.new_email value_error");
    BOOST_TEST(is_silent("ada@new.example"));
}

BOOST_FIXTURE_TEST_CASE(a_taken_address_is_told_to_its_owner_alone, moving)
{
    sign_up(client, "eve@example.com");
    BOOST_REQUIRE(verify(token_to("eve@example.com", verify_subject)).status == 200u);
    auto free = change("nobody@example.com");
    auto taken = change("eve@example.com");
    BOOST_TEST(comparable(free) == comparable(taken));
    letter_to("eve@example.com", "You already have an account");
    BOOST_TEST(is_silent("eve@example.com", confirm_subject));
}

BOOST_FIXTURE_TEST_CASE(an_address_that_was_taken_meanwhile_is_refused, moving)
{
    change("eve@example.com");
    auto token = token_to("eve@example.com", confirm_subject);
    sign_up(client, "eve@example.com");
    BOOST_REQUIRE(verify(token_to("eve@example.com", verify_subject)).status == 200u);
    auto refused = confirm(token);
    BOOST_TEST(refused.status == 409u);
    BOOST_TEST(refused.code() == "email_taken");
    BOOST_TEST(email() == "ada@example.com");
}

BOOST_FIXTURE_TEST_CASE(an_account_that_never_verified_the_address_makes_room, moving)
{
    auto squatter = sign_up(client, "ada@new.example");
    change("ada@new.example");
    BOOST_TEST(confirm(token_to("ada@new.example", confirm_subject)).status == 200u);
    BOOST_TEST(email() == "ada@new.example");
    BOOST_TEST(client.get(base + "/me", squatter.token).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(the_links_of_the_old_address_are_void, moving)
{
    post("/password/forgot", R"({"email":"ada@example.com"})");
    auto to_reset = token_to("ada@example.com", reset_subject);
    change("ada@new.example");
    auto first = token_to("ada@new.example", confirm_subject);
    change("ada@newer.example");
    auto second = token_to("ada@newer.example", confirm_subject);
    BOOST_TEST(confirm(first).code() == "invalid_token");
    BOOST_TEST(confirm(second).status == 200u);
    auto reset = support::object({{"token", to_reset}, {"password", "of somebody else"}});
    BOOST_TEST(post("/password/reset", reset).code() == "invalid_token");
}

BOOST_AUTO_TEST_SUITE_END()
