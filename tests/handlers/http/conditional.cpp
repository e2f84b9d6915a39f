// If-None-Match: lists, weak tags, `*`, and what is none of them.
#include "handlers/http/conditional.hpp"

#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

namespace http = handlers::http;

namespace {

struct conditional_fixture : handlers::test::handler_fixture {
    bool matches(const std::vector<std::string>& lines, std::string_view etag = "\"a\"")
    {
        message.erase(http::field::if_none_match);
        for (auto& line : lines)
            message.insert(http::field::if_none_match, line);
        return handlers::is_none_match(req, etag);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(conditional)

BOOST_FIXTURE_TEST_CASE(a_listed_tag_matches, conditional_fixture)
{
    for (std::string line :
         {"\"a\"", "W/\"a\"", "\"b\", \"a\"", "\"a\",\"b\"", "\"b\" , W/\"a\" , \"c\"", " \"a\"",
          ",, \"b\",,\"a\"", "\"b,c\", \"a\"", "\"b\", \"a\", nonsense", "\"\",\"a\""})
        BOOST_TEST(matches({line}), line);
    BOOST_TEST(matches({"\"b\"", "\"a\""}));
    BOOST_TEST(matches({"\"1,\""}, "\"1,\""));
    BOOST_TEST(matches({"\"a\""}, "W/\"a\""));
    BOOST_TEST(matches({"W/\"a\""}, "W/\"a\""));
}

BOOST_FIXTURE_TEST_CASE(a_star_matches_every_tag, conditional_fixture)
{
    BOOST_TEST(matches({"*"}));
    BOOST_TEST(matches({" * "}));
    BOOST_TEST(matches({"*"}, "W/\"a\""));
    BOOST_TEST(!matches({"\"*\""}));
}

BOOST_FIXTURE_TEST_CASE(nothing_else_matches, conditional_fixture)
{
    BOOST_TEST(!matches({}));
    for (std::string line :
         {"",         " ",        ",",          "a",           "\"",       "\"\"",
          "\"b\"",    "\"A\"",    "\"a",        "a\"",         "w/\"a\"",  "W/a",
          "W/",       "W/ \"a\"", "\"b\"\"a\"", "\"b\" \"a\"", "\"x\"a\"", "nonsense, \"a\"",
          "*, \"a\"", "**",       "\"aa\"",     "\"a \"",      "'a'",      "\"b\";q=1, \"a\""})
        BOOST_TEST(!matches({line}), line);
}

BOOST_AUTO_TEST_SUITE_END()
