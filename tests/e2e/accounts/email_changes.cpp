// Changing the email address of an account.
#include "tests/e2e/support/mail_fixture.hpp"

using namespace e2e;

namespace {

constexpr std::string_view confirm_subject = "Confirm your new email address";
constexpr std::string_view about_to_change = "Your email address is about to change";

struct email_change_fixture : mail_fixture {
    email_change_fixture()
    {
        ada = sign_up(client, "ada@example.com");
        BOOST_REQUIRE(verify(emailed_token("ada@example.com", verify_subject)).status == 200u);
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

BOOST_FIXTURE_TEST_CASE(the_new_address_confirms_and_the_old_one_is_notified, email_change_fixture)
{
    auto requested = change("Ada@New.example");
    BOOST_TEST(requested.status == 202u);
    BOOST_TEST(requested.body.empty());
    BOOST_TEST(email() == "ada@example.com");
    auto notice = email_to("ada@example.com", about_to_change);
    BOOST_TEST(notice.text.find("Ada@New.example") != std::string::npos);
    auto message = email_to("Ada@New.example", confirm_subject);
    auto token = support::token_in(message);
    BOOST_TEST(support::link_in(message) == "http://127.0.0.1:0/email-change#token=" + token);

    auto done = confirm(token);
    BOOST_TEST(done.status == 200u);
    BOOST_TEST(done.text("/email") == "Ada@New.example");
    BOOST_TEST(email() == "Ada@New.example");
    email_to("ada@example.com", "Your email address was changed");
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 401u);
    BOOST_TEST(log_in_with("ada@new.example", "long enough").status == 200u);
    BOOST_TEST(confirm(token).code() == "invalid_token");
}

BOOST_FIXTURE_TEST_CASE(the_capitals_of_the_own_address_can_be_changed, email_change_fixture)
{
    BOOST_TEST(change("Ada@Example.com").status == 202u);
    BOOST_TEST(email() == "ada@example.com");
    email_to("ada@example.com", about_to_change);
    auto done = confirm(emailed_token("Ada@Example.com", confirm_subject));
    BOOST_TEST(done.status == 200u);
    BOOST_TEST(email() == "Ada@Example.com");
    BOOST_TEST(client.get(base + "/me", ada.token).text("/user/id") == ada.user);
    email_to("ada@example.com", "Your email address was changed");
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 200u);
    BOOST_TEST(no_more_emails("example.com", "You already have an account"));
}

BOOST_FIXTURE_TEST_CASE(a_change_needs_the_password, email_change_fixture)
{
    auto wrong = change("ada@new.example", "not hers at all");
    BOOST_TEST(wrong.status == 403u);
    BOOST_TEST(wrong.code() == "invalid_credentials");
    auto missing = post("/email/change", R"({"new_email":"ada@new.example"})", ada.token);
    BOOST_TEST(validation_errors(missing) == "body.password missing");
    BOOST_TEST(validation_errors(change("ada@example.com")) == "body.new_email value_error");
    BOOST_TEST(no_more_emails("ada@new.example"));
}

BOOST_FIXTURE_TEST_CASE(a_taken_address_is_disclosed_to_its_owner_only, email_change_fixture)
{
    sign_up(client, "eve@example.com");
    BOOST_REQUIRE(verify(emailed_token("eve@example.com", verify_subject)).status == 200u);
    auto free = change("unknown@example.com");
    auto taken = change("eve@example.com");
    BOOST_TEST(normalized(free) == normalized(taken));
    email_to("eve@example.com", "You already have an account");
    BOOST_TEST(no_more_emails("eve@example.com", confirm_subject));
}

BOOST_FIXTURE_TEST_CASE(an_address_taken_in_the_meantime_is_rejected, email_change_fixture)
{
    change("eve@example.com");
    auto token = emailed_token("eve@example.com", confirm_subject);
    sign_up(client, "eve@example.com");
    BOOST_REQUIRE(verify(emailed_token("eve@example.com", verify_subject)).status == 200u);
    auto refused = confirm(token);
    BOOST_TEST(refused.status == 409u);
    BOOST_TEST(refused.code() == "email_taken");
    BOOST_TEST(email() == "ada@example.com");
}

BOOST_FIXTURE_TEST_CASE(an_unverified_account_releases_the_address, email_change_fixture)
{
    auto squatter = sign_up(client, "ada@new.example");
    change("ada@new.example");
    BOOST_TEST(confirm(emailed_token("ada@new.example", confirm_subject)).status == 200u);
    BOOST_TEST(email() == "ada@new.example");
    BOOST_TEST(client.get(base + "/me", squatter.token).status == 401u);
}

// The owner of a mistyped address opens the link. What they do next returns the account to its old address.
BOOST_FIXTURE_TEST_CASE(the_reader_of_a_mistyped_address_cannot_end_the_account, email_change_fixture)
{
    auto key =
        client.post(base + "/api-keys", R"({"name":"k","owner":"workspace","role":"member"})", ada.token)
            .text("/secret");
    auto is_restored = [&] {
        BOOST_TEST(email() == "ada@example.com");
        BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 200u);
        BOOST_TEST(client.get(base + "/auth", key).status == 200u);
        BOOST_TEST(db.sql("SELECT is_proved(u) FROM users u WHERE id = '" + ada.user + "'") == "t");
    };
    // They disown it.
    change("eve@example.net");
    BOOST_TEST(confirm(emailed_token("eve@example.net", confirm_subject)).status == 200u);
    BOOST_TEST(email() == "eve@example.net");
    post("/email/verify/resend", R"({"email":"eve@example.net"})");
    auto disowned = support::object({{"token", emailed_token("eve@example.net", verify_subject)}});
    BOOST_TEST(post("/email/verify/disown", disowned).status == 204u);
    is_restored();
    // They request a password reset, and get an account of their own.
    change("eve@example.net");
    BOOST_TEST(confirm(emailed_token("eve@example.net", confirm_subject)).status == 200u);
    post("/password/forgot", R"({"email":"eve@example.net"})");
    auto reset = support::object(
        {{"token", emailed_token("eve@example.net", reset_subject)}, {"password", "chosen by herself"}});
    BOOST_TEST(post("/password/reset", reset).status == 204u);
    is_restored();
    auto eve = person_from(log_in_with("eve@example.net", "chosen by herself"));
    BOOST_TEST(eve.user != ada.user);
    BOOST_TEST(eve.workspace != ada.workspace);
}

BOOST_FIXTURE_TEST_CASE(a_change_confirmed_with_the_password_is_final, email_change_fixture)
{
    change("ada@example.net");
    auto token = emailed_token("ada@example.net", confirm_subject);
    auto confirmed =
        post("/email/change/confirm", support::object({{"token", token}, {"password", "long enough"}}));
    BOOST_TEST(confirmed.status == 200u);
    BOOST_TEST(db.sql("SELECT is_proved(u) AND proved_email IS NULL FROM users u WHERE id = '" + ada.user +
                      "'") == "t");
    post("/email/verify/resend", R"({"email":"ada@example.net"})");
    BOOST_TEST(no_more_emails("ada@example.net", verify_subject)); // nothing to disown
}

BOOST_FIXTURE_TEST_CASE(a_change_invalidates_links_sent_to_the_old_address, email_change_fixture)
{
    post("/password/forgot", R"({"email":"ada@example.com"})");
    auto to_reset = emailed_token("ada@example.com", reset_subject);
    change("ada@new.example");
    auto first = emailed_token("ada@new.example", confirm_subject);
    change("ada@newer.example");
    auto second = emailed_token("ada@newer.example", confirm_subject);
    BOOST_TEST(confirm(first).code() == "invalid_token");
    BOOST_TEST(confirm(second).status == 200u);
    auto reset = support::object({{"token", to_reset}, {"password", "chosen by another"}});
    BOOST_TEST(post("/password/reset", reset).code() == "invalid_token");
}

BOOST_AUTO_TEST_SUITE_END()
