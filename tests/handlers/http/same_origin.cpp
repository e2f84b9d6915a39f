#include "handlers/http/same_origin.hpp"

#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace handlers;

namespace {

struct from_page : handlers::test::handler_fixture {
    bool passes(std::string_view url, std::string_view origin)
    {
        config.public_url = url;
        message.set(http::field::origin, origin);
        return !check_same_origin(config, req);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(same_origin)

BOOST_FIXTURE_TEST_CASE(an_origin_has_no_path, from_page)
{
    for (auto url : {"https://id.example.com", "https://id.example.com/auth", "https://id.example.com/a/b"}) {
        BOOST_TEST(passes(url, "https://id.example.com"), url);
        BOOST_TEST(!passes(url, "https://id.example.com/auth"), url);
        BOOST_TEST(!passes(url, "http://id.example.com"), url);
        BOOST_TEST(!passes(url, "https://id.example.com:8443"), url);
        BOOST_TEST(!passes(url, "https://id.example.co"), url);
        BOOST_TEST(!passes(url, ""), url);
    }
    BOOST_TEST(passes("http://[::1]:8080", "http://[::1]:8080"));
    BOOST_TEST(public_origin(config) == "http://[::1]:8080");
}

BOOST_FIXTURE_TEST_CASE(fetch_metadata_decide_before_the_origin, from_page)
{
    message.set(http::field::sec_fetch_site, "cross-site");
    BOOST_TEST(!passes("https://id.example.com", "https://id.example.com"));
    message.set(http::field::sec_fetch_site, "same-origin");
    BOOST_TEST(passes("https://id.example.com", "null")); // with the referrer policy no-referrer
}

BOOST_AUTO_TEST_SUITE_END()
