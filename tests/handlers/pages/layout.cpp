// Where a person may be sent after a sign-in, and which clients are browsers.
#include "handlers/pages/layout.hpp"

#include "handlers/pages/error_page.hpp"
#include "handlers/pages/form_view.hpp"
#include "handlers/static_files/file_tree.hpp"
#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace handlers;

namespace {

struct page_fixture : test::handler_fixture {
    page_fixture() { cx.files = &files; }

    bool is_html_for(std::string_view accept)
    {
        message.set(http::field::accept, accept);
        return pages::accepts_html(req);
    }

    file_tree files{"https://id.example.com", embedded_files(), {}};
};

} // namespace

BOOST_AUTO_TEST_SUITE(layout)

BOOST_FIXTURE_TEST_CASE(a_return_stays_on_this_site, page_fixture)
{
    auto c = as_anonymous();
    for (auto path :
         {"/", "/console", "/console/a/keys?x=1#y", "/authorize?redirect_uri=https%3A%2F%2Fx.example"})
        BOOST_TEST((pages::return_path(c, path) == std::optional<std::string>(path)), path);
    for (auto path : {"",
                      "console",
                      "//evil.example",
                      "/\\evil.example",
                      "///evil.example",
                      "/a//b",
                      "/../x",
                      "/./x",
                      "/a/..",
                      "/%2e%2e/x",
                      "/%2E/x",
                      "/..//evil.example",
                      "https://evil.example",
                      "javascript:alert(1)",
                      "/a b",
                      "/a\r\nSet-Cookie: x",
                      "/\t/evil.example",
                      "\x01//evil.example",
                      "/a\\b",
                      "#x"})
        BOOST_TEST(!pages::return_path(c, path), path);
    BOOST_TEST(!pages::return_path(c, "/" + std::string(3000, 'a')));
}

BOOST_FIXTURE_TEST_CASE(a_return_stays_below_the_path_of_the_site, page_fixture)
{
    file_tree below("https://example.com/id", embedded_files(), {});
    cx.files = &below;
    auto c = as_anonymous();
    BOOST_TEST(pages::return_path(c, "/id/console").has_value());
    for (auto path : {"/", "/console", "/id", "/idx/console", "/id/../console", "//id/console"})
        BOOST_TEST(!pages::return_path(c, path), path);
    BOOST_TEST(pages::path_to(c, "/sign-in").text() == "/id/sign-in");
}

BOOST_FIXTURE_TEST_CASE(a_browser_says_that_it_accepts_html, page_fixture)
{
    BOOST_TEST(is_html_for("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
    BOOST_TEST(is_html_for("application/json, text/HTML;q=0.1"));
    for (auto accept :
         {"", "*/*", "application/json", "text/*", "text/html;q=0", "text/html; q=0.000", "text/htmlx"})
        BOOST_TEST(!is_html_for(accept), accept);
}

BOOST_FIXTURE_TEST_CASE(a_token_is_found_in_a_pasted_link, page_fixture)
{
    BOOST_TEST(pages::token_in("abc") == "abc");
    BOOST_TEST(pages::token_in(" abc\r\n") == "abc");
    BOOST_TEST(pages::token_in("https://id.example.com/verify#token=abc") == "abc");
    BOOST_TEST(pages::token_in("https://id.example.com/unsubscribe?token=abc&x=y") == "abc");
    BOOST_TEST(pages::token_in("https://id.example.com/verify#token=ab\r\n c") == "abc");
    BOOST_TEST(pages::token_in("token=") == "");
    BOOST_TEST(pages::token_in("") == "");
}

BOOST_FIXTURE_TEST_CASE(an_error_is_a_page_for_a_browser_outside_of_the_api, page_fixture)
{
    message.set(http::field::accept, "text/html");
    for (auto path : {"/x", "/sign-in", "/apix", "/console/x"}) {
        request asked{message.head(), message.body(), path, "", req.client, "r<1>"};
        call c{cx, asked, {}, {}};
        auto page = pages::error_page_for_browser(c, problem::of(codes::internal_error));
        BOOST_REQUIRE_MESSAGE(page.has_value(), path);
        BOOST_TEST(page->status == 500u);
        BOOST_TEST(page->body.find("r&lt;1&gt;") != std::string::npos);
        BOOST_TEST(page->content_type == "text/html; charset=utf-8");
    }
    for (auto path :
         {"/api", "/api/v1/users/me", "/mcp", "/.well-known/x", "/openapi.json", "/session/token"}) {
        request asked{message.head(), message.body(), path, "", req.client, "r1"};
        call c{cx, asked, {}, {}};
        BOOST_TEST(!pages::error_page_for_browser(c, problem::of(codes::not_found)).has_value(), path);
    }
    auto page = [&] {
        request asked{message.head(), message.body(), "/x", "", req.client, "r1"};
        call c{cx, asked, {}, {}};
        return pages::error_page(c, problem::method_not_allowed("GET"));
    }();
    BOOST_TEST(test::header_of(page, "Allow") == "GET");
}

BOOST_AUTO_TEST_SUITE_END()
