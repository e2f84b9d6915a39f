// The texts of the pages: complete in each language, with the same placeholders, and chosen for the reader.
#include "handlers/pages/texts/messages.hpp"

#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <set>
#include <string>
#include <string_view>

using namespace handlers;
using pages::message;

namespace {

constexpr std::size_t count = sizeof(pages::messages) / sizeof(message);

/// The texts in the order of the members: there is nothing else in the struct.
std::array<std::string_view, count> texts_of(const pages::messages& all)
{
    struct plain {
        std::string_view text;
    };
    static_assert(sizeof(plain) == sizeof(message) && sizeof(pages::messages) % sizeof(message) == 0);
    auto copies = std::bit_cast<std::array<plain, count>>(all);
    std::array<std::string_view, count> out;
    std::ranges::transform(copies, out.begin(), &plain::text);
    return out;
}

std::set<char> placeholders_of(std::string_view text)
{
    std::set<char> out;
    for (auto open = text.find('{'); open != text.npos; open = text.find('{', open + 1))
        out.insert(text.at(open + 1));
    return out;
}

struct reader_fixture : test::handler_fixture {
    std::string_view chosen(std::string_view accept_language, std::string_view locale = {})
    {
        message.set(http::field::accept_language, accept_language);
        return pages::choose_language(locale, req).tag;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(messages)

BOOST_AUTO_TEST_CASE(each_language_has_each_text_with_its_placeholders)
{
    BOOST_TEST(pages::languages().size() >= 2u);
    auto reference = texts_of(pages::english);
    for (auto& one : pages::languages()) {
        auto texts = texts_of(*one.texts);
        for (std::size_t i = 0; i < count; ++i) {
            BOOST_TEST(!texts.at(i).empty(), one.tag << ": " << reference.at(i));
            BOOST_TEST((placeholders_of(texts.at(i)) == placeholders_of(reference.at(i))),
                       one.tag << ": " << texts.at(i));
        }
    }
}

BOOST_AUTO_TEST_CASE(a_translation_is_no_copy)
{
    auto reference = texts_of(pages::english);
    for (auto& one : pages::languages().subspan(1)) {
        auto texts = texts_of(*one.texts);
        std::size_t same = 0;
        for (std::size_t i = 0; i < count; ++i)
            same += texts.at(i) == reference.at(i);
        BOOST_TEST(same < count / 10, one.tag << " has " << same << " texts of another language");
    }
}

BOOST_FIXTURE_TEST_CASE(the_browser_chooses_the_language, reader_fixture)
{
    const std::pair<std::string_view, std::string_view> table[] = {
        {"", "en"},
        {"de", "de"},
        {"DE-at", "de"},
        {"de-DE,de;q=0.9,en;q=0.8", "de"},
        {"en-US,en;q=0.9,de;q=0.8", "en"},
        {"fr, de;q=0.5, en;q=0.4", "de"},
        {"en;q=0.3, de;q=0.31", "de"},
        {"de;q=0", "en"},
        {"fr", "en"},
        {"*", "en"},
        {"fr, *;q=0.5, de;q=0.4", "en"},
        {"deutsch", "en"},
        {";;;,,,q=", "en"},
        {"de;q=abc, en", "en"},
    };
    for (auto& [header, expected] : table)
        BOOST_TEST(chosen(header) == expected, header);
    BOOST_TEST(chosen(std::string(20'000, ',') + "de") == "de");
}

BOOST_FIXTURE_TEST_CASE(the_locale_of_the_account_wins, reader_fixture)
{
    BOOST_TEST(chosen("en", "de") == "de");
    BOOST_TEST(chosen("en", "de-CH") == "de");
    BOOST_TEST(chosen("de", "en-GB") == "en");
    BOOST_TEST(chosen("de", "en") == "de"); // of an account that has not chosen
    BOOST_TEST(chosen("de", "fr") == "de"); // there is none
}

BOOST_AUTO_TEST_SUITE_END()
