// Notification settings and one-click unsubscription.
#include "tests/e2e/support/mail_helpers.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/forge.hpp"

#include <string>

using namespace e2e;

namespace {

const std::string settings_path = base + "/me/notifications";

struct notifications_fixture : account_mail_fixture {
    notifications_fixture() { verify_address(db, "ada@example.com"); }

    support::response patch(std::string body) { return client.patch(settings_path, std::move(body), token); }
    support::response show() { return client.get(settings_path, token); }
    std::string setting(const std::string& kind) { return json_at(show(), "/" + kind + "/email"); }

    /// Path and query of the link in the header. The bodies have the same token in a fragment.
    static std::string unsubscription(const support::email& message)
    {
        auto header = message.headers.at("list-unsubscribe");
        BOOST_REQUIRE(header.starts_with("<http") && header.ends_with(">"));
        auto link = header.substr(1, header.size() - 2);
        auto query = link.find("/unsubscribe?");
        auto page = link;
        page.replace(page.find('?'), 1, "#");
        BOOST_TEST(message.text.find(page + "\n") != std::string::npos, message.text);
        BOOST_TEST(message.html.find("\"" + page + "\"") != std::string::npos, message.html);
        BOOST_TEST((message.text + message.html).find(link) == std::string::npos);
        return link.substr(query);
    }

    std::string unsubscription()
    {
        mint(R"({"name":"first"})");
        return unsubscription(email_to_owner("A new API key"));
    }

    /// The POST that email programs send (RFC 8058).
    support::response click(const std::string& path)
    {
        support::http::request<support::http::string_body> message(support::http::verb::post, path, 11);
        message.set(support::http::field::content_type, "application/x-www-form-urlencoded");
        message.body() = "List-Unsubscribe=One-Click";
        return client.send(std::move(message));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(notifications)

BOOST_FIXTURE_TEST_CASE(all_notifications_default_to_on, notifications_fixture)
{
    auto shown = show();
    BOOST_TEST(shown.status == 200u);
    BOOST_TEST(member_names(shown) ==
               "password_changed email_change_notice new_sign_in key_reported provider_linked key_minted "
               "approval_asked approval_given approval_refused");
    auto all = shown.json();
    for (auto& kind : all.as_object())
        BOOST_TEST(boost::json::serialize(kind.value()) == R"({"email":true})", kind.key());
}

BOOST_FIXTURE_TEST_CASE(a_patch_changes_only_the_named_switches, notifications_fixture)
{
    auto changed = patch(R"({"key_minted":{"email":false}})");
    BOOST_TEST(changed.status == 200u);
    BOOST_TEST(json_at(changed, "/key_minted/email") == "false");
    BOOST_TEST(json_at(changed, "/approval_given/email") == "true");
    BOOST_TEST(show().body == changed.body);

    for (auto nothing : {"{}", R"({"key_minted":{}})", R"({"password_changed":{"email":true}})"})
        BOOST_TEST(patch(nothing).body == changed.body, nothing);
    changed = patch(R"({"approval_given":{"email":false},"approval_asked":{"email":true}})");
    BOOST_TEST(json_at(changed, "/key_minted/email") == "false");
    BOOST_TEST(json_at(changed, "/approval_given/email") == "false");
    BOOST_TEST(json_at(changed, "/approval_asked/email") == "true");
    changed = patch(R"({"key_minted":{"email":true}})");
    BOOST_TEST(json_at(changed, "/key_minted/email") == "true");
    BOOST_TEST(json_at(changed, "/approval_given/email") == "false");
    BOOST_TEST(show().body == changed.body);
}

BOOST_FIXTURE_TEST_CASE(security_notifications_cannot_be_switched_off, notifications_fixture)
{
    for (std::string kind :
         {"password_changed", "email_change_notice", "new_sign_in", "key_reported", "provider_linked"}) {
        auto refused = patch(R"({"key_minted":{"email":false},")" + kind + R"(":{"email":false}})");
        BOOST_TEST(validation_errors(refused) == "body." + kind + ".email value_error");
    }
    BOOST_TEST(
        validation_errors(patch(R"({"new_sign_in":{"email":false},"key_reported":{"email":false}})")) ==
        "body.key_reported.email value_error, body.new_sign_in.email value_error");
    BOOST_TEST(setting("key_minted") == "true"); // a rejected patch changes nothing
    BOOST_TEST(setting("new_sign_in") == "true");
}

BOOST_FIXTURE_TEST_CASE(unknown_switches_are_rejected, notifications_fixture)
{
    BOOST_TEST(validation_errors(patch(R"({"verify":{"email":false},"key_minted":{"push":true}})")) ==
               "body.key_minted.push extra_forbidden, body.verify extra_forbidden");
    BOOST_TEST(validation_errors(patch(R"({"key_minted":{"email":"no"}})")) ==
               "body.key_minted.email bool_type");
    BOOST_TEST(validation_errors(patch(R"({"key_minted":false})")) == "body.key_minted dict_type");
    BOOST_TEST(patch(R"({"key_minted":null})").status == 422u);
    BOOST_TEST(patch(R"({"key_minted":{"email":null}})").status == 422u);
    BOOST_TEST(setting("key_minted") == "true");
}

BOOST_FIXTURE_TEST_CASE(notification_settings_are_per_user, team_fixture)
{
    client.patch(settings_path, R"({"key_minted":{"email":false}})", bob.token);
    BOOST_TEST(json_at(client.get(settings_path, bob.token), "/key_minted/email") == "false");
    BOOST_TEST(json_at(client.get(settings_path, token), "/key_minted/email") == "true");

    auto workspace_key = mint(R"({"name":"w","owner":"workspace"})");
    BOOST_TEST(client.get(settings_path, workspace_key).code() == "forbidden");
    BOOST_TEST(client.patch(settings_path, "{}", workspace_key).code() == "forbidden");
    auto read_key = mint(R"({"name":"r","scopes":["profile:read"]})");
    BOOST_TEST(client.get(settings_path, read_key).status == 200u);
    BOOST_TEST(client.patch(settings_path, "{}", read_key).code() == "forbidden_scope");
}

BOOST_FIXTURE_TEST_CASE(a_disabled_notification_is_not_sent, notifications_fixture)
{
    mint(R"({"name":"first"})");
    BOOST_TEST(emails_sent("key_minted") == 1u);
    patch(R"({"key_minted":{"email":false}})");
    mint(R"({"name":"second"})");
    BOOST_TEST(emails_sent("key_minted") == 1u);
    patch(R"({"key_minted":{"email":true}})");
    mint(R"({"name":"third"})");
    BOOST_TEST(emails_sent("key_minted") == 2u);
}

BOOST_FIXTURE_TEST_CASE(one_click_unsubscribes_from_one_kind, notifications_fixture)
{
    mint(R"({"name":"first <b>"})");
    auto message = email_to_owner("A new API key");
    BOOST_TEST(message.text.find("first <b>") != std::string::npos);
    BOOST_TEST(message.html.find("first <b>") == std::string::npos);
    BOOST_TEST(message.headers.at("list-unsubscribe-post") == "List-Unsubscribe=One-Click");
    auto path = unsubscription(message);
    auto clicked = click(path);
    BOOST_TEST(clicked.status == 204u);
    BOOST_TEST(clicked.body == "");
    BOOST_TEST(setting("key_minted") == "false");
    BOOST_TEST(setting("approval_given") == "true");
    mint(R"({"name":"second"})");
    BOOST_TEST(emails_sent("key_minted") == 1u);
    BOOST_TEST(click(path).status == 204u); // idempotent
}

BOOST_FIXTURE_TEST_CASE(opening_the_unsubscribe_link_changes_nothing, notifications_fixture)
{
    auto path = unsubscription();
    auto page = client.get(path);
    BOOST_TEST(page.status == 200u);
    BOOST_TEST(page.header("Content-Type") == "text/html; charset=utf-8");
    BOOST_TEST(page.header("Content-Security-Policy").find("default-src 'none'") != std::string::npos);
    BOOST_TEST(page.header("Referrer-Policy") == "no-referrer");
    BOOST_TEST(client.send(support::http::verb::head, path, "", "").status == 200u);
    BOOST_TEST(setting("key_minted") == "true");
    BOOST_TEST(client.post(path, "").status == 204u); // the request of the page's button
    BOOST_TEST(setting("key_minted") == "false");
}

BOOST_FIXTURE_TEST_CASE(a_forged_unsubscribe_link_is_rejected, notifications_fixture)
{
    auto path = unsubscription();
    for (auto at : {path.find('=') + 1, path.find('=') + 20, path.size() - 2}) {
        auto forged = support::forge(path, at);
        auto refused = click(forged);
        BOOST_TEST(refused.status == 400u, forged);
        BOOST_TEST(refused.code() == "invalid_token");
    }
    for (std::string other : {"x", "%2e", ".", "..", "a.b", refresh_token.c_str()})
        BOOST_TEST(click("/unsubscribe?token=" + other).code() == "invalid_token", other);
    BOOST_TEST(validation_errors(click("/unsubscribe")) == "query.token missing");
    BOOST_TEST(setting("key_minted") == "true");
}

BOOST_FIXTURE_TEST_CASE(transactional_emails_have_no_unsubscribe_link, notifications_fixture)
{
    auto message = email_to_owner("Confirm your email address");
    BOOST_TEST(!message.headers.contains("list-unsubscribe"));
    BOOST_TEST(message.text.find("Unsubscribe") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
