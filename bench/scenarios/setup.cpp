#include "bench/scenarios/setup.hpp"

#include "bench/load/failure.hpp"
#include "bench/load/interrupt.hpp"
#include "bench/report/text.hpp"

#include <algorithm>

namespace bench {

namespace {

bool checks_keys(const options& wanted)
{
    auto& command = wanted.command;
    return command == "verify-key" || command == "isolation" || command == "stuck" || command == "idle" ||
           command == "tls" || command == "scale";
}

/// Settings that point both external services, mail and OpenID provider, to one port.
std::vector<std::pair<std::string, std::string>> external_services_at(std::uint16_t port)
{
    auto address = "127.0.0.1:" + std::to_string(port);
    return {{"LATCHKEY_SMTP_URL", "smtp://" + address},
            {"LATCHKEY_MAIL_FROM", "bench@example.org"},
            {"LATCHKEY_GOOGLE_ISSUER", "http://" + address},
            {"LATCHKEY_GOOGLE_AUTHORITATIVE_DOMAINS", "*"},
            {"LATCHKEY_GOOGLE_CLIENT_ID", "bench"},
            {"LATCHKEY_GOOGLE_CLIENT_SECRET", "bench"},
            {"LATCHKEY_REDIRECT_ALLOWLIST", std::string(redirect_uri)}};
}

std::vector<node_plan> nodes_of(const options& wanted)
{
    node_plan one{wanted.server_threads, wanted.server_cpus, wanted.serves_tls};
    if (wanted.command == "tls") {
        std::vector<node_plan> out(2, one);
        out.back().uses_tls = true;
        return out;
    }
    return std::vector(wanted.nodes.value_or(wanted.command == "revoke" ? 2 : 1), one);
}

/// Many, if each key is presented only once, or most of them rarely.
std::size_t keys_needed(const options& wanted)
{
    if (wanted.command == "pages")
        return 0; // fill_workspace() makes them
    if (wanted.key_count)
        return *wanted.key_count;
    constexpr std::size_t few = 20'000, revoked = 500'000, many = 1'000'000;
    if (wanted.command == "mixed")
        return many;
    if (wanted.command == "revoke")
        return revoked;
    if (!checks_keys(wanted))
        return 0;
    auto choice = wanted.keys.choice;
    return choice == key_choice::cold || choice == key_choice::mixed ? many : few;
}

} // namespace

load_plan plan_of(const options& wanted)
{
    load_plan out;
    constexpr std::size_t standard = 64, logins = 8, pages = 4;
    out.connections = wanted.connections.value_or(wanted.command == "login"   ? logins
                                                  : wanted.command == "pages" ? pages
                                                                              : standard);
    out.threads = std::min(wanted.threads, out.connections);
    out.rate = wanted.rate;
    out.warmup = wanted.warmup;
    out.duration = wanted.duration;
    out.spin = wanted.spin;
    return out;
}

meters meters_of(const std::vector<url>& servers, const std::vector<pid_t>& processes)
{
    if (!processes.empty())
        return {process_meter(processes), {}};
    std::vector<pid_t> found;
    for (auto& server : servers)
        if (server.host == "localhost" || server.host.starts_with("127."))
            std::ranges::copy(listeners_on(server.port), std::back_inserter(found));
    return {process_meter(found), {}};
}

std::vector<header> split_headers(const std::vector<std::string>& texts)
{
    std::vector<header> out;
    for (std::string_view text : texts) {
        auto colon = text.find(':');
        if (colon == std::string_view::npos)
            throw failure("not a header: " + std::string(text));
        auto value = text.substr(colon + 1);
        value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
        out.emplace_back(text.substr(0, colon), value);
    }
    return out;
}

setup::setup(const options& wanted, progress& line) : servers_(wanted.servers), plan_(plan_of(wanted))
{
    if (servers_.empty())
        servers_.push_back(wanted.server);
    if (wanted.start_server) {
        server_plan plan{wanted.program, nodes_of(wanted), {}};
        auto nodes = plan.nodes.size();
        line.say(nodes == 1 ? "Starting PostgreSQL and the server …"
                            : "Starting PostgreSQL and " + std::to_string(nodes) + " servers …");
        if (wanted.command == "stuck") {
            tarpit_ = std::make_unique<tarpit>();
            plan.settings = external_services_at(tarpit_->port());
        }
        started_ = std::make_unique<server_process>(plan);
        use_started_servers();
    } else {
        for (auto& one : servers_)
            http_client(one).call("GET", "/healthz"); // fail before seeding, not after
        meters_ = meters_of(servers_, wanted.processes);
    }
    if (!started_)
        for (auto& one : servers_)
            plan_.targets.push_back(resolve(one));
    seed_data(wanted, line);
    bool needs_tokens = wanted.command == "verify-jwt" || wanted.command == "mint" ||
                        wanted.command == "mixed" || wanted.command == "pages" || wanted.command == "revoke";
    if (needs_tokens)
        tokens_ = log_in(server(), data_, std::max<std::size_t>(plan_.connections, 2));
    if (interrupted())
        throw failure("interrupted");
}

void setup::use_started_servers()
{
    servers_ = started_->where();
    meters_ = {started_->meter(), started_->database_meter()};
    plan_.targets.clear();
    for (auto& one : servers_)
        plan_.targets.push_back(resolve(one));
}

void setup::restart(const std::vector<node_plan>& nodes)
{
    started_->restart(nodes);
    use_started_servers();
}

meters setup::meters_of_server(std::size_t number) const
{
    if (started_)
        return {started_->meter(number), started_->database_meter()};
    return bench::meters_of({servers_.at(number)}, {});
}

void setup::seed_data(const options& wanted, progress& line)
{
    auto keys = keys_needed(wanted);
    if (checks_keys(wanted) && wanted.keys.choice == key_choice::invalid) {
        unknown_ = make_unknown_keys(std::max<std::size_t>(1, keys));
        keys = 0;
    }
    seed_plan plan{wanted.command == "pages" ? 2 : wanted.users, keys};
    if (wanted.command == "revoke") // each of them logs in
        plan.users = std::min<std::size_t>(plan.users, plan_.connections);
    auto text = with_commas(plan.users) + " users and " + with_commas(plan.keys) + " keys";
    database_url_ = started_ ? started_->database_url() : wanted.database_url;
    auto master_key = started_ ? started_->master_key() : wanted.master_key;
    if (!database_url_.empty() && !master_key.empty()) {
        line.say("Seeding " + text + " …");
        data_ = seed(database_url_, master_key, plan);
    } else {
        // Every call costs the server a hash or a commit, so a smaller number has to do.
        constexpr std::size_t max_users = 20, max_keys = 2000;
        plan = {std::min(plan.users, max_users), wanted.key_count.value_or(std::min(plan.keys, max_keys))};
        line.say("No database URL and master key given: creating users and keys through the API …");
        data_ = seed_by_calls(server(), plan);
        text = with_commas(plan.users) + " users and " + with_commas(plan.keys) + " keys";
    }
    line.say("Seeded " + text + " in " + as_fixed(data_.seconds, 1) + " s.");
}

} // namespace bench
