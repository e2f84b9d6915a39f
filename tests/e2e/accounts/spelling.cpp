// Spellings of one address, one password and one name; time zones and language tags.
#include "crypto/password.hpp"
#include "tests/e2e/support/mail_fixture.hpp"

using namespace e2e;

namespace {

const std::string u_label = "ada@b\u00fccher.example", decomposed = "ADA@bu\u0308cher.example",
                  a_label = "ada@xn--bcher-kva.example";

struct spelling_fixture : mail_fixture {
    spelling_fixture()
    {
        ada = sign_up(client, u_label);
        BOOST_REQUIRE(verify(emailed_token(u_label, verify_subject)).status == 200u);
    }

    support::response patch(std::string_view path, const std::string& body)
    {
        return client.patch(base + std::string(path), body, ada.token);
    }

    person ada;
};

std::string hash_of(const std::string& password)
{
    crypto::hash_arena arena;
    return crypto::hash_password(arena, password, {.memory_kib = 64, .iterations = 1, .lanes = 1});
}

} // namespace

BOOST_AUTO_TEST_SUITE(spelling)

BOOST_FIXTURE_TEST_CASE(one_mailbox_has_one_account, spelling_fixture)
{
    for (const auto& spelling : {u_label, decomposed, a_label}) {
        BOOST_TEST(post("/signup", credentials(spelling)).code() == "email_taken");
        auto opened = post("/login", credentials(spelling));
        BOOST_TEST(opened.status == 200u);
        BOOST_TEST(opened.text("/user/id") == ada.user);
        BOOST_TEST(opened.text("/user/email") == u_label);
        auto invite = R"({"invites":[{"email":")" + spelling + R"(","role":"member"}]})";
        auto invited = post("/team/invites", invite, ada.token);
        BOOST_TEST(invited.text("/items/0/result") == "already_member", invited.body);
    }
    post("/password/forgot", support::object({{"email", a_label}}));
    email_to(u_label, reset_subject);
    BOOST_TEST(validation_errors(post("/login", credentials("ada@xn--a.example"))) ==
               "body.email value_error");
}

BOOST_FIXTURE_TEST_CASE(an_address_can_be_shown_in_another_spelling, spelling_fixture)
{
    auto change = [&](const std::string& to) {
        return post("/email/change", support::object({{"new_email", to}, {"password", "long enough"}}),
                    ada.token);
    };
    BOOST_TEST(validation_errors(change(u_label)) == "body.new_email value_error");
    BOOST_TEST(change(a_label).status == 202u);
    auto confirmed =
        post("/email/change/confirm",
             support::object({{"token", emailed_token(a_label, "Confirm your new email address")}}));
    BOOST_TEST(confirmed.status == 200u);
    BOOST_TEST(confirmed.text("/email") == a_label);
    auto opened = post("/login", credentials(u_label));
    BOOST_TEST(opened.text("/user/id") == ada.user);
    BOOST_TEST(opened.text("/user/email") == a_label);
}

BOOST_FIXTURE_TEST_CASE(a_join_domain_is_compared_with_addresses_in_any_spelling, spelling_fixture)
{
    auto set = patch("/workspace", R"({"join_domain":"B\u00dcCHER.example","join_policy":"open"})");
    BOOST_TEST(set.status == 200u);
    BOOST_TEST(set.text("/join_domain") == "xn--bcher-kva.example");
    BOOST_TEST(json_at(set, "/join_domain_verified") == "true");
    auto eve = post("/signup", credentials("eve@bu\u0308cher.example"));
    BOOST_TEST(json_at(eve, "/workspace") == "null"); // asks to join
    BOOST_TEST(validation_errors(patch("/workspace", R"({"join_domain":"xn--a.example"})")) ==
               "body.join_domain value_error");
}

BOOST_FIXTURE_TEST_CASE(an_invite_reaches_the_account_of_another_spelling, spelling_fixture)
{
    auto eve = sign_up(client, "eve@b\u00fccher.example");
    BOOST_REQUIRE(verify(emailed_token("eve@b\u00fccher.example", verify_subject)).status == 200u);
    auto invited = post("/team/invites",
                        R"({"invites":[{"email":"Eve@xn--bcher-kva.example","role":"member"}]})", ada.token);
    BOOST_TEST(invited.text("/items/0/result") == "created", invited.body);
    auto token = emailed_token("Eve@xn--bcher-kva.example", "");
    auto accepted = post("/invites/accept", support::object({{"token", token}}), eve.token);
    BOOST_TEST(accepted.status == 200u, accepted.body);
    BOOST_TEST(accepted.text("/user/id") == eve.user);
}

BOOST_FIXTURE_TEST_CASE(an_operator_finds_an_account_by_any_spelling, spelling_fixture)
{
    auto run = [&](const std::string& command, const std::string& email) {
        support::environment settings{{"LATCHKEY_DATABASE_URL", db.conninfo()},
                                      {"LATCHKEY_MASTER_KEY", server.master_key()}};
        support::child_process program({support::program_path(), "users", command, email}, settings, 1);
        BOOST_REQUIRE(program.wait());
        return program.output();
    };
    BOOST_TEST(run("disable", decomposed) == "disabled " + ada.user + "\n");
    BOOST_TEST(run("restore", a_label) == "restored " + ada.user + "\n");
    db.sql("UPDATE users SET disabled_at = now(), email_normalized = 'released/' || id");
    BOOST_TEST(run("restore", decomposed) == "restored " + ada.user + "\n");
    BOOST_TEST(post("/login", credentials(a_label)).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_password_is_the_same_from_every_keyboard, mail_fixture)
{
    const std::string nfc = "Stra\u00dfe-\u00e9l\u00e8ve 42", nfd = "Stra\u00dfe-e\u0301le\u0300ve\u00a042";
    auto made = post("/signup", credentials("ada@example.com", nfd));
    BOOST_REQUIRE(made.status == 201u);
    auto token = made.text("/access_token");
    BOOST_TEST(post("/login", credentials("ada@example.com", nfc)).status == 200u);
    BOOST_TEST(post("/login", credentials("ada@example.com", nfd)).status == 200u);
    BOOST_TEST(post("/login", credentials("ada@example.com", "Strasse-eleve 42")).status == 401u);
    BOOST_TEST(post("/login", credentials("eve@example.com", nfd)).status == 401u);

    const std::string other_nfc = "\u00fcber den \u00c4rmelkanal",
                      other_nfd = "u\u0308ber den A\u0308rmelkanal";
    auto changed = post("/password/change",
                        support::object({{"current_password", nfc}, {"new_password", other_nfd}}), token);
    BOOST_TEST(changed.status == 204u);
    post("/password/forgot", support::object({{"email", "ada@example.com"}}));
    auto reset =
        support::object({{"token", emailed_token("ada@example.com", reset_subject)}, {"password", nfd}});
    BOOST_TEST(post("/password/reset", reset).status == 204u);
    auto opened = post("/login", credentials("ada@example.com", nfc));
    BOOST_TEST(opened.status == 200u);
    auto removed = client.send(boost::beast::http::verb::delete_, base + "/me",
                               support::object({{"password", nfd}}), opened.text("/access_token"));
    BOOST_TEST(removed.status == 204u, removed.body);
}

BOOST_FIXTURE_TEST_CASE(a_hash_of_an_unnormalized_password_is_renewed, account_fixture)
{
    const std::string nfc = "\u00e9l\u00e8ve of the school", nfd = "e\u0301le\u0300ve of the school";
    auto log_in_with = [&](const std::string& password) {
        return client.post(base + "/login", credentials("ada@example.com", password)).status;
    };
    auto hash = [&] { return db.sql("SELECT password_hash FROM users"); };
    auto old = hash_of(nfd);
    db.sql("UPDATE users SET password_hash = '" + old + "'");
    BOOST_TEST(log_in_with(nfc) == 401u);
    BOOST_TEST(hash() == old);
    BOOST_TEST(log_in_with(nfd) == 200u);
    auto renewed = hash();
    BOOST_TEST(renewed != old);
    BOOST_TEST(log_in_with(nfc) == 200u);
    BOOST_TEST(log_in_with(nfd) == 200u);
    BOOST_TEST(hash() == renewed);

    // A reauthentication renews it as well. Control characters remain usable in old passwords.
    db.sql("UPDATE users SET password_hash = '" + old + "'");
    auto refused =
        client.post(base + "/password/change",
                    support::object({{"current_password", nfd}, {"new_password", "12345678"}}), token);
    BOOST_TEST(refused.code() == "weak_password");
    BOOST_TEST(log_in_with(nfc) == 200u);
    db.sql("UPDATE users SET password_hash = '" + hash_of("tab\tbed e\u0301") + "'");
    BOOST_TEST(log_in_with("tab\tbed e\u0301") == 200u);
    BOOST_TEST(validation_errors(
                   client.post(base + "/signup", credentials("eve@example.com", "tab\tbed e\u0301"))) ==
               "body.password value_error");
}

BOOST_FIXTURE_TEST_CASE(names_are_trimmed_and_visible, account_fixture)
{
    auto set = [&](const std::string& body) { return client.patch(base + "/me", body, token); };
    BOOST_TEST(set(R"({"name":"  Jose\u0301 \u3000 Ada "})").text("/user/name") == "Jos\u00e9 Ada");
    for (const char* name :
         {"\\u200b", "\\u2066\\u2069", "\\u2800", "Ada\\u202e", "a\\u0000", "a\\u0378", " "}) {
        auto body = R"({"name":")" + std::string(name) + R"("})";
        BOOST_TEST(validation_errors(set(body)) == "body.name value_error", name);
        BOOST_TEST(validation_errors(client.post(base + "/workspaces", body, token)) ==
                   "body.name value_error");
        BOOST_TEST(validation_errors(client.post(base + "/api-keys", body, token)) ==
                   "body.name value_error");
    }
    auto made = client.post(base + "/workspaces", R"({"name":" B\u00fccher  & Co "})", token);
    BOOST_TEST(made.text("/name") == "B\u00fccher & Co");
}

BOOST_FIXTURE_TEST_CASE(zones_and_languages_exist, account_fixture)
{
    auto set = [&](const std::string& body) { return client.patch(base + "/me", body, token); };
    auto good = set(R"({"timezone":"Asia/Calcutta","locale":"zh-Hant-TW"})");
    BOOST_TEST(good.text("/user/timezone") == "Asia/Calcutta");
    BOOST_TEST(good.text("/user/locale") == "zh-Hant-TW");
    BOOST_TEST(validation_errors(set(R"({"timezone":"Mars/Olympus_Mons","locale":"pt-br"})")) ==
               "body.locale value_error, body.timezone value_error");
}

BOOST_AUTO_TEST_SUITE_END()
