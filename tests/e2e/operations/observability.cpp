// Observability: /metrics, the request log, the Grafana dashboard and the Prometheus alerts.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fstream>
#include <iterator>
#include <regex>
#include <set>

using namespace e2e;

namespace {

const std::string source = LATCHKEY_SOURCE_DIR;

std::string read_file(const std::string& path)
{
    std::ifstream file(path);
    BOOST_REQUIRE_MESSAGE(file.good(), path);
    return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> names_in(const std::string& text, const std::string& pattern)
{
    std::regex name(pattern);
    std::set<std::string> out;
    for (std::sregex_iterator at(text.begin(), text.end(), name), end; at != end; ++at)
        out.insert((*at)[1]);
    return out;
}

/// The names of the metric families in an exposition.
std::set<std::string> family_names(const std::string& metrics)
{
    return names_in(metrics, "# TYPE ([a-z_]+) ");
}

/// The output of promtool if it fails, or nothing.
std::string promtool(const std::string& arguments, const std::string& file)
{
    support::child_process tool(
        {"/bin/sh", "-c", "promtool " + arguments + " 2>&1 || echo FAILED $?", "sh", file}, {{"FILE", file}},
        STDOUT_FILENO);
    tool.wait(std::chrono::seconds(20));
    auto output = tool.output();
    return output.find("FAILED") == output.npos ? "" : output;
}

struct observability_fixture : team_fixture {
    using team_fixture::team_fixture;

    std::string metrics() { return client.get("/metrics").body; }

    bool shows(const std::string& line) { return metrics().find("\n" + line + "\n") != std::string::npos; }

    support::response traced(const std::string& parent)
    {
        support::http::request<support::http::string_body> message(support::http::verb::get,
                                                                   base + "/workspace", 11);
        message.set("Authorization", "Bearer " + token);
        message.set("traceparent", parent);
        message.set("X-Request-Id", "traced-request");
        return client.send(std::move(message));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(observability)

BOOST_FIXTURE_TEST_CASE(promtool_accepts_the_metrics, observability_fixture)
{
    client.get(base + "/auth", token);
    client.get("/nowhere");
    support::temporary_folder folder;
    auto file = folder.path() + "/metrics";
    std::ofstream(file) << metrics();
    BOOST_TEST(promtool("check metrics < \"$FILE\"", file) == "");
}

BOOST_FIXTURE_TEST_CASE(requests_are_counted_by_route_and_status, observability_fixture)
{
    for (int i = 0; i < 3; ++i)
        client.get(base + "/auth", token);
    client.get(base + "/auth");
    client.get(base + "/api-keys/aaaaaaaa", token);
    client.get(base + "/api-keys/bbbbbbbb", token);
    client.get("/nowhere/1");
    client.get("/nowhere/2");
    BOOST_TEST(shows(R"(latchkey_requests_total{route="/api/v1/users/auth",method="any",status="200"} 3)"));
    BOOST_TEST(shows(R"(latchkey_requests_total{route="/api/v1/users/auth",method="any",status="401"} 1)"));
    BOOST_TEST(shows(
        R"(latchkey_requests_total{route="/api/v1/users/api-keys/{prefix}",method="GET",status="404"} 2)"));
    BOOST_TEST(shows(R"(latchkey_requests_total{route="unmatched",method="any",status="404"} 2)"));
    BOOST_TEST(
        shows(R"(latchkey_request_duration_seconds_count{route="/api/v1/users/auth",method="any"} 4)"));
    BOOST_TEST(shows(
        R"(latchkey_request_duration_seconds_bucket{route="/api/v1/users/auth",method="any",le="+Inf"} 4)"));
}

BOOST_FIXTURE_TEST_CASE(no_label_identifies_an_account_or_credential, observability_fixture)
{
    auto key = mint(R"({"name":"k"})");
    client.get(base + "/auth", key);
    client.get(base + "/team/" + bob.user + "/removal-preview", token);
    auto text = metrics();
    for (auto& secret : {user, bob.user, workspace, token, key, prefix_of(key), std::string("example.com")})
        BOOST_TEST(text.find(secret) == text.npos, secret);
}

BOOST_FIXTURE_TEST_CASE(gauges_show_the_state_of_the_server, observability_fixture)
{
    BOOST_TEST(support::eventually(std::chrono::seconds(10), [&] { return shows("latchkey_lease_held 1"); }));
    // Two cores, each with one connection for transactions and one for lookups.
    BOOST_TEST(support::eventually(std::chrono::seconds(10),
                                   [&] { return shows("latchkey_database_connections 4"); }));
    auto positive = [&](const std::string& name) {
        auto text = metrics();
        auto at = text.find("\n" + name + " ");
        return at != text.npos && std::stod(text.substr(at + name.size() + 2)) > 0;
    };
    for (std::string name : {"process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds",
                             "process_start_time_seconds", "latchkey_connections"})
        BOOST_TEST(support::eventually(std::chrono::seconds(10), [&] { return positive(name); }), name);
}

BOOST_AUTO_TEST_CASE(queued_mail_is_counted)
{
    observability_fixture fixture(
        {{"LATCHKEY_SMTP_URL", "smtp://127.0.0.1:1"}, {"LATCHKEY_MAIL_FROM", "a@example.com"}});
    BOOST_TEST(support::eventually(std::chrono::seconds(15),
                                   [&] { return !fixture.shows("latchkey_mail_queue_length 0"); }));
}

BOOST_FIXTURE_TEST_CASE(dashboards_and_alerts_use_existing_metrics, observability_fixture)
{
    client.get(base + "/auth", token);
    auto exposed = family_names(metrics());
    auto files = read_file(source + "/scripts/deploy/grafana/latchkey.json") +
                 read_file(source + "/scripts/deploy/prometheus/alerts.yaml");
    auto wanted = names_in(files, "((?:latchkey|process)_[a-z_]*[a-z])\\{?");
    BOOST_TEST(wanted.size() > 15u);
    for (auto name : wanted) {
        for (std::string_view part : {"_bucket", "_sum", "_count"})
            if (name.ends_with(part) && !exposed.contains(name))
                name.resize(name.size() - part.size());
        BOOST_TEST(exposed.contains(name), name);
    }
    BOOST_TEST(promtool("check rules \"$FILE\"", source + "/scripts/deploy/prometheus/alerts.yaml") == "");
}

BOOST_FIXTURE_TEST_CASE(the_deployment_guide_lists_exactly_the_metrics, observability_fixture)
{
    client.get(base + "/auth", token);
    auto exposed = family_names(metrics());
    auto text = read_file(source + "/scripts/deploy/README.md");
    auto from = text.find("## Metrics");
    BOOST_REQUIRE(from != text.npos);
    auto documented =
        names_in(text.substr(from, text.find("\n## ", from) - from), "`((?:latchkey|process)_[a-z_]+)`");
    BOOST_TEST(exposed == documented, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(a_request_is_logged_with_its_trace, observability_fixture)
{
    const std::string trace = "4bf92f3577b34da6a3ce929d0e0e4736", parent = "00f067aa0ba902b7";
    traced("00-" + trace + "-" + parent + "-01");
    BOOST_TEST(server.logs(R"("trace_id":")" + trace + R"(","parent_id":")" + parent + "\""));
    auto log = server.log();
    auto at = log.find("traced-request");
    auto line = log.substr(at, log.find('\n', at) - at);
    BOOST_TEST(line.find("\"duration_us\":") != line.npos, line);

    for (std::string invalid :
         {"", "x", "00-0-0-0", "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
          "ff-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-01",
          "00-4BF92F3577B34DA6A3CE929D0E0E4737-00f067aa0ba902b7-01",
          "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-01-more",
          "00-4bf92f3577b34da6a3ce929d0e0e4737-00f067aa0ba902b7-zz"})
        BOOST_TEST(traced(invalid).status == 200u);
    traced("01-" + trace + "-00f067aa0ba902b8-01-what-may-come"); // a later version of the header
    BOOST_TEST(server.logs("00f067aa0ba902b8"));
    BOOST_TEST(server.log().find("e4737") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
