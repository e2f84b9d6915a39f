// The command line.
#pragma once

#include "bench/load/http_client.hpp"
#include "bench/scenarios/scenarios.hpp"

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace bench {

/// One of the two servers of `compare`.
struct target {
    std::optional<url> where;
    /// "Name: value"
    std::vector<std::string> headers;
    std::vector<pid_t> processes;
};

struct options {
    /// The first argument: login, verify-key, ...; or "help".
    std::string command;

    // ---- target server
    url server = {.host = "127.0.0.1", .port = 8080};
    bool server_given = false;
    /// All of them, if --url is repeated.
    std::vector<url> servers;
    /// Servers to start. By default 1; revoke 2.
    std::optional<std::size_t> nodes;
    std::vector<pid_t> processes;
    std::vector<std::string> headers;
    bool start_server = false;
    /// Empty: the one built beside this tool.
    std::string program;
    std::size_t server_threads = 0;
    /// Started servers use TLS.
    bool serves_tls = false;
    std::string server_cpus, cpus;
    std::string database_url, master_key;

    // ---- load
    /// By default 64; logins 8, pages 4.
    std::optional<std::size_t> connections;
    std::size_t threads = 1;
    double rate = 0;
    std::chrono::nanoseconds duration = std::chrono::seconds(10);
    std::chrono::nanoseconds warmup = std::chrono::seconds(2);
    bool spin = false;

    // ---- data
    key_options keys;
    /// By default as many as the scenario needs.
    std::optional<std::size_t> key_count;
    std::size_t users = 100;

    // ---- comparisons
    target a, b;
    std::size_t rounds = 5;
    std::size_t idle = 10'000;
    std::size_t login_connections = 16;
    /// scale: numbers of server threads. Empty: powers of two up to all processors.
    std::vector<std::size_t> cores;
    /// By default a tenth of the keys, and as many as the keys.
    std::optional<std::size_t> members, events;

    // ---- output
    std::string json_file, svg_file;
    bool quiet = false;
};

/// @throw failure with a message for the user
options parse_options(int argc, char** argv);

/// The text of --help.
std::string help();

} // namespace bench
