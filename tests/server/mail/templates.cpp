// Email templates: content, escaping and links of every kind.
#include "server/mail/templates.hpp"

#include "tests/support/text.hpp"

#include <boost/algorithm/string/predicate.hpp>
#include <boost/describe/enum_to_string.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

using db::outbox::kind;
using server::render_email;
using server::to_html;
using server::to_plain_text;
using support::has;

namespace {

server::branding make_site(const handlers::brand& own = {})
{
    handlers::settings settings;
    settings.public_url = "https://id.example.org/auth";
    settings.brand = own;
    return server::to_branding(settings);
}

const server::branding site = make_site();
const std::string token = "abc_DEF-123";

/// Page that the link of a kind opens; the other kinds have no link.
const std::map<kind, std::string> pages{{kind::verify, "verify"},
                                        {kind::reset, "reset"},
                                        {kind::email_change, "email-change"},
                                        {kind::invite, "invite"},
                                        {kind::invite_reminder, "invite"}};

template <class Check>
void each_kind(Check check)
{
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<kind>>([&](auto each) {
        BOOST_TEST_CONTEXT(each.name)
        {
            check(each.value);
        }
    });
}

std::size_t count(const std::string& text, std::string_view piece)
{
    std::size_t out = 0;
    for (auto found = text.find(piece); found != std::string::npos; found = text.find(piece, found + 1))
        ++out;
    return out;
}

/// Every variable of every kind.
boost::json::object variables(const std::string& mark = "")
{
    return {{"ttl_seconds", 86400},
            {"ip", "192.0.2.7" + mark},
            {"agent", "Firefox" + mark},
            {"at", "2026-11-24T19:40:12.123456Z"},
            {"made_at", "2026-11-20T08:15:00.000000Z"},
            {"made_with", "Chrome" + mark},
            {"name", "nightly" + mark},
            {"prefix", "a1b2c3d4" + mark},
            {"new_email", "new@example.org" + mark},
            {"provider", "login.example.org" + mark},
            {"person", "Grace Hopper" + mark},
            {"person_email", "grace@example.org" + mark},
            {"workspace", "Navy" + mark},
            {"keys", boost::json::array{boost::json::object{{"name", "first" + mark}, {"prefix", "k1k1k1k1"}},
                                        boost::json::object{{"name", "second"}, {"prefix", "k2k2k2k2"}}}},
            {"key_count", 5}};
}

/// HTML text as a browser shows it.
std::string unescaped(std::string text)
{
    for (auto& [from, to] : {std::pair<std::string, std::string>{"&lt;", "<"},
                             {"&gt;", ">"},
                             {"&quot;", "\""},
                             {"&#39;", "'"},
                             {"&amp;", "&"}})
        for (auto found = text.find(from); found != std::string::npos; found = text.find(from, found + 1))
            text.replace(found, from.size(), to);
    return text;
}

} // namespace

BOOST_AUTO_TEST_SUITE(templates)

BOOST_AUTO_TEST_CASE(every_kind_has_a_unique_subject_and_equal_content_in_text_and_html)
{
    std::set<std::string> subjects;
    each_kind([&](kind what) {
        auto email = render_email(what, variables(), site, token);
        auto text = to_plain_text(email, "Ada", ""), html = to_html(email, site, "Ada", "");
        BOOST_TEST(subjects.insert(email.subject).second, email.subject);
        BOOST_TEST(email.subject.size() > 10u);
        BOOST_TEST(email.subject.size() < 90u);
        BOOST_TEST(!email.paragraphs.empty());
        BOOST_TEST(text.starts_with("Hello Ada,\n\n"));
        BOOST_TEST(has(html, "<title>" + email.subject + "</title>"));
        BOOST_TEST(has(html, "Hello Ada,"));
        for (auto* part : {&email.paragraphs, &email.list})
            for (auto& piece : *part) {
                BOOST_TEST(!piece.empty());
                BOOST_TEST(has(text, piece));
                BOOST_TEST(has(unescaped(html), piece));
            }
        BOOST_TEST(has(text, email.footer));
        BOOST_TEST(has(unescaped(html), email.footer));
        BOOST_TEST(has(text, "id.example.org"));
        BOOST_TEST(text.ends_with("\n"));
    });
}

BOOST_AUTO_TEST_CASE(text_and_html_have_the_same_link_and_the_token_appears_in_links_only)
{
    each_kind([](kind what) {
        auto email = render_email(what, variables(), site, token);
        auto text = to_plain_text(email, "Ada", ""), html = to_html(email, site, "Ada", "");
        auto page = pages.find(what);
        if (page == pages.end()) {
            BOOST_TEST(email.link == "");
            BOOST_TEST(!has(text, "http"));
            BOOST_TEST(!has(html, "href"));
            BOOST_TEST(!has(text + html + email.subject, token));
            return;
        }
        auto link = "https://id.example.org/auth/" + page->second + "#token=" + token;
        BOOST_TEST(email.link == link);
        BOOST_TEST(!email.link_label.empty());
        BOOST_TEST(count(text, link + "\n") == 1u);
        BOOST_TEST(count(text, "http") == 1u);
        BOOST_TEST(count(html, "href=\"") == count(html, "href=\"" + link + "\""));
        BOOST_TEST(has(html, ">" + link + "<")); // for mail clients that show no links
        BOOST_TEST(!has(email.subject, token));
        BOOST_TEST(has(email.footer, "once, within 24 hours"));
    });
}

BOOST_AUTO_TEST_CASE(user_content_is_escaped_in_html)
{
    const std::string mark = R"(<b x="1">&amp;')";
    each_kind([&](kind what) {
        auto email = render_email(what, variables(mark), site, R"(a"><script>&b)");
        auto html = to_html(email, site, mark, R"(https://id.example.org/?a=1&b="><script>)");
        BOOST_TEST(!has(html, "<b "));
        BOOST_TEST(!has(html, "<script"));
        BOOST_TEST(!has(html, "x=\"1\""));
        BOOST_TEST(has(html, "Hello &lt;b x=&quot;1&quot;&gt;&amp;amp;"));
        BOOST_TEST(has(to_plain_text(email, mark, ""), "Hello " + mark + ","));
        for (auto& paragraph : email.paragraphs)
            BOOST_TEST(has(unescaped(html), paragraph));
    });
}

BOOST_AUTO_TEST_CASE(user_content_is_never_a_link)
{
    auto given = variables();
    given["person"] = given["workspace"] = given["name"] =
        "Prize at https://evil.example/win or a@evil.example, Inc. today";
    each_kind([&](kind what) {
        auto email = render_email(what, given, site, token);
        for (auto& text :
             {to_plain_text(email, "evil.example", ""), to_html(email, site, "evil.example", "")}) {
            BOOST_TEST(!has(text, "evil.example"));
            BOOST_TEST(!has(text, "://evil"));
            BOOST_TEST(!has(text, "a@evil"));
        }
    });
    auto invited = to_plain_text(render_email(kind::invite, given, site, token), std::nullopt, "");
    BOOST_TEST(has(invited, "Inc. today")); // unchanged but for what would make a link
    BOOST_TEST(has(invited, "(grace@example.org)"));
}

BOOST_AUTO_TEST_CASE(missing_or_mistyped_variables_are_harmless)
{
    boost::json::object odd;
    for (auto& variable : variables())
        odd[variable.key()] = nullptr;
    boost::json::object odder;
    for (auto& variable : variables())
        odder[variable.key()] = boost::json::array{7, boost::json::object{{"name", 7}, {"prefix", nullptr}}};
    for (auto& given : {boost::json::object(), odd, odder})
        each_kind([&](kind what) {
            auto email = render_email(what, given, site, token);
            auto text = to_plain_text(email, std::nullopt, ""), html = to_html(email, site, std::nullopt, "");
            BOOST_TEST(text.starts_with("Hello,\n\n"));
            BOOST_TEST(has(html, "<p>Hello,</p>"));
            BOOST_TEST(email.subject.size() > 10u);
            BOOST_TEST((email.link != "") == pages.contains(what));
            for (auto piece : {"null", "“”", "()", "  ", " ,", "[", "{"}) {
                BOOST_TEST(!has(text, piece), piece);
                BOOST_TEST(!has(email.subject, piece), piece);
            }
        });
}

BOOST_AUTO_TEST_CASE(security_notices_name_the_origin_of_the_request)
{
    for (auto what : {kind::address_taken, kind::email_change_notice, kind::password_changed,
                      kind::new_sign_in, kind::key_minted, kind::key_reported, kind::provider_linked}) {
        auto text = to_plain_text(render_email(what, variables(), site, token), "Ada", "");
        BOOST_TEST(has(text, "from 192.0.2.7 (Firefox) on 2026-11-24 at 19:40 UTC."), text);
    }
    boost::json::object address_only{{"ip", "192.0.2.7"}};
    auto text = to_plain_text(render_email(kind::new_sign_in, address_only, site, token), "Ada", "");
    BOOST_TEST(has(text, "from 192.0.2.7."), text);
}

BOOST_AUTO_TEST_CASE(the_lifetime_of_a_link_has_a_fitting_unit)
{
    auto footer = [](std::int64_t seconds) {
        return render_email(kind::reset, {{"ttl_seconds", seconds}}, site, token).footer;
    };
    BOOST_TEST(has(footer(45), "within 45 seconds."));
    BOOST_TEST(has(footer(60), "within 1 minute."));
    BOOST_TEST(has(footer(3600), "within 60 minutes."));
    BOOST_TEST(has(footer(7200), "within 2 hours."));
    BOOST_TEST(has(footer(86'400), "within 24 hours."));
    BOOST_TEST(has(footer(604'800), "within 7 days."));
    BOOST_TEST(!has(footer(0), "within"));
}

BOOST_AUTO_TEST_CASE(a_password_change_lists_the_keys_that_still_work)
{
    auto email = render_email(kind::password_changed, variables(), site, token);
    BOOST_REQUIRE(email.list.size() == 3u);
    BOOST_TEST(email.list[0] == "API key “first” (tnx_k1k1k1k1_…)");
    BOOST_TEST(email.list[2] == "and 3 other keys");
    auto text = to_plain_text(email, "Ada", "");
    BOOST_TEST(has(text, "\n- API key “first” (tnx_k1k1k1k1_…)\n- API key “second”"));
    BOOST_TEST(has(to_html(email, site, "Ada", ""), "<li>API key “first” (tnx_k1k1k1k1_…)</li>"));

    auto without =
        render_email(kind::password_changed, {{"keys", boost::json::array()}, {"key_count", 0}}, site, "");
    BOOST_TEST(without.list.empty());
    BOOST_TEST(!has(to_plain_text(without, "Ada", ""), "API keys still work"));
}

BOOST_AUTO_TEST_CASE(an_address_change_is_announced_before_and_after)
{
    auto given = variables();
    auto before = render_email(kind::email_change_notice, given, site, "");
    given["done"] = true;
    auto after = render_email(kind::email_change_notice, given, site, "");
    BOOST_TEST(before.subject != after.subject);
    for (auto& email : {before, after})
        BOOST_TEST(has(email.paragraphs.at(0), "new@example.org"));
}

BOOST_AUTO_TEST_CASE(an_optional_kind_has_an_unsubscribe_link)
{
    const std::string link = "https://id.example.org/unsubscribe#token=a&b";
    auto email = render_email(kind::key_minted, variables(), site, "");
    BOOST_TEST(count(to_plain_text(email, "Ada", link), link) == 1u);
    BOOST_TEST(count(to_html(email, site, "Ada", link),
                     "href=\"https://id.example.org/unsubscribe#token=a&amp;b\"") == 1u);
    BOOST_TEST(!has(to_plain_text(email, "Ada", ""), "Unsubscribe"));
    BOOST_TEST(!has(to_html(email, site, "Ada", ""), "Unsubscribe"));
}

BOOST_AUTO_TEST_CASE(the_brand_is_shown)
{
    auto branded = make_site({"Acme <&> Sons", "#ff8800", "", false});
    auto email = render_email(kind::reset, variables(), branded, token);
    BOOST_TEST(has(to_plain_text(email, "Ada", ""), "your account at Acme <&> Sons (id.example.org)."));
    auto html = to_html(email, branded, "Ada", "");
    BOOST_TEST(has(html, ">Acme &lt;&amp;&gt; Sons</p>"));
    BOOST_TEST(has(html, "background:#ff8800;color:#000000;"));

    email = render_email(kind::reset, variables(), site, token);
    BOOST_TEST(has(to_plain_text(email, "Ada", ""), "your account at id.example.org."));
    html = to_html(email, site, "Ada", "");
    BOOST_TEST(!has(html, "Latchkey"));
    BOOST_TEST(has(html, "background:#3346c8;color:#ffffff;"));
}

BOOST_AUTO_TEST_SUITE_END()
