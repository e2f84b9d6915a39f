#include "handlers/http/message.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(message)

BOOST_AUTO_TEST_CASE(add_header_appends_lines)
{
    handlers::reply out;
    out.add_header("Allow", "GET");
    out.add_header("X-Role", "");
    out.add_header("X-Name", "caf\xC3\xA9 \"x\"");
    BOOST_TEST(out.headers == "Allow: GET\r\nX-Role: \r\nX-Name: caf\xC3\xA9 \"x\"\r\n");
}

BOOST_AUTO_TEST_CASE(header_values_cannot_inject_lines)
{
    handlers::reply out;
    out.add_header("X-Name", "a\r\nSet-Cookie: b\n\tc");
    out.add_header("X-Odd", std::string("\0\x01\x1f\x7f", 4));
    BOOST_TEST(out.headers == "X-Name: aSet-Cookie: bc\r\nX-Odd: \r\n");
}

BOOST_AUTO_TEST_SUITE_END()
