#include "handlers/http/cors.hpp"

#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

using namespace handlers;
using handlers::test::header_of;

namespace {

struct asked_from : handlers::test::handler_fixture {
    asked_from() { config.cors_origins = {"https://app.example", "http://localhost:3000"}; }

    reply ask(std::string_view origin)
    {
        message.set(http::field::origin, origin);
        reply out;
        allow_origin(config, req, out);
        return out;
    }

    reply preflight(std::string_view origin)
    {
        message.set(http::field::origin, origin);
        message.set(http::field::access_control_request_method, "PATCH");
        return answer_options(config, req, "GET, HEAD, PATCH, OPTIONS");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(cors)

BOOST_FIXTURE_TEST_CASE(allowed_origins_are_echoed, asked_from)
{
    for (auto origin : {"https://app.example", "http://localhost:3000"}) {
        auto out = ask(origin);
        BOOST_TEST(header_of(out, "Access-Control-Allow-Origin") == origin);
        BOOST_TEST(header_of(out, "Vary") == "Origin");
        BOOST_TEST(header_of(out, "Access-Control-Expose-Headers").find("X-Request-Id") != std::string::npos);
        BOOST_TEST(header_of(out, "Access-Control-Allow-Credentials") == ""); // cookies are never read
    }
}

BOOST_FIXTURE_TEST_CASE(similar_origins_are_not_allowed, asked_from)
{
    for (auto origin :
         {"", "null", "*", "http://app.example", "https://app.example:8443", "https://app.example.evil",
          "https://evil.app.example", "https://APP.example", "https://app.example/"}) {
        BOOST_TEST(ask(origin).headers == "Vary: Origin\r\n", origin);
    }
}

BOOST_FIXTURE_TEST_CASE(no_cors_headers_without_allowed_origins, asked_from)
{
    config.cors_origins.clear();
    BOOST_TEST(ask("https://app.example").headers == "");
    BOOST_TEST(ask("").headers == "");
}

BOOST_FIXTURE_TEST_CASE(preflights_of_allowed_origins_list_methods_and_headers, asked_from)
{
    auto out = preflight("https://app.example");
    BOOST_TEST(out.status == 204u);
    BOOST_TEST(header_of(out, "Allow") == "GET, HEAD, PATCH, OPTIONS");
    BOOST_TEST(header_of(out, "Access-Control-Allow-Methods") == "GET, HEAD, PATCH, OPTIONS");
    BOOST_TEST(header_of(out, "Access-Control-Allow-Headers") ==
               "Authorization, Content-Type, X-Request-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name");
}

BOOST_FIXTURE_TEST_CASE(preflights_of_other_origins_list_methods_only, asked_from)
{
    auto out = preflight("https://evil.example");
    BOOST_TEST(out.status == 204u);
    BOOST_TEST(out.headers == "Allow: GET, HEAD, PATCH, OPTIONS\r\n");
    message.erase(http::field::access_control_request_method);
    message.set(http::field::origin, "https://app.example"); // an OPTIONS that is no preflight
    BOOST_TEST(answer_options(config, req, "GET").headers == "Allow: GET\r\n");
}

BOOST_AUTO_TEST_SUITE_END()
