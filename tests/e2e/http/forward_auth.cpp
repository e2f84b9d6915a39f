// Real proxies with the files of scripts/deploy in front of an application, and Latchkey beside them.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/free_port.hpp"
#include "tests/support/tcp_server.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/write.hpp>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <sstream>

using namespace flows;

namespace {

namespace http = support::http;

const std::string deploy = LATCHKEY_SOURCE_DIR "/scripts/deploy/";

/// An application that answers with what it was told: each header as "name: value", and the body.
class application {
public:
    std::uint16_t port() const { return server_.port(); }
    int asked() const { return asked_; }

private:
    void serve(support::tcp_server::socket& peer)
    {
        boost::beast::flat_buffer buffer;
        for (;;) {
            http::request<http::string_body> in;
            http::read(peer, buffer, in);
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

/// Put one text in the place of another, which must be there.
void replace(std::string& text, const std::string& old, const std::string& with)
{
    auto at = text.find(old);
    BOOST_REQUIRE_MESSAGE(at != text.npos, "the file no longer says " + old);
    text.replace(at, old.size(), with);
}

struct addresses {
    std::string listen, latchkey, application;
};

/// nginx with its file, of which the three addresses are replaced.
std::unique_ptr<support::child_process> start_nginx(const std::string& folder, const addresses& at)
{
    auto text = read_file(deploy + "nginx.conf");
    replace(text, "server 127.0.0.1:8080;", "server " + at.latchkey + ";");
    replace(text, "server 127.0.0.1:3000;", "server " + at.application + ";");
    replace(text, "listen 80;", "listen " + at.listen + ";");
    std::ofstream(folder + "/site.conf") << text;
    std::string user = geteuid() == 0 ? "user nobody nogroup;" : "";
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
    std::vector<std::string> command{"/usr/bin/caddy", "run",      "--adapter",
                                     "caddyfile",      "--config", deploy + "Caddyfile"};
    return std::make_unique<support::child_process>(std::move(command), variables_of(folder, here),
                                                    STDERR_FILENO);
}

std::unique_ptr<support::child_process> start_haproxy(const std::string& folder, const addresses& at)
{
    std::vector<std::string> command{"/usr/sbin/haproxy", "-db", "-C", deploy, "-f", deploy + "haproxy.cfg"};
    return std::make_unique<support::child_process>(std::move(command), variables_of(folder, at),
                                                    STDERR_FILENO);
}

using starter = std::unique_ptr<support::child_process> (*)(const std::string&, const addresses&);

std::string address_of(std::uint16_t port)
{
    return "127.0.0.1:" + std::to_string(port);
}

struct behind_proxy : team {
    behind_proxy(starter start, const support::environment& settings = {}) : team(settings)
    {
        front.speak_through_others();
        std::filesystem::permissions(folder.path(), std::filesystem::perms::all);
        proxy = start(folder.path(), {address_of(port), address_of(server.port()), address_of(app.port())});
        auto is_up = [&] {
            try {
                return front.get("/").status == 401u;
            } catch (const std::exception&) {
                return false;
            }
        };
        bool runs = support::eventually(std::chrono::seconds(10), is_up);
        BOOST_REQUIRE_MESSAGE(runs, proxy->written());
    }

    /// A request with whatever headers, through the proxy.
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

    /// The application's word on a header: its value, or "none"; "twice" if it came more than once.
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
    std::uint16_t port = support::free_port();
    support::http_client front{port};
    std::unique_ptr<support::child_process> proxy;
};

/// Under all the names that an application might take for one of ours.
const std::vector<std::pair<std::string, std::string>> lies = {
    {"X-User-Id", "liar"},       {"x-user-id", "liar"},      {"X_User_Id", "liar"},
    {"X-Workspace-Id", "liar"},  {"X_Workspace_Id", "liar"}, {"X-Role", "liar"},
    {"X_Role", "liar"},          {"X-Scopes", "liar"},       {"X_Scopes", "liar"},
    {"X-Credential-Id", "liar"}, {"X_Credential_Id", "liar"}};

void the_application_is_told_who_calls(starter start)
{
    behind_proxy world(start);
    auto told = world.send(world.mel.token, lies);
    BOOST_REQUIRE_MESSAGE(told.status == 200u, told.body);
    BOOST_TEST(behind_proxy::header_in(told, "X-User-Id") == world.mel.user);
    BOOST_TEST(behind_proxy::header_in(told, "X-Workspace-Id") == world.workspace);
    BOOST_TEST(behind_proxy::header_in(told, "X-Role") == "manager");
    BOOST_TEST(behind_proxy::header_in(told, "X-Scopes") == "*");
    BOOST_TEST(told.body.find("liar") == told.body.npos, told.body);
    BOOST_TEST(told.body.find(world.mel.token) == told.body.npos);

    auto key = world.mint(R"({"name":"k","scopes":["team:read","content:read"]})");
    BOOST_TEST(behind_proxy::header_in(world.send(key, {}), "X-Scopes") == "team:read content:read");

    // Who belongs to nobody is nobody, whatever a client says.
    auto workspaces = world.mint(R"({"name":"k","owner":"workspace"})");
    auto nobody = world.send(workspaces, lies);
    BOOST_TEST(nobody.status == 200u);
    BOOST_TEST(nobody.body.find("liar") == nobody.body.npos, nobody.body);
    BOOST_TEST(behind_proxy::header_in(nobody, "X-Workspace-Id") == world.workspace);
}

void a_body_goes_to_the_application_alone(starter start)
{
    behind_proxy world(start);
    std::string body(50'000, 'x');
    body += "end";
    auto told = world.send(world.token, {{"Content-Type", "text/plain"}}, body, http::verb::post);
    BOOST_REQUIRE_MESSAGE(told.status == 200u, told.body.substr(0, 500));
    BOOST_TEST(told.body.ends_with("\n\n" + body));
}

void refusals_come_through(starter start)
{
    behind_proxy world(start, {{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "20"}});
    int before = world.app.asked();
    auto refused = world.send("", lies);
    BOOST_TEST(refused.status == 401u);
    BOOST_TEST(refused.header("WWW-Authenticate").starts_with("Bearer realm=\"latchkey\""));
    BOOST_TEST(world.send("tnx_nonsense", {}).status == 401u);
    BOOST_TEST(world.app.asked() == before);

    support::response over;
    for (int i = 0; i < 25 && over.status != 429; ++i)
        over = world.send(world.bob.token, {});
    BOOST_TEST(over.status == 429u);
    BOOST_TEST(!over.header("Retry-After").empty());
    BOOST_TEST(over.body.find("rate_limited") != over.body.npos);
    before = world.app.asked();
    BOOST_TEST(world.send(world.bob.token, {}).status == 429u);
    BOOST_TEST(world.app.asked() == before);
}

void nothing_passes_while_latchkey_is_away(starter start)
{
    behind_proxy world(start);
    BOOST_TEST(world.send(world.token, {}).status == 200u);
    int before = world.app.asked();
    world.server.kill();
    auto refused = world.send(world.token, {});
    BOOST_TEST(refused.status >= 500u);
    BOOST_TEST(world.app.asked() == before);
}

void all_of_it(starter start)
{
    the_application_is_told_who_calls(start);
    a_body_goes_to_the_application_alone(start);
    refusals_come_through(start);
    nothing_passes_while_latchkey_is_away(start);
}

} // namespace

BOOST_AUTO_TEST_SUITE(forward_auth)

BOOST_AUTO_TEST_CASE(behind_nginx)
{
    all_of_it(&start_nginx);
}

BOOST_AUTO_TEST_CASE(behind_caddy)
{
    all_of_it(&start_caddy);
}

BOOST_AUTO_TEST_CASE(behind_haproxy)
{
    all_of_it(&start_haproxy);
}

BOOST_AUTO_TEST_SUITE_END()
