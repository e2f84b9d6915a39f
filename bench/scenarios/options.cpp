#include "bench/scenarios/options.hpp"

#include "bench/load/failure.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <functional>

namespace bench {

namespace {

double read_number(std::string_view text)
{
    double out = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    if (error != std::errc() || end != text.data() + text.size() || !(out >= 0) || out > 1e12)
        throw failure("not a number: " + std::string(text));
    return out;
}

/// A count with an optional suffix k or M: 64, 100k, 1M.
std::size_t read_count(std::string_view text)
{
    double unit = text.ends_with('k') ? 1e3 : text.ends_with('M') ? 1e6 : 1;
    return static_cast<std::size_t>(read_number(text.substr(0, text.size() - (unit > 1 ? 1 : 0))) * unit);
}

std::chrono::nanoseconds read_duration(std::string_view text)
{
    constexpr std::array<std::pair<std::string_view, double>, 3> units{
        {{"ms", 1e6}, {"s", 1e9}, {"m", 60e9}}};
    double unit = 1e9;
    for (auto [name, size] : units)
        if (text.ends_with(name)) {
            unit = size;
            text.remove_suffix(name.size());
            break;
        }
    return std::chrono::nanoseconds(static_cast<std::int64_t>(read_number(text) * unit));
}

/// Counts between commas.
template <class T>
std::vector<T> read_list(std::string_view text)
{
    std::vector<T> out;
    while (!text.empty()) {
        auto comma = std::min(text.find(','), text.size());
        out.push_back(static_cast<T>(read_count(text.substr(0, comma))));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return out;
}

std::vector<pid_t> read_processes(std::string_view text)
{
    return read_list<pid_t>(text);
}

key_choice read_choice(std::string_view text)
{
    if (text == "hot")
        return key_choice::hot;
    if (text == "cold")
        return key_choice::cold;
    if (text == "mixed")
        return key_choice::mixed;
    if (text == "invalid")
        return key_choice::invalid;
    throw failure("--mode is hot, cold, mixed or invalid, not " + std::string(text));
}

enum class argument_type { none, required, optional };

/// One option: its name, parser and help text.
struct flag {
    std::string_view name;
    /// The name of its value in the help.
    std::string_view value;
    std::string_view explanation;
    std::function<void(options&, std::string_view)> apply;
    argument_type argument = argument_type::required;
};

struct option_section {
    std::string_view title;
    std::vector<flag> flags;
};

const std::vector<option_section>& sections()
{
    using text = std::string_view;
    static const std::vector<option_section> all = {
        {"Target server",
         {{"--url", "URL", "the server; default http://127.0.0.1:8080; revoke, tls: may be repeated",
           [](options& o, text v) {
               o.server = parse_url(v), o.server_given = true;
               o.servers.push_back(o.server);
           }},
          {"--start-server", "[PROGRAM]", "start a server and a PostgreSQL for this run",
           [](options& o, text v) { o.start_server = true, o.program = v; }, argument_type::optional},
          {"--tls", "", "serve HTTPS from the started server, with a certificate made for the run",
           [](options& o, text) { o.serves_tls = true; }, argument_type::none},
          {"--nodes", "N", "revoke --start-server: servers on that PostgreSQL; default 2",
           [](options& o, text v) { o.nodes = std::max<std::size_t>(1, read_count(v)); }},
          {"--server-threads", "N", "threads of each started server; default: one per processor",
           [](options& o, text v) { o.server_threads = read_count(v); }},
          {"--server-cpus", "LIST", "pin the started server to these processors, such as 0 or 0,2-3",
           [](options& o, text v) { o.server_cpus = v; }},
          {"--cpus", "LIST", "pin this tool to these processors", [](options& o, text v) { o.cpus = v; }},
          {"--server-pid", "PID,…", "processes to measure; default: the listeners on the URL's port",
           [](options& o, text v) { o.processes = read_processes(v); }},
          {"--database-url", "URL", "database to seed for a running server; default $LATCHKEY_DATABASE_URL",
           [](options& o, text v) { o.database_url = v; }},
          {"--master-key", "BASE64", "master key of that server; preferably $LATCHKEY_MASTER_KEY",
           [](options& o, text v) { o.master_key = v; }},
          {"--header", "'N: V'", "add a header (get only); may be repeated",
           [](options& o, text v) { o.headers.emplace_back(v); }}}},
        {"Load",
         {{"--connections", "N", "default 64; login 8, pages 4",
           [](options& o, text v) { o.connections = read_count(v); }},
          {"--rate", "R",
           "open loop: R scheduled requests per second; latency counts from the scheduled time",
           [](options& o, text v) { o.rate = read_number(v); }},
          {"--duration", "TIME", "of the measured window: 10s (default), 500ms, 2m",
           [](options& o, text v) { o.duration = read_duration(v); }},
          {"--warmup", "TIME", "before measuring; default 2s",
           [](options& o, text v) { o.warmup = read_duration(v); }},
          {"--threads", "N", "of this tool; default 1, enough for some 100,000 requests per second",
           [](options& o, text v) { o.threads = read_count(v); }},
          {"--spin", "",
           "poll instead of sleeping: exact send times, if --cpus gives it a processor of its own",
           [](options& o, text) { o.spin = true; }, argument_type::none}}},
        {"Data",
         {{"--mode", "WHICH", "verify-key: hot (default), cold, mixed or invalid",
           [](options& o, text v) { o.keys.choice = read_choice(v); }},
          {"--keys", "N",
           "keys to seed; default 20k; 500k for revoke; 1M for cold and mixed keys and for pages",
           [](options& o, text v) { o.key_count = read_count(v); }},
          {"--hot-keys", "N", "number of hot keys; default 1000",
           [](options& o, text v) { o.keys.hot_keys = std::max<std::size_t>(1, read_count(v)); }},
          {"--malformed", "PERCENT", "verify-key --mode invalid: share with a wrong checksum; default 0",
           [](options& o, text v) { o.keys.malformed_percent = std::min(100.0, read_number(v)); }},
          {"--users", "N", "users to seed; default 100",
           [](options& o, text v) { o.users = read_count(v); }}}},
        {"Comparisons",
         {{"--rounds", "N", "all except idle: alternating rounds; default 5",
           [](options& o, text v) { o.rounds = std::max<std::size_t>(1, read_count(v)); }},
          {"--a-url", "URL", "compare: the first server",
           [](options& o, text v) { o.a.where = parse_url(v); }},
          {"--b-url", "URL", "compare: the second server",
           [](options& o, text v) { o.b.where = parse_url(v); }},
          {"--a-pid", "PID,…", "compare: the first server's processes",
           [](options& o, text v) { o.a.processes = read_processes(v); }},
          {"--b-pid", "PID,…", "compare: the second server's processes",
           [](options& o, text v) { o.b.processes = read_processes(v); }},
          {"--a-header", "'N: V'", "compare: add a header to the first server's requests; may be repeated",
           [](options& o, text v) { o.a.headers.emplace_back(v); }},
          {"--b-header", "'N: V'", "compare: the same for the second",
           [](options& o, text v) { o.b.headers.emplace_back(v); }},
          {"--login-connections", "N", "isolation: connections that log in continuously; default 16",
           [](options& o, text v) { o.login_connections = read_count(v); }},
          {"--cores", "N,…", "scale: threads of the server; default 1, 2, 4, … and all processors",
           [](options& o, text v) { o.cores = read_list<std::size_t>(v); }},
          {"--idle", "N", "idle: connections held open; default 10k",
           [](options& o, text v) { o.idle = read_count(v); }},
          {"--members", "N", "pages: members of the large workspace; default a tenth of its --keys",
           [](options& o, text v) { o.members = read_count(v); }},
          {"--events", "N", "pages: audit events of that workspace; default as many as keys",
           [](options& o, text v) { o.events = read_count(v); }}}},
        {"Output",
         {{"--json", "FILE", "write all figures, with the full latency curve",
           [](options& o, text v) { o.json_file = v; }},
          {"--svg", "FILE", "write a plot of latency by percentile",
           [](options& o, text v) { o.svg_file = v; }},
          {"--quiet", "", "print the result only", [](options& o, text) { o.quiet = true; },
           argument_type::none},
          {"--help", "", "this text", [](options& o, text) { o.command = "help"; }, argument_type::none}}},
    };
    return all;
}

const flag& find_flag(std::string_view name)
{
    for (auto& section : sections())
        for (auto& flag : section.flags)
            if (flag.name == name)
                return flag;
    throw failure("unknown option " + std::string(name) + ": see latchkey-bench --help");
}

constexpr std::array<std::string_view, 15> commands{"login", "verify-key", "verify-jwt", "mint",    "mixed",
                                                    "get",   "isolation",  "stuck",      "compare", "idle",
                                                    "pages", "revoke",     "tls",        "scale",   "help"};

void take_argument(options& out, std::string_view word)
{
    if (out.command.empty()) {
        if (std::find(commands.begin(), commands.end(), word) == commands.end())
            throw failure("unknown command " + std::string(word) + ": see latchkey-bench --help");
        out.command = word;
    } else if (out.command == "get" && !out.server_given) {
        out.server = parse_url(word);
        out.server_given = true;
    } else {
        throw failure("unexpected argument " + std::string(word) + ": see latchkey-bench --help");
    }
}

void check(const options& o)
{
    if (o.duration <= std::chrono::nanoseconds::zero())
        throw failure("--duration must be positive");
    if (o.connections == std::size_t(0) || o.threads == 0)
        throw failure("--connections and --threads must be at least 1");
    if (o.command == "get" && !o.server_given)
        throw failure("get needs a URL, for example: latchkey-bench get http://127.0.0.1:8080/healthz");
    if (o.command == "compare" && (!o.a.where || !o.b.where))
        throw failure("compare needs --a-url and --b-url");
    if (o.command == "pages" && !o.start_server && o.database_url.empty() &&
        !std::getenv("LATCHKEY_DATABASE_URL"))
        throw failure("pages needs --start-server, or --database-url to seed");
    if (o.command == "pages" && !o.svg_file.empty())
        throw failure("pages makes many comparisons and no plot: omit --svg");
    if (o.command == "stuck" && !o.start_server)
        throw failure("stuck needs --start-server, which points the server to services that hang");
    if (o.servers.size() > 1 && o.command != "revoke" && o.command != "tls")
        throw failure("only revoke and tls take several servers");
    if (o.command == "tls" && !o.start_server &&
        (o.servers.size() != 2 || o.servers[0].uses_tls || !o.servers[1].uses_tls))
        throw failure("tls needs --start-server, or --url http://… and --url https://…, of one database");
    if (o.serves_tls && (!o.start_server || o.command == "tls"))
        throw failure("--tls is for --start-server; the command tls starts a server of each kind");
    if (o.command == "scale" && !o.start_server)
        throw failure("scale needs --start-server: it restarts the server with other numbers of threads");
    if (std::ranges::find(o.cores, std::size_t(0)) != o.cores.end())
        throw failure("--cores takes positive numbers: 1,2,4");
    if (!o.cores.empty() && o.command != "scale")
        throw failure("--cores is for scale");
    if ((o.command == "tls" || o.command == "scale") && !o.svg_file.empty())
        throw failure(o.command + " makes many comparisons and no plot: omit --svg");
    if (o.nodes && (o.command != "revoke" || !o.start_server))
        throw failure("--nodes is for revoke --start-server");
    if (o.command == "revoke" && !o.svg_file.empty())
        throw failure("revoke measures several loads and makes no plot: omit --svg");
    if (o.start_server && o.server_given)
        throw failure("--start-server chooses its own port: omit --url");
}

void apply_environment(options& o)
{
    if (const char* value = std::getenv("LATCHKEY_DATABASE_URL"); value && o.database_url.empty())
        o.database_url = value;
    if (const char* value = std::getenv("LATCHKEY_MASTER_KEY"); value && o.master_key.empty())
        o.master_key = value;
}

} // namespace

options parse_options(int argc, char** argv)
{
    options out;
    std::vector<std::string_view> words(argv + 1, argv + argc);
    for (std::size_t i = 0; i < words.size(); ++i) {
        auto word = words[i];
        if (word == "-h")
            word = "--help";
        if (!word.starts_with("--")) {
            take_argument(out, word);
            continue;
        }
        auto equals = word.find('=');
        auto& flag = find_flag(word.substr(0, equals));
        std::string_view value;
        bool follows = i + 1 < words.size() && !words[i + 1].starts_with("--");
        if (equals != std::string_view::npos) {
            if (flag.argument == argument_type::none)
                throw failure(std::string(flag.name) + " takes no value");
            value = word.substr(equals + 1);
        } else if (flag.argument == argument_type::required ||
                   (flag.argument == argument_type::optional && follows)) {
            if (i + 1 == words.size())
                throw failure(std::string(flag.name) + " needs a value: " + std::string(flag.value));
            value = words[++i];
        }
        flag.apply(out, value);
        if (out.command == "help")
            return out;
    }
    if (out.command.empty())
        out.command = "help";
    if (out.command != "help")
        check(out);
    apply_environment(out);
    return out;
}

std::string help()
{
    std::string out = R"(latchkey-bench: load generator and benchmarks for Latchkey

  latchkey-bench COMMAND [OPTION …]

Scenarios
  verify-key      GET /auth with API keys: --mode hot, cold, mixed or invalid
  verify-jwt      GET /auth with access tokens
  login           POST /login
  mint            POST /api-keys
  mixed           90 % hot keys, 5 % cold keys, 3 % tokens, 1.5 % mints, 0.5 % logins
  get URL         any URL of any server, for example nginx, with the same generator
Comparisons
  compare         two servers in alternating rounds: medians, and the ratio of CPU per request
  isolation       key checks at a moderate rate, without and with continuous logins
  stuck           the same with a mail server and an OpenID provider that hang; needs --start-server
  idle            the cost of ten thousand idle connections
  pages           pages of long lists (a million keys, 100,000 members) against pages of short lists, and
                  deep pages against the first
  revoke          keys revoked as fast as the connections permit, and at a moderate --rate (default 50), with
                  every server of a database; the former in turns with pgbench, which commits one transaction
                  with a NOTIFY each
  tls             HTTPS against HTTP: checks of 1 key and of 100 keys at a --rate (default 10,000) and as fast
                  as the connections permit, and new connections, with full and with resumed handshakes
  scale           key checks by 1, 2, 4, … threads of the server, each on a processor of its own, the first
                  ones of --server-cpus; needs --start-server

Examples
  latchkey-bench verify-key --start-server
  latchkey-bench verify-key --mode cold --keys 1M --start-server --server-cpus 0 --cpus 1
  latchkey-bench mixed --rate 5000 --duration 1m --start-server --json run.json --svg run.svg
  latchkey-bench get http://127.0.0.1:8081/ --connections 128
  latchkey-bench revoke --start-server --nodes 2
  latchkey-bench tls --start-server --rate 5000 --server-cpus 0 --cpus 1
  latchkey-bench scale --start-server --cores 1,2,4
  latchkey-bench compare --a-url http://127.0.0.1:8080/healthz --b-url http://127.0.0.1:8081/
)";
    for (auto& section : sections()) {
        out.append("\n").append(section.title).append("\n");
        for (auto& flag : section.flags) {
            std::string left = "  " + std::string(flag.name) + " " + std::string(flag.value);
            // The ellipsis is one column and three bytes wide.
            std::size_t columns = left.size() - (flag.value.find("…") != std::string_view::npos ? 2 : 0);
            left.append(columns < 28 ? 28 - columns : 1, ' ');
            out.append(left).append(flag.explanation).append("\n");
        }
    }
    out += R"(
A running server needs LATCHKEY_RATE_LIMIT_PER_MINUTE=0. With its database URL and master key, users and keys
are seeded straight into the tables; without them, through the API. URLs are http:// or https://; the latter
means TLS 1.3, and certificates are not verified.

Exit status: 0, or 1 if more than 0.1 % of the responses were not the expected ones or the run failed.
)";
    return out;
}

} // namespace bench
