// The HTML template: no input comes out as markup, as a script or as a foreign URL.
#include "handlers/html/html.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <type_traits>

using namespace handlers::html;

BOOST_AUTO_TEST_SUITE(html)

// A string becomes markup by text() alone.
static_assert(!std::is_constructible_v<fragment, std::string>);
static_assert(!std::is_constructible_v<fragment, const char*>);
static_assert(!std::is_constructible_v<url, std::string>);
static_assert(!std::is_constructible_v<tag, std::string>);
static_assert(!std::is_constructible_v<text_attribute, std::string>);
static_assert(!std::is_constructible_v<attribute, url_attribute, std::string_view>);
static_assert(!std::is_constructible_v<attribute, text_attribute, url>);

BOOST_AUTO_TEST_CASE(text_is_never_markup)
{
    BOOST_TEST(text("<script>alert(1)</script>").markup() == "&lt;script&gt;alert(1)&lt;/script&gt;");
    BOOST_TEST(text("a & b &lt; c").markup() == "a &amp; b &amp;lt; c");
    BOOST_TEST(text("\"it's\" `x`").markup() == "&quot;it&#39;s&quot; &#96;x&#96;");
    BOOST_TEST(text("]]><!-- --><![CDATA[").markup() == "]]&gt;&lt;!-- --&gt;&lt;![CDATA[");
    BOOST_TEST(text("Grüße, 世界 🗝").markup() == "Grüße, 世界 🗝");
    BOOST_TEST(text("").markup() == "");
}

BOOST_AUTO_TEST_CASE(what_is_no_text_becomes_the_replacement_character)
{
    const std::string r = "\xef\xbf\xbd";
    BOOST_TEST(text(std::string_view("a\0b", 3)).markup() == "a" + r + "b");
    BOOST_TEST(text("\x1b[31m\x7f").markup() == r + "[31m" + r);
    BOOST_TEST(text("a\tb\nc\r").markup() == "a\tb\nc\r");
    BOOST_TEST(text("\xc2\x85").markup() == r);                           // a C1 control
    BOOST_TEST(text("\xc0\xbcscript>").markup() == r + r + "script&gt;"); // an overlong `<`
    BOOST_TEST(text("\xed\xa0\x80").markup() == r + r + r);               // a surrogate
    BOOST_TEST(text("\xf4\x90\x80\x80").markup() == r + r + r + r);
    BOOST_TEST(text("x\xe2\x82").markup() == "x" + r + r); // cut off
    BOOST_TEST(text("\xff<").markup() == r + "&lt;");
    BOOST_TEST(text("\xe2<b>").markup() == r + "&lt;b&gt;"); // takes no character with it
}

BOOST_AUTO_TEST_CASE(an_attribute_ends_where_it_should)
{
    for (auto value :
         {"\" onmouseover=\"alert(1)", "' onmouseover='alert(1)", "x> <script>", "`onload=", "a\nb"}) {
        auto out = element("input", {{"value", value}}).markup();
        BOOST_TEST(out == "<input value=\"" + text(value).markup() + "\">");
        BOOST_TEST(std::count(out.begin(), out.end(), '"') == 2);
        BOOST_TEST(std::count(out.begin(), out.end(), '<') == 1);
    }
    BOOST_TEST(element("p", {{"hidden", flag::present}, {"inert", flag::absent}}).markup() ==
               "<p hidden></p>");
    BOOST_TEST(element("p", {{"id", unless_empty{""}}, {"class", unless_empty{"a"}}}).markup() ==
               "<p class=\"a\"></p>");
}

BOOST_AUTO_TEST_CASE(a_url_is_a_path_of_this_site)
{
    for (auto path : {"/", "/sign-in", "/sign-in?return_to=%2Fconsole&x=1", "/a/b#c", "#errors", "/a:b//c"}) {
        auto parsed = url::parse_site(path);
        BOOST_TEST(parsed.has_value(), path);
    }
    for (auto other : {"",
                       "sign-in",
                       "//evil.example",
                       "/\\evil.example",
                       "\\\\evil.example",
                       "javascript:alert(1)",
                       " javascript:alert(1)",
                       "JaVaScRiPt:alert(1)",
                       "java\tscript:alert(1)",
                       "data:text/html,x",
                       "vbscript:x",
                       "https://evil.example",
                       "http:/x",
                       "/a b",
                       "/a\nb",
                       "/a\"b",
                       "/a'b",
                       "/a<b",
                       "/a>b",
                       "/a`b",
                       "/\xc3\xa4",
                       "/a\x7f",
                       "?x"}) {
        BOOST_TEST(!url::parse_site(other), other);
        BOOST_CHECK_THROW(url::site(other), std::invalid_argument);
    }
    auto link = element("a", {{"href", url::site("/a?b=1&c=2")}}, text("<x>"));
    BOOST_TEST(link.markup() == "<a href=\"/a?b=1&amp;c=2\">&lt;x&gt;</a>");
}

BOOST_AUTO_TEST_CASE(a_foreign_url_is_https)
{
    for (auto good : {"https://example.com", "https://example.com/a?b=c#d", "https://example.com:8443/"})
        BOOST_TEST(url::parse_https(good).has_value(), good);
    for (auto bad :
         {"http://example.com", "https:", "https://", "https:///x", "HTTPS://example.com", "javascript:x",
          "https://user@example.com", "https://user:pass@example.com", "https://exa mple.com",
          "https://example.com/\"x", "//example.com", "data:text/html,https://x", "ftp://example.com"})
        BOOST_TEST(!url::parse_https(bad), bad);
}

BOOST_AUTO_TEST_CASE(names_are_checked_at_compile_time)
{
    static_assert(detail::is_name("data-token"));
    for (auto name : {"", "-a", "1a", "a b", "a>", "a=\"", "A", "on click", "a/"})
        BOOST_TEST(!detail::is_name(name), name);
}

BOOST_AUTO_TEST_CASE(elements_nest_and_void_ones_have_no_end)
{
    auto out = element("p", {{"class", "a"}}, text("x"), element("br", {}), element("b", {}, text("y")));
    BOOST_TEST(out.markup() == "<p class=\"a\">x<br><b>y</b></p>");
    BOOST_TEST(element("input", {}, text("lost")).markup() == "<input>");
    BOOST_TEST(element("div", {}).markup() == "<div></div>");
    BOOST_TEST((text("a") + element("hr", {})).markup() == "a<hr>");
}

BOOST_AUTO_TEST_CASE(sentences_put_fragments_in_place_of_their_placeholders)
{
    auto name = element("b", {}, text("<Ada>"));
    BOOST_TEST(sentence("{0} & {1}: {0}", {name, text("{0}")}).markup() ==
               "<b>&lt;Ada&gt;</b> &amp; {0}: <b>&lt;Ada&gt;</b>");
    BOOST_TEST(sentence("<{0}>", {}).markup() == "&lt;{0}&gt;");
    for (auto odd : {"{", "{0", "{}", "{a}", "{10}", "}{", "{{0}"})
        BOOST_TEST(sentence(odd, {}).markup() == odd);
    BOOST_TEST(sentence("{{0}}", {text("x")}).markup() == "{x}");
}

BOOST_AUTO_TEST_CASE(a_document_is_complete)
{
    auto out = document("de\"><script>", element("title", {}, text("</title><script>x")), text("<body>"));
    BOOST_TEST(
        out ==
        "<!doctype html>\n<html lang=\"de&quot;&gt;&lt;script&gt;\">\n<head><meta charset=\"utf-8\">"
        "<title>&lt;/title&gt;&lt;script&gt;x</title></head>\n<body>\n&lt;body&gt;\n</body>\n</html>\n");
}

BOOST_AUTO_TEST_CASE(head_elements_take_checked_urls)
{
    auto style = url::site("/assets/x/style.css");
    BOOST_TEST(stylesheet(style).markup() == "<link rel=\"stylesheet\" href=\"/assets/x/style.css\">");
    BOOST_TEST(script_file(url::site("/a.js?x&y")).markup() ==
               "<script type=\"module\" src=\"/a.js?x&amp;y\"></script>");
    BOOST_TEST(refresh(0, url::site("/a;url=x")).markup() ==
               "<meta http-equiv=\"refresh\" content=\"0;url=/a;url=x\">");
    BOOST_TEST(meta("a\"b", "<c>").markup() == "<meta name=\"a&quot;b\" content=\"&lt;c&gt;\">");
}

BOOST_AUTO_TEST_SUITE_END()
