// What holds for every page: headers, languages, refusals, and that it is HTML of this site alone.
#include "tests/e2e/support/account_fixture.hpp"
#include "tests/e2e/support/page_client.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fstream>
#include <regex>
#include <string>
#include <tuple>
#include <vector>

using namespace e2e;

namespace {

struct rules_fixture : account_fixture {
    explicit rules_fixture(const support::environment& settings = {})
        : account_fixture(settings), browser(server.port())
    {}

    page_client browser;
};

const std::vector<std::string> pages = {"/sign-in", "/sign-up",     "/sign-out",           "/forgot",
                                        "/reset",   "/verify",      "/email-change",       "/invite",
                                        "/claim",   "/unsubscribe", "/done?what=verified", "/check-mail",
                                        "/nowhere"};
const std::vector<std::string> forms = {
    "/sign-in",    "/sign-up",       "/sign-out", "/forgot", "/reset",
    "/verify",     "/email-change",  "/invite",   "/claim",  "/unsubscribe/confirm",
    "/check-mail", "/sign-in/google"};

/// The paths that a page loads.
std::vector<std::string> files_of(const support::response& page)
{
    std::regex source("(?:href|src)=\"(/assets/[^\"]*)\"");
    return {std::sregex_token_iterator(page.body.begin(), page.body.end(), source, 1), {}};
}

} // namespace

BOOST_AUTO_TEST_SUITE(page_rules)

BOOST_FIXTURE_TEST_CASE(every_page_has_the_headers_that_confine_it, rules_fixture)
{
    for (auto& path : pages) {
        auto page = browser.get(path);
        BOOST_TEST(page.status == (path == "/nowhere" ? 404u : 200u), path);
        BOOST_TEST(page.header("Content-Type") == "text/html; charset=utf-8");
        auto policy = page.header("Content-Security-Policy");
        for (auto part :
             {"default-src 'none'", "script-src 'self'", "style-src 'self'",
              "img-src 'self' data: blob:", "connect-src 'self'", "base-uri 'none'", "form-action 'self'",
              "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"})
            BOOST_TEST(policy.find(part) != std::string::npos, path << ": " << part);
        BOOST_TEST(policy.find("unsafe") == std::string::npos);
        BOOST_TEST(page.header("Cross-Origin-Opener-Policy") == "same-origin");
        BOOST_TEST(page.header("Cross-Origin-Resource-Policy") == "same-origin");
        BOOST_TEST(page.header("Permissions-Policy").find("publickey-credentials-get=(self)") !=
                   std::string::npos);
        BOOST_TEST(page.header("Referrer-Policy") == "no-referrer");
        BOOST_TEST(page.header("X-Content-Type-Options") == "nosniff");
        BOOST_TEST(page.header("Cache-Control") == "no-store");
        BOOST_TEST(page.header("Vary").find("Accept-Language") != std::string::npos);
        BOOST_TEST(page.header("Access-Control-Allow-Origin") == "");
    }
}

BOOST_FIXTURE_TEST_CASE(what_is_no_page_is_confined_too, rules_fixture)
{
    client.set("Sec-Fetch-Site", "same-origin");
    for (auto& answer :
         {client.post("/session/token", "{}"), client.post("/session/token", "not JSON"),
          client.post("/session", "", token), client.get("/assets/unknown/page.js"),
          client.get(files_of(browser.get("/sign-in")).front()), browser.submit("/sign-out", {})}) {
        BOOST_TEST(answer.header("Content-Security-Policy").find("default-src 'none'") == 0u, answer.body);
        BOOST_TEST(answer.header("Content-Security-Policy").find("frame-ancestors 'none'") !=
                   std::string::npos);
        BOOST_TEST(answer.header("Cross-Origin-Resource-Policy") == "same-origin", answer.body);
    }
    for (auto& path : {"/", "/sign-in/google/done"})
        BOOST_TEST(browser.get(path).header("Referrer-Policy") == "no-referrer", path);
}

BOOST_FIXTURE_TEST_CASE(a_page_has_no_inline_code_and_no_foreign_address, rules_fixture)
{
    for (auto& path : pages) {
        auto page = browser.get(path);
        BOOST_TEST(has(page, "<!doctype html>\n<html lang=\"en\">"), path);
        BOOST_TEST(has(page, "<meta name=\"viewport\""), path);
        BOOST_TEST(!std::regex_search(page.body, std::regex("<script(?! type=\"module\" src=\"/assets/)")),
                   path);
        BOOST_TEST(!std::regex_search(page.body, std::regex(" (style|on[a-z]+)=")), path);
        BOOST_TEST(!has(page, "<style"), path);
        BOOST_TEST(!std::regex_search(page.body, std::regex("(href|src|action)=\"(?![/#])")), path);
        BOOST_TEST(!has(page, "//"), path);
        BOOST_TEST(std::regex_search(page.body, std::regex("<main[^>]*><h1>[^<]+</h1>")), path);
        for (auto& file : files_of(page)) {
            auto found = client.get(file);
            BOOST_TEST(found.status == 200u, file);
            BOOST_TEST(found.header("Cache-Control").find("immutable") != std::string::npos);
        }
    }
}

BOOST_FIXTURE_TEST_CASE(the_sign_in_page_is_small, rules_fixture)
{
    auto page = browser.get("/sign-in");
    auto size = page.body.size();
    client.set("Accept-Encoding", "br");
    for (auto& file : files_of(page)) {
        auto found = client.get(file);
        BOOST_TEST(found.header("Content-Encoding") == "br", file);
        size += found.body.size();
    }
    BOOST_TEST(size <= 30'000u);
}

BOOST_FIXTURE_TEST_CASE(a_form_from_elsewhere_is_refused, rules_fixture)
{
    for (auto& path : forms)
        for (std::string site : {"cross-site", "same-site", "none"}) {
            auto refused =
                browser.submit(path, {{"email", "ada@example.com"}, {"password", "long enough"}}, site);
            BOOST_TEST(refused.status == 403u, path << " " << site);
            BOOST_TEST(has(refused, "came from another site"), path);
            BOOST_TEST(refused.header("Set-Cookie") == "", path);
        }
    BOOST_TEST(!browser.is_signed_in());
    BOOST_TEST(db.sql("SELECT count(*) FROM sessions WHERE cookie_digest IS NOT NULL") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_body_that_is_no_form_is_refused, rules_fixture)
{
    const std::string form = "application/x-www-form-urlencoded";
    for (auto& path : forms) {
        if (path == "/sign-out") // reads none
            continue;
        BOOST_TEST(browser.submit_raw(path, "{}", "application/json").status == 415u, path);
        BOOST_TEST(browser.submit_raw(path, "a=b", "text/plain").status == 415u, path);
        BOOST_TEST(browser.submit_raw(path, "a=b", form + "; charset=utf-16").status == 415u, path);
        BOOST_TEST(browser.submit_raw(path, "email=a&email=b", form).status == 400u, path);
        BOOST_TEST(browser.submit_raw(path, "email=%zz", form).status == 400u, path);
        BOOST_TEST(browser.submit_raw(path, std::string(70'000, 'a'), form).status == 413u, path);
        if (path == "/sign-in/google") // ignores fields that it does not know
            continue;
        auto odd = browser.submit_raw(path, "email=%FF%00&password=%FF&token=%00%FF&name=%FE", form);
        BOOST_TEST((odd.status == 422u || odd.status == 400u), path << " " << odd.status);
        BOOST_TEST(!has(odd, "\xff"), path);
    }
}

BOOST_FIXTURE_TEST_CASE(the_console_begins_in_the_language_of_the_browser, rules_fixture)
{
    for (auto [accepted, tag, text] : {std::tuple{"de-CH, en;q=0.5", "de", "Die Konsole braucht JavaScript"},
                                       std::tuple{"fr", "en", "The console needs JavaScript"}}) {
        browser.set("Accept-Language", accepted);
        auto page = browser.get("/console");
        if (page.status == 404) // built without it
            return;
        BOOST_TEST(has(page, "<html lang=\"" + std::string(tag) + "\">"));
        BOOST_TEST(has(page, "/console/languages/" + std::string(tag) + ".json\""));
        BOOST_TEST(has(page, text));
        BOOST_TEST(page.header("Vary").find("Accept-Language") != std::string::npos);
    }
}

BOOST_FIXTURE_TEST_CASE(pages_are_in_the_language_of_the_reader, rules_fixture)
{
    for (auto& path : pages) {
        browser.set("Accept-Language", "");
        auto english = browser.get(path);
        browser.set("Accept-Language", "de-CH, en;q=0.5");
        auto german = browser.get(path);
        BOOST_TEST(english.header("Content-Language") == "en", path);
        BOOST_TEST(german.header("Content-Language") == "de", path);
        BOOST_TEST(has(german, "<html lang=\"de\">"), path);
        auto title = [](const support::response& page) {
            auto at = page.body.find("<h1>");
            return page.body.substr(at, page.body.find("</h1>") - at);
        };
        BOOST_TEST(title(english) != title(german), path);
    }
    browser.set("Accept-Language", "de");
    auto wrong = browser.submit("/sign-in", {{"email", "x"}});
    BOOST_TEST(error_at(wrong, "email") == "Geben Sie eine E-Mail-Adresse ein, etwa ada@example.com.");
    BOOST_TEST(error_at(wrong, "password") == "Bitte füllen Sie dieses Feld aus.");
    BOOST_TEST(has(wrong, "<title>Fehler: Anmelden"));
    browser.submit("/sign-in", {{"email", "ada@example.com"}, {"password", "long enough"}});
    client.patch(base + "/me", R"({"locale":"en-GB"})", token);
    BOOST_TEST(browser.get("/sign-out").header("Content-Language") == "en"); // the account's wins
}

BOOST_FIXTURE_TEST_CASE(the_root_leads_a_browser_on_and_lists_links_for_programs, rules_fixture)
{
    auto sent = browser.get("/");
    BOOST_TEST(sent.status == 302u);
    BOOST_TEST((sent.header("Location") == "/console" || sent.header("Location") == "/sign-in"));
    auto links = client.get("/");
    BOOST_TEST(links.status == 200u);
    BOOST_TEST(links.text("/openapi").ends_with("/openapi.json"));
    BOOST_TEST(links.text("/api").ends_with("/api/v1/users"));
    BOOST_TEST(links.header("Vary").find("Accept") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(errors_are_pages_for_browsers_and_json_for_programs, rules_fixture)
{
    auto page = browser.get("/no/such/page");
    BOOST_TEST(page.status == 404u);
    BOOST_TEST(has(page, "<h1>Page not found</h1>"));
    BOOST_TEST(client.get("/no/such/page").code() == "not_found");
    for (std::string path : {"/api/v1/users/nothing", "/.well-known/nothing"})
        BOOST_TEST(browser.get(path).code() == "not_found", path);
    BOOST_TEST(browser.get(base + "/me").code() == "unauthorized");
    auto method = browser.submit("/done", {});
    BOOST_TEST(method.status == 405u);
    BOOST_TEST(method.header("Allow") == "GET, HEAD, OPTIONS");
    BOOST_TEST(has(method, "<!doctype html>"));
    BOOST_TEST(browser.get("/done").status == 404u);
    BOOST_TEST(browser.get("/done?what=%3Cscript%3E").status == 404u);
}

BOOST_AUTO_TEST_CASE(too_many_attempts_are_a_page_too)
{
    rules_fixture limited({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "5"}});
    support::response last;
    for (int i = 0; i < 8; ++i)
        last = limited.browser.get("/sign-in");
    BOOST_TEST(last.status == 429u);
    BOOST_TEST(has(last, "Too many attempts."));
    BOOST_TEST(last.header("Retry-After") != "");
}

BOOST_AUTO_TEST_CASE(an_operator_brands_the_pages)
{
    support::temporary_folder folder;
    auto logo = folder.path() + "/logo.svg";
    std::ofstream(logo) << "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 1 1\"/>";
    rules_fixture branded({{"LATCHKEY_BRAND_NAME", "Acme <&> Sons"},
                           {"LATCHKEY_BRAND_LOGO", logo},
                           {"LATCHKEY_BRAND_ACCENT", "#ff8800"}});
    auto page = branded.browser.get("/sign-in");
    BOOST_TEST(has(page, "Acme &lt;&amp;&gt; Sons"));
    BOOST_TEST(!has(page, "Latchkey"));
    bool has_logo = false, has_colour = false;
    for (auto& file : files_of(page)) {
        auto found = branded.client.get(file);
        BOOST_TEST(found.status == 200u, file);
        if (file.ends_with("/brand-logo.svg")) {
            has_logo = found.header("Content-Type") == "image/svg+xml";
            BOOST_TEST(found.header("Content-Security-Policy").find("sandbox") != std::string::npos);
        }
        if (file.ends_with("/brand.css"))
            has_colour = has(found, "#ff8800");
    }
    BOOST_TEST(has_logo);
    BOOST_TEST(has_colour);
}

BOOST_AUTO_TEST_SUITE_END()
