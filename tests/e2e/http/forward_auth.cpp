// Forward authentication by real proxies, run with the files of scripts/deploy before an application.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/reserved_port.hpp"
#include "tests/support/tcp_server.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <regex>
#include <sstream>

using namespace e2e;

namespace {

namespace http = support::http;

const std::string deploy = LATCHKEY_SOURCE_DIR "/scripts/deploy/";

/// An application that echoes its request: each header as "name: value", and the body.
class application {
public:
    std::uint16_t port() const { return server_.port(); }
    int asked() const { return asked_; }

private:
    void serve(support::tcp_server::socket& peer)
    {
        boost::beast::flat_buffer buffer;
        for (;;) {
            http::request_parser<http::string_body> parser;
            parser.header_limit(64 * 1024);
            http::read(peer, buffer, parser);
            auto in = parser.release();
            ++asked_;
            http::response<http::string_body> out(http::status::ok, 11);
            for (auto& field : in)
                out.body().append(field.name_string()).append(": ").append(field.value()).append("\n");
            out.body().append("\n").append(in.body());
            out.prepare_payload();
            http::write(peer, out);
        }
    }

    std::atomic<int> asked_{0};
    support::tcp_server server_{[this](auto& peer) { serve(peer); }};
};

std::string read_file(const std::string& path)
{
    std::ifstream file(path);
    BOOST_REQUIRE_MESSAGE(file.good(), path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// Replace a text, which must be present, by another.
void replace(std::string& text, const std::string& old, const std::string& with)
{
    auto at = text.find(old);
    BOOST_REQUIRE_MESSAGE(at != text.npos, "the file no longer says " + old);
    text.replace(at, old.size(), with);
}

struct addresses {
    std::string listen, latchkey, application;
    /// Enable the optional lines of the file: those that begin with # and no space.
    bool with_options = false;
};

/// A file of scripts/deploy, with its optional lines enabled where that is asked for.
std::string read_proxy_file(const std::string& name, const addresses& at)
{
    auto text = read_file(deploy + name);
    return at.with_options ? std::regex_replace(text, std::regex("(^|\n)([ \t]*)#(?=[^ #\n])"), "$1$2")
                           : text;
}

/// nginx with nginx.conf, after replacing its three addresses.
std::unique_ptr<support::child_process> start_nginx(const std::string& folder, const addresses& at)
{
    auto text = read_proxy_file("nginx.conf", at);
    replace(text, "server 127.0.0.1:8080;", "server " + at.latchkey + ";");
    replace(text, "server 127.0.0.1:3000;", "server " + at.application + ";");
    replace(text, "listen 80;", "listen " + at.listen + ";");
    std::ofstream(folder + "/site.conf") << text;
    std::string user = geteuid() == 0 ? "user www-data;" : "";
    std::ofstream(folder + "/nginx.conf")
        << user << "daemon off; master_process off; pid " << folder
        << "/pid; error_log stderr; worker_processes 1; events {}\n"
        << "http { access_log off; client_body_temp_path " << folder << "/b; proxy_temp_path " << folder
        << "/p; fastcgi_temp_path " << folder << "/f; uwsgi_temp_path " << folder << "/u; scgi_temp_path "
        << folder << "/s; include " << folder << "/site.conf; }\n";
    std::vector<std::string> command{"/usr/sbin/nginx", "-c", folder + "/nginx.conf"};
    return std::make_unique<support::child_process>(std::move(command), support::environment(),
                                                    STDERR_FILENO);
}

support::environment variables_of(const std::string& folder, const addresses& at)
{
    return {
        {"LISTEN", at.listen}, {"LATCHKEY", at.latchkey}, {"APPLICATION", at.application}, {"HOME", folder}};
}

std::unique_ptr<support::child_process> start_caddy(const std::string& folder, const addresses& at)
{
    auto here = at;
    here.listen = "http://" + at.listen;
    std::ofstream(folder + "/Caddyfile") << read_proxy_file("Caddyfile", at);
    std::vector<std::string> command{"/usr/bin/caddy", "run",      "--adapter",
                                     "caddyfile",      "--config", folder + "/Caddyfile"};
    return std::make_unique<support::child_process>(std::move(command), variables_of(folder, here),
                                                    STDERR_FILENO);
}

std::unique_ptr<support::child_process> start_haproxy(const std::string& folder, const addresses& at)
{
    std::ofstream(folder + "/haproxy.cfg") << read_proxy_file("haproxy.cfg", at);
    std::vector<std::string> command{"/usr/sbin/haproxy", "-db", "-C", deploy, "-f", folder + "/haproxy.cfg"};
    return std::make_unique<support::child_process>(std::move(command), variables_of(folder, at),
                                                    STDERR_FILENO);
}

using starter = std::unique_ptr<support::child_process> (*)(const std::string&, const addresses&);

std::string address_of(std::uint16_t port)
{
    return "127.0.0.1:" + std::to_string(port);
}

struct proxy_fixture : team_fixture {
    proxy_fixture(starter start, const support::environment& settings = {}, bool with_options = false)
        : team_fixture(settings)
    {
        front.skip_recording();
        std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
        proxy = start(folder.path(),
                      {address_of(port), address_of(server.port()), address_of(app.port()), with_options});
        auto is_up = [&] {
            try {
                return front.get("/").status == 401u;
            } catch (const std::exception&) {
                return false;
            }
        };
        bool runs = support::eventually(is_up);
        BOOST_REQUIRE_MESSAGE(runs, proxy->output());
    }

    /// Send a request with additional headers through the proxy.
    support::response send(const std::string& credential,
                           const std::vector<std::pair<std::string, std::string>>& headers,
                           std::string body = "", http::verb method = http::verb::get)
    {
        http::request<http::string_body> message(method, "/things?a=b", 11);
        if (!credential.empty())
            message.set("Authorization", "Bearer " + credential);
        for (auto& [name, value] : headers)
            message.insert(name, value);
        message.body() = std::move(body);
        return front.send(std::move(message));
    }

    /// The value of a header as the application received it, "none", or "twice" for several.
    static std::string header_in(const support::response& answer, const std::string& name)
    {
        std::string out = "none";
        std::istringstream lines(answer.body);
        for (std::string line; std::getline(lines, line) && !line.empty();) {
            auto colon = line.find(':');
            if (!boost::beast::iequals(line.substr(0, colon), name))
                continue;
            out = out == "none" ? std::string(trimmed(line.substr(colon + 1))) : "twice";
        }
        return out;
    }

    static std::string_view trimmed(std::string_view text)
    {
        auto from = text.find_first_not_of(' ');
        return from == text.npos ? std::string_view() : text.substr(from);
    }

    support::temporary_folder folder;
    application app;
    std::uint16_t port = support::reserve_port();
    support::http_client front{port};
    std::unique_ptr<support::child_process> proxy;
};

const std::vector<std::string> identity_headers = {"X-User-Id", "X-Workspace-Id", "X-Role", "X-Scopes",
                                                   "X-Credential-Id"};

/** Forged identity headers, under every name that an application might read as one of Latchkey's: each dash
    as a dash, an underscore or a dot. */
std::vector<std::pair<std::string, std::string>> forge_identity()
{
    std::vector<std::pair<std::string, std::string>> out{{"x-user-id", "forged"}, {"X-USER_ID", "forged"}};
    for (auto& name : identity_headers) {
        std::vector<std::string> spellings{name};
        for (std::size_t i = 0; i < name.size(); ++i)
            if (name[i] == '-')
                for (auto one : std::vector(spellings))
                    for (char separator : {'_', '.'}) {
                        one[i] = separator;
                        spellings.push_back(one);
                    }
        for (auto& one : spellings)
            out.emplace_back(one, "forged");
    }
    return out;
}

const auto forged = forge_identity();

void identity_headers_are_authentic(starter start)
{
    proxy_fixture fixture(start);
    auto echo = fixture.send(fixture.mel.token, forged);
    BOOST_REQUIRE_MESSAGE(echo.status == 200u, echo.body);
    BOOST_TEST(proxy_fixture::header_in(echo, "X-User-Id") == fixture.mel.user);
    BOOST_TEST(proxy_fixture::header_in(echo, "X-Workspace-Id") == fixture.workspace);
    BOOST_TEST(proxy_fixture::header_in(echo, "X-Role") == "manager");
    BOOST_TEST(proxy_fixture::header_in(echo, "X-Scopes") == "*");
    BOOST_TEST(echo.body.find("forged") == echo.body.npos, echo.body);
    BOOST_TEST(echo.body.find(fixture.mel.token) == echo.body.npos);

    auto key = fixture.mint(R"({"name":"k","scopes":["team:read","content:read"]})");
    BOOST_TEST(proxy_fixture::header_in(fixture.send(key, {}), "X-Scopes") == "team:read content:read");

    // A key owned by a workspace has no user, and the forged one is removed.
    auto workspaces = fixture.mint(R"({"name":"k","owner":"workspace"})");
    auto by_workspace = fixture.send(workspaces, forged);
    BOOST_TEST(by_workspace.status == 200u);
    BOOST_TEST(by_workspace.body.find("forged") == by_workspace.body.npos, by_workspace.body);
    BOOST_TEST(proxy_fixture::header_in(by_workspace, "X-Workspace-Id") == fixture.workspace);
}

/// A proxy removes the headers named in Connection before it forwards a request (RFC 9110, section 7.6.1).
void naming_the_identity_in_connection_does_not_remove_it(starter start)
{
    proxy_fixture fixture(start);
    std::vector<std::string> values{"keep-alive"};
    for (auto& name : identity_headers) {
        values.push_back(name);
        values.push_back("keep-alive," + name);
        values.push_back("keep-alive , x_" + name.substr(2));
    }
    for (auto& value : values) {
        auto answer = fixture.send(fixture.mel.token, {{"Connection", value}});
        if (value != "keep-alive" && answer.status == 400u)
            continue;
        BOOST_TEST(answer.status == 200u, value << ": " << answer.body);
        for (auto& name : identity_headers)
            BOOST_TEST(proxy_fixture::header_in(answer, name) != "none", value << " removes " << name);
    }
    auto two_lines =
        fixture.send(fixture.mel.token, {{"Connection", "keep-alive"}, {"Connection", "X-Scopes"}});
    if (two_lines.status != 400u)
        BOOST_TEST(proxy_fixture::header_in(two_lines, "X-Scopes") == "*");
}

void large_cookies_reach_the_application_only(starter start)
{
    proxy_fixture fixture(start);
    const std::string cookie = "a=" + std::string(20'000, 'c');
    auto echo = fixture.send(fixture.token, {{"Cookie", cookie}});
    BOOST_TEST(echo.status == 200u, echo.body.substr(0, 500));
    BOOST_TEST((proxy_fixture::header_in(echo, "Cookie") == cookie));
}

void preflight_requests_pass_where_the_file_says_so(starter start)
{
    using headers = std::vector<std::pair<std::string, std::string>>;
    const headers preflight{{"Origin", "https://spa.example"},
                            {"Access-Control-Request-Method", "GET"},
                            {"Access-Control-Request-Headers", "authorization"}};
    for (bool enabled : {false, true}) {
        proxy_fixture fixture(start, {}, enabled);
        BOOST_TEST(fixture.send("", preflight, "", http::verb::options).status == (enabled ? 200u : 401u));
        // Without the header it is no preflight request, and neither is a GET with it.
        BOOST_TEST(fixture.send("", {preflight[0]}, "", http::verb::options).status == 401u);
        BOOST_TEST(fixture.send("", preflight).status == 401u);
        auto all = forged;
        all.insert(all.end(), preflight.begin(), preflight.end());
        auto echo = fixture.send(fixture.token, all, "", http::verb::options);
        BOOST_TEST(echo.status == 200u);
        BOOST_TEST(echo.body.find("forged") == echo.body.npos, echo.body);
        BOOST_TEST(echo.body.find(fixture.token) == echo.body.npos);
    }
}

void a_body_is_forwarded_to_the_application_only(starter start)
{
    proxy_fixture fixture(start);
    std::string body(50'000, 'x');
    body += "end";
    auto echo = fixture.send(fixture.token, {{"Content-Type", "text/plain"}}, body, http::verb::post);
    BOOST_REQUIRE_MESSAGE(echo.status == 200u, echo.body.substr(0, 500));
    BOOST_TEST(echo.body.ends_with("\n\n" + body));
}

void refusals_are_passed_on(starter start)
{
    proxy_fixture fixture(start, {{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "20"}});
    int before = fixture.app.asked();
    auto refused = fixture.send("", forged);
    BOOST_TEST(refused.status == 401u);
    BOOST_TEST(refused.header("WWW-Authenticate").starts_with("Bearer realm=\"latchkey\""));
    BOOST_TEST(fixture.send("tnx_nonsense", {}).status == 401u);
    BOOST_TEST(fixture.app.asked() == before);

    support::response over;
    for (int i = 0; i < 25 && over.status != 429; ++i)
        over = fixture.send(fixture.bob.token, {});
    BOOST_TEST(over.status == 429u);
    BOOST_TEST(!over.header("Retry-After").empty());
    BOOST_TEST(over.body.find("rate_limited") != over.body.npos);
    before = fixture.app.asked();
    BOOST_TEST(fixture.send(fixture.bob.token, {}).status == 429u);
    BOOST_TEST(fixture.app.asked() == before);
}

void requests_fail_while_latchkey_is_down(starter start)
{
    proxy_fixture fixture(start);
    BOOST_TEST(fixture.send(fixture.token, {}).status == 200u);
    int before = fixture.app.asked();
    fixture.server.kill();
    auto refused = fixture.send(fixture.token, {});
    BOOST_TEST(refused.status >= 500u);
    BOOST_TEST(fixture.app.asked() == before);
}

void check_all(starter start)
{
    identity_headers_are_authentic(start);
    naming_the_identity_in_connection_does_not_remove_it(start);
    large_cookies_reach_the_application_only(start);
    preflight_requests_pass_where_the_file_says_so(start);
    a_body_is_forwarded_to_the_application_only(start);
    refusals_are_passed_on(start);
    requests_fail_while_latchkey_is_down(start);
}

} // namespace

BOOST_AUTO_TEST_SUITE(forward_auth)

BOOST_AUTO_TEST_CASE(nginx)
{
    check_all(&start_nginx);
}

BOOST_AUTO_TEST_CASE(caddy)
{
    check_all(&start_caddy);
}

BOOST_AUTO_TEST_CASE(haproxy)
{
    check_all(&start_haproxy);
}

BOOST_AUTO_TEST_SUITE_END()
