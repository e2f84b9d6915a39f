// Which notices one gets, and how one gets no more of them.
#include "tests/e2e/support/mail_helpers.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <string>

using namespace flows;

namespace {

const std::string place = base + "/me/notifications";

struct reader : correspondent {
    support::response patch(std::string body) { return client.patch(place, std::move(body), token); }
    support::response show() { return client.get(place, token); }
    std::string switch_of(const std::string& kind) { return at(show(), "/" + kind + "/email"); }

    /// The path and query of the link that ends letters like this one.
    static std::string unsubscription(const support::letter& letter)
    {
        auto header = letter.headers.at("list-unsubscribe");
        BOOST_REQUIRE(header.starts_with("<http") && header.ends_with(">"));
        auto link = header.substr(1, header.size() - 2);
        BOOST_TEST(letter.text.find(link + "\n") != std::string::npos, letter.text);
        BOOST_TEST(letter.html.find("\"" + link + "\"") != std::string::npos, letter.html);
        return link.substr(link.find("/unsubscribe?"));
    }

    std::string unsubscription()
    {
        mint(R"({"name":"first"})");
        return unsubscription(wait_for("A new API key"));
    }

    /// As mail programs do it (RFC 8058).
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

BOOST_FIXTURE_TEST_CASE(all_are_on_to_begin_with, reader)
{
    auto shown = show();
    BOOST_TEST(shown.status == 200u);
    BOOST_TEST(members(shown) == "password_changed email_change_notice new_sign_in key_reported key_minted "
                                 "approval_asked approval_given approval_refused");
    auto all = shown.json();
    for (auto& kind : all.as_object())
        BOOST_TEST(boost::json::serialize(kind.value()) == R"({"email":true})", kind.key());
}

BOOST_FIXTURE_TEST_CASE(what_is_switched_stays_and_the_rest_stays_as_it_was, reader)
{
    auto changed = patch(R"({"key_minted":{"email":false}})");
    BOOST_TEST(changed.status == 200u);
    BOOST_TEST(at(changed, "/key_minted/email") == "false");
    BOOST_TEST(at(changed, "/approval_given/email") == "true");
    BOOST_TEST(show().body == changed.body);

    for (auto nothing : {"{}", R"({"key_minted":{}})", R"({"password_changed":{"email":true}})"})
        BOOST_TEST(patch(nothing).body == changed.body, nothing);
    changed = patch(R"({"approval_given":{"email":false},"approval_asked":{"email":true}})");
    BOOST_TEST(at(changed, "/key_minted/email") == "false");
    BOOST_TEST(at(changed, "/approval_given/email") == "false");
    BOOST_TEST(at(changed, "/approval_asked/email") == "true");
    changed = patch(R"({"key_minted":{"email":true}})");
    BOOST_TEST(at(changed, "/key_minted/email") == "true");
    BOOST_TEST(at(changed, "/approval_given/email") == "false");
    BOOST_TEST(show().body == changed.body);
}

BOOST_FIXTURE_TEST_CASE(security_notices_cannot_be_switched_off, reader)
{
    for (std::string kind : {"password_changed", "email_change_notice", "new_sign_in", "key_reported"}) {
        auto refused = patch(R"({"key_minted":{"email":false},")" + kind + R"(":{"email":false}})");
        BOOST_TEST(faults(refused) == "body." + kind + ".email value_error");
    }
    BOOST_TEST(faults(patch(R"({"new_sign_in":{"email":false},"key_reported":{"email":false}})")) ==
               "body.key_reported.email value_error, body.new_sign_in.email value_error");
    BOOST_TEST(switch_of("key_minted") == "true"); // nothing of a refused call is done
    BOOST_TEST(switch_of("new_sign_in") == "true");
}

BOOST_FIXTURE_TEST_CASE(only_what_there_is_can_be_switched, reader)
{
    BOOST_TEST(faults(patch(R"({"verify":{"email":false},"key_minted":{"push":true}})")) ==
               "body.key_minted.push extra_forbidden, body.verify extra_forbidden");
    BOOST_TEST(faults(patch(R"({"key_minted":{"email":"no"}})")) == "body.key_minted.email bool_type");
    BOOST_TEST(faults(patch(R"({"key_minted":false})")) == "body.key_minted dict_type");
    BOOST_TEST(patch(R"({"key_minted":null})").status == 422u);
    BOOST_TEST(patch(R"({"key_minted":{"email":null}})").status == 422u);
    BOOST_TEST(switch_of("key_minted") == "true");
}

BOOST_FIXTURE_TEST_CASE(they_are_ones_own, team)
{
    client.patch(place, R"({"key_minted":{"email":false}})", bob.token);
    BOOST_TEST(at(client.get(place, bob.token), "/key_minted/email") == "false");
    BOOST_TEST(at(client.get(place, token), "/key_minted/email") == "true");

    auto nobody = mint(R"({"name":"w","owner":"workspace"})");
    BOOST_TEST(client.get(place, nobody).code() == "forbidden");
    BOOST_TEST(client.patch(place, "{}", nobody).code() == "forbidden");
    auto looker = mint(R"({"name":"r","scopes":["profile:read"]})");
    BOOST_TEST(client.get(place, looker).status == 200u);
    BOOST_TEST(client.patch(place, "{}", looker).code() == "forbidden_scope");
}

BOOST_FIXTURE_TEST_CASE(a_switched_off_notice_is_not_sent, reader)
{
    mint(R"({"name":"first"})");
    BOOST_TEST(letters("key_minted") == 1u);
    patch(R"({"key_minted":{"email":false}})");
    mint(R"({"name":"second"})");
    BOOST_TEST(letters("key_minted") == 1u);
    patch(R"({"key_minted":{"email":true}})");
    mint(R"({"name":"third"})");
    BOOST_TEST(letters("key_minted") == 2u);
}

BOOST_FIXTURE_TEST_CASE(one_click_ends_a_kind_of_letter, reader)
{
    mint(R"({"name":"first <b>"})");
    auto letter = wait_for("A new API key");
    BOOST_TEST(letter.text.find("first <b>") != std::string::npos);
    BOOST_TEST(letter.html.find("first <b>") == std::string::npos);
    BOOST_TEST(letter.headers.at("list-unsubscribe-post") == "List-Unsubscribe=One-Click");
    auto path = unsubscription(letter);
    auto clicked = click(path);
    BOOST_TEST(clicked.status == 204u);
    BOOST_TEST(clicked.body == "");
    BOOST_TEST(switch_of("key_minted") == "false");
    BOOST_TEST(switch_of("approval_given") == "true");
    mint(R"({"name":"second"})");
    BOOST_TEST(letters("key_minted") == 1u);
    BOOST_TEST(click(path).status == 204u); // whoever clicks twice
}

BOOST_FIXTURE_TEST_CASE(the_page_asks_first_and_whoever_only_opens_the_link_does_nothing, reader)
{
    auto path = unsubscription();
    auto page = client.get(path);
    BOOST_TEST(page.status == 200u);
    BOOST_TEST(page.header("Content-Type") == "text/html; charset=utf-8");
    BOOST_TEST(page.header("Content-Security-Policy").find("default-src 'none'") != std::string::npos);
    BOOST_TEST(page.header("Referrer-Policy") == "no-referrer");
    BOOST_TEST(page.body.find(path.substr(path.find('=') + 1)) == std::string::npos);
    BOOST_TEST(client.send(support::http::verb::head, path, "", "").status == 200u);
    BOOST_TEST(switch_of("key_minted") == "true");
    BOOST_TEST(client.post(path, "").status == 204u); // what the page's button sends
    BOOST_TEST(switch_of("key_minted") == "false");
}

BOOST_FIXTURE_TEST_CASE(a_forged_link_ends_nothing, reader)
{
    auto path = unsubscription();
    for (auto at : {path.find('=') + 1, path.find('=') + 20, path.size() - 2}) {
        auto forged = path;
        forged[at] = forged[at] == 'A' ? 'B' : 'A';
        auto refused = click(forged);
        BOOST_TEST(refused.status == 400u, forged);
        BOOST_TEST(refused.code() == "invalid_token");
    }
    for (std::string other : {"x", "%2e", ".", "..", "a.b", refresh_token.c_str()})
        BOOST_TEST(click("/unsubscribe?token=" + other).code() == "invalid_token", other);
    BOOST_TEST(faults(click("/unsubscribe")) == "query.token missing");
    BOOST_TEST(switch_of("key_minted") == "true");
}

BOOST_FIXTURE_TEST_CASE(letters_that_one_needs_have_no_such_link, reader)
{
    auto letter = wait_for("Confirm your e-mail address");
    BOOST_TEST(!letter.headers.contains("list-unsubscribe"));
    BOOST_TEST(letter.text.find("No more") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
