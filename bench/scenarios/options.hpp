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

/** One of the two servers of a comparison. */
struct contestant {
    std::optional<url> where;
    std::vector<std::string> headers; ///< "Name: value"
    std::vector<pid_t> processes;
};

struct options {
    std::string command; ///< the first word: login, verify-key, …; "help" too

    // whom to ask
    url server = {.host = "127.0.0.1", .port = 8080};
    bool server_given = false;
    std::vector<pid_t> processes;
    std::vector<std::string> headers;
    bool start_server = false;
    std::string program; ///< empty: the one built beside this tool
    std::size_t server_threads = 0;
    std::string server_cpus, cpus;
    std::string database_url, master_key;

    // how hard
    std::optional<std::size_t> connections; ///< by default 64, logins 8, pages 4
    std::size_t threads = 1;
    double rate = 0;
    std::chrono::nanoseconds duration = std::chrono::seconds(10);
    std::chrono::nanoseconds warmup = std::chrono::seconds(2);
    bool spin = false;

    // with what
    key_options keys;
    std::optional<std::size_t> key_count; ///< by default as many as the scenario needs
    std::size_t users = 100;

    // experiments
    contestant a, b;
    std::size_t rounds = 5;
    std::size_t idle = 10'000;
    std::size_t login_connections = 16;
    std::optional<std::size_t> members, events; ///< by default a tenth of the keys, and as many as these

    // what to write
    std::string json_file, svg_file;
    bool quiet = false;
};

/** @throw failure with a sentence for the user */
options parse_options(int argc, char** argv);

/** The text of --help. */
std::string help();

} // namespace bench
