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

/** A count, with k and M allowed: 64, 100k, 1M. */
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

std::vector<pid_t> read_processes(std::string_view text)
{
    std::vector<pid_t> out;
    while (!text.empty()) {
        auto comma = std::min(text.find(','), text.size());
        out.push_back(static_cast<pid_t>(read_count(text.substr(0, comma))));
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return out;
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

enum class wants { nothing, value, perhaps_value };

/** One option: how it is written, read and explained. */
struct flag {
    std::string_view name;
    std::string_view value; // its name in the help
    std::string_view explanation;
    std::function<void(options&, std::string_view)> take;
    wants argument = wants::value;
};

struct section {
    std::string_view title;
    std::vector<flag> flags;
};

const std::vector<section>& sections()
{
    using text = std::string_view;
    static const std::vector<section> all = {
        {"Whom to ask",
         {{"--url", "URL", "the server; default http://127.0.0.1:8080",
           [](options& o, text v) { o.server = parse_url(v), o.server_given = true; }},
          {"--start-server", "[PROGRAM]",
           "start one for this run, with a PostgreSQL of its own, and stop both after",
           [](options& o, text v) { o.start_server = true, o.program = v; }, wants::perhaps_value},
          {"--server-threads", "N", "threads of the started server; default: one for each processor",
           [](options& o, text v) { o.server_threads = read_count(v); }},
          {"--server-cpus", "LIST", "keep the started server on these processors, as in 0 or 0,2-3",
           [](options& o, text v) { o.server_cpus = v; }},
          {"--cpus", "LIST", "keep this tool on these processors", [](options& o, text v) { o.cpus = v; }},
          {"--server-pid", "PID,…", "whose CPU time to count; default: whoever listens on the URL's port",
           [](options& o, text v) { o.processes = read_processes(v); }},
          {"--database-url", "URL", "where to seed a server not started here; default $LATCHKEY_DATABASE_URL",
           [](options& o, text v) { o.database_url = v; }},
          {"--master-key", "BASE64", "that server's; better given as $LATCHKEY_MASTER_KEY",
           [](options& o, text v) { o.master_key = v; }},
          {"--header", "'N: V'", "add a header (get alone); may be repeated",
           [](options& o, text v) { o.headers.emplace_back(v); }}}},
        {"How hard",
         {{"--connections", "N", "default 64; login 8, pages 4",
           [](options& o, text v) { o.connections = read_count(v); }},
          {"--rate", "R",
           "open loop: R requests a second, by schedule; latency counts from the scheduled moment",
           [](options& o, text v) { o.rate = read_number(v); }},
          {"--duration", "TIME", "of measuring: 10s (default), 500ms, 2m",
           [](options& o, text v) { o.duration = read_duration(v); }},
          {"--warmup", "TIME", "before measuring; default 2s",
           [](options& o, text v) { o.warmup = read_duration(v); }},
          {"--threads", "N", "of this tool; default 1, which is enough for some 100,000 requests a second",
           [](options& o, text v) { o.threads = read_count(v); }},
          {"--spin", "", "poll instead of sleeping: exact send times at the price of a whole processor",
           [](options& o, text) { o.spin = true; }, wants::nothing}}},
        {"With what",
         {{"--mode", "WHICH", "verify-key: hot (default), cold, mixed or invalid",
           [](options& o, text v) { o.keys.choice = read_choice(v); }},
          {"--keys", "N", "keys to seed; default 20k, where they must not repeat and for pages 1M",
           [](options& o, text v) { o.key_count = read_count(v); }},
          {"--hot-keys", "N", "how many of them are hot; default 1000",
           [](options& o, text v) { o.keys.hot_keys = std::max<std::size_t>(1, read_count(v)); }},
          {"--malformed", "PERCENT", "verify-key --mode invalid: how many have a wrong checksum; default 0",
           [](options& o, text v) { o.keys.malformed_percent = std::min(100.0, read_number(v)); }},
          {"--users", "N", "people to seed; default 100",
           [](options& o, text v) { o.users = read_count(v); }}}},
        {"Experiments",
         {{"--rounds", "N", "compare, isolation, stuck, pages: how often each side has its turn; default 5",
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
          {"--login-connections", "N", "isolation: who logs in without a pause; default 16",
           [](options& o, text v) { o.login_connections = read_count(v); }},
          {"--idle", "N", "idle: connections held open; default 10k",
           [](options& o, text v) { o.idle = read_count(v); }},
          {"--members", "N", "pages: of the large workspace; default a tenth of its --keys",
           [](options& o, text v) { o.members = read_count(v); }},
          {"--events", "N", "pages: of its audit trail; default as many as keys",
           [](options& o, text v) { o.events = read_count(v); }}}},
        {"What to write",
         {{"--json", "FILE", "all figures, with the full latency curve",
           [](options& o, text v) { o.json_file = v; }},
          {"--svg", "FILE", "a plot of latency by percentile", [](options& o, text v) { o.svg_file = v; }},
          {"--quiet", "", "no progress, the result alone", [](options& o, text) { o.quiet = true; },
           wants::nothing},
          {"--help", "", "this text", [](options& o, text) { o.command = "help"; }, wants::nothing}}},
    };
    return all;
}

const flag& find_flag(std::string_view name)
{
    for (auto& section : sections())
        for (auto& flag : section.flags)
            if (flag.name == name)
                return flag;
    throw failure("there is no option " + std::string(name) + ": see latchkey-bench --help");
}

constexpr std::array<std::string_view, 12> commands{"login",   "verify-key", "verify-jwt", "mint",
                                                    "mixed",   "get",        "isolation",  "stuck",
                                                    "compare", "idle",       "pages",      "help"};

void take_word(options& out, std::string_view word)
{
    if (out.command.empty()) {
        if (std::find(commands.begin(), commands.end(), word) == commands.end())
            throw failure("there is no scenario " + std::string(word) + ": see latchkey-bench --help");
        out.command = word;
    } else if (out.command == "get" && !out.server_given) {
        out.server = parse_url(word);
        out.server_given = true;
    } else {
        throw failure("what is " + std::string(word) + " for? See latchkey-bench --help");
    }
}

void check(const options& o)
{
    if (o.duration <= std::chrono::nanoseconds::zero())
        throw failure("--duration must be more than nothing");
    if (o.connections == std::size_t(0) || o.threads == 0)
        throw failure("--connections and --threads must be at least 1");
    if (o.command == "get" && !o.server_given)
        throw failure("which URL? For example: latchkey-bench get http://127.0.0.1:8080/healthz");
    if (o.command == "compare" && (!o.a.where || !o.b.where))
        throw failure("compare needs --a-url and --b-url");
    if (o.command == "pages" && !o.start_server && o.database_url.empty() &&
        !std::getenv("LATCHKEY_DATABASE_URL"))
        throw failure("pages needs --start-server, or --database-url to seed");
    if (o.command == "pages" && !o.svg_file.empty())
        throw failure("pages makes many comparisons, and no plot: leave out --svg");
    if (o.command == "stuck" && !o.start_server)
        throw failure("stuck needs --start-server, which tells the server where to hang");
    if (o.start_server && o.server_given)
        throw failure("--start-server chooses its own port: leave out --url");
}

void take_environment(options& o)
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
            take_word(out, word);
            continue;
        }
        auto equals = word.find('=');
        auto& flag = find_flag(word.substr(0, equals));
        std::string_view value;
        bool follows = i + 1 < words.size() && !words[i + 1].starts_with("--");
        if (equals != std::string_view::npos) {
            if (flag.argument == wants::nothing)
                throw failure(std::string(flag.name) + " takes no value");
            value = word.substr(equals + 1);
        } else if (flag.argument == wants::value || (flag.argument == wants::perhaps_value && follows)) {
            if (i + 1 == words.size())
                throw failure(std::string(flag.name) + " needs a value: " + std::string(flag.value));
            value = words[++i];
        }
        flag.take(out, value);
        if (out.command == "help")
            return out;
    }
    if (out.command.empty())
        out.command = "help";
    if (out.command != "help")
        check(out);
    take_environment(out);
    return out;
}

std::string help()
{
    std::string out = R"(latchkey-bench: how fast, and at what cost?

  latchkey-bench SCENARIO [OPTION …]

Scenarios
  verify-key      ask GET /auth with API keys: --mode hot, cold, mixed or invalid
  verify-jwt      ask GET /auth with access tokens
  login           sign in with a password
  mint            make API keys
  mixed           90 % hot keys, 5 % cold keys, 3 % tokens, 1.5 % mints, 0.5 % logins
  get URL         any URL of any server, for example nginx, with the same generator
Experiments
  compare         two servers in turn, with medians and the ratio of their CPU per request
  isolation       key checks at a modest rate, with and without a storm of logins
  stuck           the same beside a mail server and a provider of sign-ins that hang; needs --start-server
  idle            what ten thousand idle connections cost
  pages           a page of long lists (a million keys, 100,000 members) against one of short ones, and pages far
                  down against the first

Examples
  latchkey-bench verify-key --start-server
  latchkey-bench verify-key --mode cold --keys 1M --start-server --server-cpus 0 --cpus 1
  latchkey-bench mixed --rate 5000 --duration 1m --start-server --json run.json --svg run.svg
  latchkey-bench get http://127.0.0.1:8081/ --connections 128
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
A server not started here needs LATCHKEY_RATE_LIMIT_PER_MINUTE=0, and its database's URL and master key, so that
keys can be seeded straight into the tables. Without these, people and keys are made by calling the server.

Exit status: 0, or 1 when more than 0.1 % of the answers were not the expected ones or the run could not be made.
)";
    return out;
}

} // namespace bench
