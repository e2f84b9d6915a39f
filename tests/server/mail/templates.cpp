// What letters say, of every kind.
#include "server/mail/templates.hpp"

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
using server::as_html;
using server::as_text;
using server::write_letter;

namespace {

const server::site here{"https://id.example.org/auth", "id.example.org"};
const std::string token = "abc_DEF-123";

/// Where a link of a kind leads; the others have none.
const std::map<kind, std::string> pages{{kind::verify, "verify"},
                                        {kind::reset, "reset"},
                                        {kind::email_change, "email-change"},
                                        {kind::invite, "invite"},
                                        {kind::invite_again, "invite"}};

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

bool has(const std::string& text, std::string_view piece)
{
    return text.find(piece) != std::string::npos;
}

std::size_t count(const std::string& text, std::string_view piece)
{
    std::size_t out = 0;
    for (auto found = text.find(piece); found != std::string::npos; found = text.find(piece, found + 1))
        ++out;
    return out;
}

/// All that any letter tells, with something in each place.
boost::json::object facts(const std::string& mark = "")
{
    return {{"lives", 86400},
            {"ip", "192.0.2.7" + mark},
            {"agent", "Firefox" + mark},
            {"at", "2026-11-24T19:40:12.123456Z"},
            {"name", "nightly" + mark},
            {"prefix", "a1b2c3d4" + mark},
            {"new_email", "new@example.org" + mark},
            {"person", "Grace Hopper" + mark},
            {"person_email", "grace@example.org" + mark},
            {"workspace", "Navy" + mark},
            {"keys", boost::json::array{boost::json::object{{"name", "first" + mark}, {"prefix", "k1k1k1k1"}},
                                        boost::json::object{{"name", "second"}, {"prefix", "k2k2k2k2"}}}},
            {"keys_in_all", 5}};
}

/// Text between two tags, as a browser would show it.
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

BOOST_AUTO_TEST_CASE(every_kind_has_a_subject_of_its_own_and_says_the_same_twice)
{
    std::set<std::string> subjects;
    each_kind([&](kind what) {
        auto letter = write_letter(what, facts(), here, token);
        auto text = as_text(letter, "Ada", ""), html = as_html(letter, "Ada", "");
        BOOST_TEST(subjects.insert(letter.subject).second, letter.subject);
        BOOST_TEST(letter.subject.size() > 10u);
        BOOST_TEST(letter.subject.size() < 90u);
        BOOST_TEST(!letter.paragraphs.empty());
        BOOST_TEST(text.starts_with("Hello Ada,\n\n"));
        BOOST_TEST(has(html, "<title>" + letter.subject + "</title>"));
        BOOST_TEST(has(html, "Hello Ada,"));
        for (auto* part : {&letter.paragraphs, &letter.list})
            for (auto& piece : *part) {
                BOOST_TEST(!piece.empty());
                BOOST_TEST(has(text, piece));
                BOOST_TEST(has(unescaped(html), piece));
            }
        BOOST_TEST(has(text, letter.ending));
        BOOST_TEST(has(unescaped(html), letter.ending));
        BOOST_TEST(has(text, "id.example.org"));
        BOOST_TEST(text.ends_with("\n"));
    });
}

BOOST_AUTO_TEST_CASE(a_link_is_the_same_in_both_and_its_token_is_nowhere_else)
{
    each_kind([](kind what) {
        auto letter = write_letter(what, facts(), here, token);
        auto text = as_text(letter, "Ada", ""), html = as_html(letter, "Ada", "");
        auto page = pages.find(what);
        if (page == pages.end()) {
            BOOST_TEST(letter.link == "");
            BOOST_TEST(!has(text, "http"));
            BOOST_TEST(!has(html, "href"));
            BOOST_TEST(!has(text + html + letter.subject, token));
            return;
        }
        auto link = "https://id.example.org/auth/" + page->second + "?token=" + token;
        BOOST_TEST(letter.link == link);
        BOOST_TEST(!letter.link_label.empty());
        BOOST_TEST(count(text, link + "\n") == 1u);
        BOOST_TEST(count(text, "http") == 1u);
        BOOST_TEST(count(html, "href=\"") == count(html, "href=\"" + link + "\""));
        BOOST_TEST(has(html, ">" + link + "<")); // for those whose reader shows no links
        BOOST_TEST(!has(letter.subject, token));
        BOOST_TEST(has(letter.ending, "once, within 24 hours"));
    });
}

BOOST_AUTO_TEST_CASE(what_strangers_wrote_is_no_markup)
{
    const std::string mark = R"(<b x="1">&amp;')";
    each_kind([&](kind what) {
        auto letter = write_letter(what, facts(mark), here, R"(a"><script>&b)");
        auto html = as_html(letter, mark, R"(https://id.example.org/?a=1&b="><script>)");
        BOOST_TEST(!has(html, "<b "));
        BOOST_TEST(!has(html, "<script"));
        BOOST_TEST(!has(html, "x=\"1\""));
        BOOST_TEST(has(html, "Hello &lt;b x=&quot;1&quot;&gt;&amp;amp;"));
        BOOST_TEST(has(as_text(letter, mark, ""), "Hello " + mark + ","));
        for (auto& paragraph : letter.paragraphs)
            BOOST_TEST(has(unescaped(html), paragraph));
    });
}

BOOST_AUTO_TEST_CASE(what_strangers_wrote_is_no_link)
{
    auto told = facts();
    told["person"] = told["workspace"] = told["name"] =
        "Prize at https://evil.example/win or a@evil.example, Inc. today";
    each_kind([&](kind what) {
        auto letter = write_letter(what, told, here, token);
        for (auto& text : {as_text(letter, "evil.example", ""), as_html(letter, "evil.example", "")}) {
            BOOST_TEST(!has(text, "evil.example"));
            BOOST_TEST(!has(text, "://evil"));
            BOOST_TEST(!has(text, "a@evil"));
        }
    });
    auto invited = as_text(write_letter(kind::invite, told, here, token), std::nullopt, "");
    BOOST_TEST(has(invited, "Inc. today")); // as it was written, but for what would make a link
    BOOST_TEST(has(invited, "(grace@example.org)"));
}

BOOST_AUTO_TEST_CASE(facts_that_are_missing_or_of_another_type_do_no_harm)
{
    boost::json::object odd;
    for (auto& fact : facts())
        odd[fact.key()] = nullptr;
    boost::json::object odder;
    for (auto& fact : facts())
        odder[fact.key()] = boost::json::array{7, boost::json::object{{"name", 7}, {"prefix", nullptr}}};
    for (auto& given : {boost::json::object(), odd, odder})
        each_kind([&](kind what) {
            auto letter = write_letter(what, given, here, token);
            auto text = as_text(letter, std::nullopt, ""), html = as_html(letter, std::nullopt, "");
            BOOST_TEST(text.starts_with("Hello,\n\n"));
            BOOST_TEST(has(html, "<p>Hello,</p>"));
            BOOST_TEST(letter.subject.size() > 10u);
            BOOST_TEST((letter.link != "") == pages.contains(what));
            for (auto piece : {"null", "“”", "()", "  ", " ,", "[", "{"}) {
                BOOST_TEST(!has(text, piece), piece);
                BOOST_TEST(!has(letter.subject, piece), piece);
            }
        });
}

BOOST_AUTO_TEST_CASE(it_tells_from_where_and_when)
{
    for (auto what : {kind::address_taken, kind::email_change_notice, kind::password_changed,
                      kind::new_sign_in, kind::key_minted, kind::key_reported}) {
        auto text = as_text(write_letter(what, facts(), here, token), "Ada", "");
        BOOST_TEST(has(text, "from 192.0.2.7 (Firefox) on 2026-11-24 at 19:40 UTC."), text);
    }
    boost::json::object nothing_known{{"ip", "192.0.2.7"}};
    auto text = as_text(write_letter(kind::new_sign_in, nothing_known, here, token), "Ada", "");
    BOOST_TEST(has(text, "from 192.0.2.7."), text);
}

BOOST_AUTO_TEST_CASE(how_long_a_link_lives_is_told_in_its_own_unit)
{
    auto ending = [](std::int64_t seconds) {
        return write_letter(kind::reset, {{"lives", seconds}}, here, token).ending;
    };
    BOOST_TEST(has(ending(45), "within 45 seconds."));
    BOOST_TEST(has(ending(60), "within 1 minute."));
    BOOST_TEST(has(ending(3600), "within 60 minutes."));
    BOOST_TEST(has(ending(7200), "within 2 hours."));
    BOOST_TEST(has(ending(86'400), "within 24 hours."));
    BOOST_TEST(has(ending(604'800), "within 7 days."));
    BOOST_TEST(!has(ending(0), "within"));
}

BOOST_AUTO_TEST_CASE(a_new_password_lists_the_keys_that_go_on_working)
{
    auto letter = write_letter(kind::password_changed, facts(), here, token);
    BOOST_REQUIRE(letter.list.size() == 3u);
    BOOST_TEST(letter.list[0] == "API key “first” (tnx_k1k1k1k1_…)");
    BOOST_TEST(letter.list[2] == "and 3 other keys");
    auto text = as_text(letter, "Ada", "");
    BOOST_TEST(has(text, "\n- API key “first” (tnx_k1k1k1k1_…)\n- API key “second”"));
    BOOST_TEST(has(as_html(letter, "Ada", ""), "<li>API key “first” (tnx_k1k1k1k1_…)</li>"));

    auto without =
        write_letter(kind::password_changed, {{"keys", boost::json::array()}, {"keys_in_all", 0}}, here, "");
    BOOST_TEST(without.list.empty());
    BOOST_TEST(!has(as_text(without, "Ada", ""), "API keys go on"));
}

BOOST_AUTO_TEST_CASE(a_change_of_address_is_told_before_and_after)
{
    auto given = facts();
    auto before = write_letter(kind::email_change_notice, given, here, "");
    given["done"] = true;
    auto after = write_letter(kind::email_change_notice, given, here, "");
    BOOST_TEST(before.subject != after.subject);
    for (auto& letter : {before, after})
        BOOST_TEST(has(letter.paragraphs.at(0), "new@example.org"));
}

BOOST_AUTO_TEST_CASE(a_letter_says_how_to_get_no_more_of_its_kind_if_that_can_be)
{
    const std::string link = "https://id.example.org/unsubscribe?token=a&b";
    auto letter = write_letter(kind::key_minted, facts(), here, "");
    BOOST_TEST(count(as_text(letter, "Ada", link), link) == 1u);
    BOOST_TEST(count(as_html(letter, "Ada", link),
                     "href=\"https://id.example.org/unsubscribe?token=a&amp;b\"") == 1u);
    BOOST_TEST(!has(as_text(letter, "Ada", ""), "No more"));
    BOOST_TEST(!has(as_html(letter, "Ada", ""), "No more"));
}

BOOST_AUTO_TEST_SUITE_END()
