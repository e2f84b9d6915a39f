#include "handlers/http/cookies.hpp"

#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace handlers;

namespace {

struct with_cookies : handlers::test::handler_fixture {
    std::string read(std::string_view header)
    {
        message.set(http::field::cookie, header);
        std::string out;
        for (auto& each : read_cookies(req))
            out.append(each.name).append(":").append(each.value).append(",");
        return out;
    }

    std::string_view find(std::string_view header)
    {
        message.set(http::field::cookie, header);
        return find_only_cookie(req, "a");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(cookies)

BOOST_FIXTURE_TEST_CASE(pairs_are_separated_by_semicolons, with_cookies)
{
    BOOST_TEST(read("a=1; b=2;c=3 ;\td=4") == "a:1,b:2,c:3,d:4,");
    BOOST_TEST(read("a=1=2; =3; b=; c") == "a:1=2,:3,b:,");
    BOOST_TEST(read(";;; ;") == "");
    BOOST_TEST(read("") == "");
    BOOST_TEST(read("a=\"x;y\"") == "a:\"x,"); // quotes have no meaning
}

BOOST_FIXTURE_TEST_CASE(one_of_several_with_a_name_is_not_guessed, with_cookies)
{
    BOOST_TEST(find("a=1; b=2") == "1");
    BOOST_TEST(find("A=1; a=2; a =3; aa=4") == "2");
    BOOST_TEST(find("a=1; a=2") == "");
    BOOST_TEST(find("a=1; b=2; a=1") == "");
    BOOST_TEST(find("b=1") == "");
    message.set(http::field::cookie, "a=1");
    message.insert(http::field::cookie, "a=2");
    BOOST_TEST(find_only_cookie(req, "a") == "");
}

BOOST_AUTO_TEST_SUITE_END()
