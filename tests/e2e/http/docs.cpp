// GET /openapi.json, and /docs with Swagger UI: linted, and used in a browser.
#include "tests/e2e/support/account_fixture.hpp"
#include "tests/support/third_party.hpp"

#include <boost/json/array.hpp>

#include <cstdio>
#include <deque>
#include <fstream>
#include <set>
#include <string>

using namespace e2e;

namespace {

struct docs_fixture : account_fixture {
    /// The path of a file, from a page that refers to it.
    std::string asset(const std::string& name)
    {
        auto page = fetch("/docs").body;
        auto end = page.find("/" + name + "\"");
        auto begin = page.rfind("/assets/", end);
        BOOST_REQUIRE_MESSAGE(begin != std::string::npos, name);
        return page.substr(begin, end + 1 + name.size() - begin);
    }

    support::response fetch(const std::string& path, const std::string& name = {},
                            const std::string& value = {})
    {
        support::http::request<support::http::string_body> message(support::http::verb::get, path, 11);
        if (!name.empty())
            message.set(name, value);
        return client.send(std::move(message));
    }
};

/// Accepted findings: two operations succeed only by redirecting, and two paths differ only by the length of
/// their parts (an ID has 36 characters, `api-keys` and `invites` have fewer).
const std::set<std::string> known_findings = {
    "operation-2xx-response #/paths/~1api~1v1~1users~1oauth~1google~1authorize/get/responses",
    "operation-2xx-response #/paths/~1api~1v1~1users~1oauth~1google~1callback/get/responses",
    "no-ambiguous-paths #/paths/~1api~1v1~1users~1team~1api-keys~1{prefix}",
    "no-ambiguous-paths #/paths/~1api~1v1~1users~1team~1invites~1{id}"};

} // namespace

BOOST_AUTO_TEST_SUITE(docs)

BOOST_FIXTURE_TEST_CASE(the_document_passes_its_linters, docs_fixture)
{
    auto document = fetch("/openapi.json");
    BOOST_TEST(document.status == 200u);
    BOOST_TEST(document.header("Content-Type") == "application/json");
    support::temporary_folder folder;
    auto file = folder.path() + "/openapi.json";
    std::ofstream(file) << document.body;
    support::third_party_server linters("lint-openapi", {{"file", file}});
    for (auto& finding : linters.start().at("findings").as_array())
        BOOST_TEST(known_findings.contains(std::string(finding.as_string())), finding.as_string());
}

BOOST_FIXTURE_TEST_CASE(the_program_prints_what_the_server_serves, docs_fixture)
{
    support::child_process printer({support::program_path(), "openapi", "--public-url", "http://127.0.0.1:0"},
                                   {},
                                   STDOUT_FILENO); // the public URL of this server
    auto code = printer.wait(std::chrono::seconds(20));
    BOOST_REQUIRE(code.has_value());
    BOOST_TEST(*code == 0);
    BOOST_TEST((printer.output() == fetch("/openapi.json").body + "\n"));
}

BOOST_FIXTURE_TEST_CASE(the_page_is_self_contained_and_compressed, docs_fixture)
{
    auto page = fetch("/docs");
    BOOST_TEST(page.status == 200u);
    BOOST_TEST(page.body.find("http") == std::string::npos); // no URL of another site
    auto policy = page.header("Content-Security-Policy");
    BOOST_TEST(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    BOOST_TEST(policy.find("unsafe") == std::string::npos);

    auto bundle = asset("docs/swagger-ui-bundle.js");
    auto plain = fetch(bundle);
    BOOST_TEST(plain.header("Cache-Control") == "public, max-age=31536000, immutable");
    BOOST_TEST(plain.header("Content-Type") == "text/javascript");
    BOOST_TEST(plain.header("Content-Encoding") == "");
    BOOST_TEST(plain.body.size() > 1'000'000u);
    auto small = fetch(bundle, "Accept-Encoding", "gzip, deflate");
    BOOST_TEST(small.header("Content-Encoding") == "gzip");
    BOOST_TEST(small.header("Vary") == "Accept-Encoding");
    BOOST_TEST(small.body.size() * 3 < plain.body.size());
    BOOST_TEST(small.body.starts_with("\x1f\x8b"));
    auto smallest = fetch(bundle, "Accept-Encoding", "gzip, br");
    BOOST_TEST(smallest.header("Content-Encoding") == "br");
    BOOST_TEST(smallest.body.size() < small.body.size());
    for (std::string refusal : {"gzip;q=0", "gzip; q=0.000", "deflate"})
        BOOST_TEST(fetch(bundle, "Accept-Encoding", refusal).header("Content-Encoding") == "");
    for (auto& tags : {plain.header("ETag"), "W/" + plain.header("ETag"), "\"x\", " + plain.header("ETag"),
                       std::string("*")}) {
        auto again = fetch(bundle, "If-None-Match", tags);
        BOOST_TEST(again.status == 304u, tags);
        BOOST_TEST(again.body == "");
    }
    BOOST_TEST(plain.header("ETag") != small.header("ETag"));
}

BOOST_FIXTURE_TEST_CASE(clients_that_do_not_read_hold_no_copies, docs_fixture)
{
    auto bundle = asset("docs/swagger-ui-bundle.js");
    auto whole = fetch(bundle).body;
    auto before = server.resident_bytes();
    std::deque<support::raw_connection> lines;
    for (int i = 0; i < 50; ++i)
        lines.emplace_back(server.port()).send("GET " + bundle + " HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 0; i < 50; ++i)
        BOOST_TEST_REQUIRE(fetch("/healthz").status == 200u);
    BOOST_TEST(server.resident_bytes() < before + lines.size() * whole.size() / 4);
    for (auto& line : lines)
        BOOST_TEST((line.receive().body == whole));
}

BOOST_FIXTURE_TEST_CASE(no_other_file_is_served, docs_fixture)
{
    auto start = asset("docs/start.js");
    BOOST_TEST(fetch(start).status == 200u);
    auto folder = start.substr(0, start.size() - 8);
    for (std::string path : {std::string("/docs/"), folder, folder + "package.json",
                             folder + "..%2fstyle.css", folder + "../style.css", start + ".gz", start + "/",
                             start + "%00", std::string("/assets/0000000000000000/docs/start.js")})
        BOOST_TEST(fetch(path).status == 404u, path);
}

BOOST_FIXTURE_TEST_CASE(a_browser_renders_the_page_and_makes_a_call, docs_fixture)
{
    auto key = mint(R"({"name":"k"})");
    auto url = "http://127.0.0.1:" + std::to_string(server.port());
    support::third_party_server browser("browse-docs", {{"url", url + "/docs"}, {"token", key}});
    auto& report = browser.start();
    for (auto& one : report.at("foreign").as_array())
        BOOST_ERROR("asked for " << one.as_string());
    for (auto& one : report.at("errors").as_array())
        BOOST_ERROR(one.as_string());
    BOOST_TEST(report.at("operations").as_int64() > 60);
    BOOST_TEST(report.at("status").as_string() == "200");
    BOOST_TEST(std::string(report.at("answer").as_string()).find(prefix_of(key)) != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
