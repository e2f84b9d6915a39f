// Setup of a run: a server, and users and keys that it knows.
#pragma once

#include "bench/load/measure.hpp"
#include "bench/scenarios/idle_connections.hpp"
#include "bench/scenarios/options.hpp"
#include "bench/scenarios/seed.hpp"
#include "bench/scenarios/server_process.hpp"
#include "bench/scenarios/tarpit.hpp"

#include <memory>

namespace bench {

/// The load that the options describe, without its target.
load_plan plan_of(const options& wanted);

/// Meters for the given processes, or else for the listeners on the URLs' ports that are on this machine.
meters meters_of(const std::vector<url>& servers, const std::vector<pid_t>& processes);

/// Split "Name: value" texts. The texts must outlive the result. @throw failure if one has no colon
std::vector<header> split_headers(const std::vector<std::string>& texts);

class setup {
public:
    /// Start or find the server, and seed what the command needs. @throw failure if that is impossible
    setup(const options& wanted, progress& line);

    /// The first server, and all of them.
    const url& server() const { return servers_.front(); }
    const std::vector<url>& servers() const { return servers_; }
    const load_plan& plan() const { return plan_; }
    const bench::meters& meters() const { return meters_; }
    const seeded& data() const { return data_; }
    const std::string& database_url() const { return database_url_; }

    /// Meters for one server, and for the database if the tool started it.
    bench::meters meters_of_server(std::size_t number) const;

    /// Stop the started servers, and start others on the same data. Only with --start-server. @throw failure
    void restart(const std::vector<node_plan>& nodes);

    /// The keys that key checks present: the seeded ones, or unknown ones.
    const key_set& keys() const { return unknown_.empty() ? data_.keys : unknown_; }
    const std::vector<std::string>& tokens() const { return tokens_; }

private:
    void use_started_servers();
    void seed_data(const options& wanted, progress& line);

    std::unique_ptr<tarpit> tarpit_;
    std::unique_ptr<server_process> started_;
    std::vector<url> servers_;
    std::string database_url_;
    load_plan plan_;
    bench::meters meters_;
    seeded data_;
    key_set unknown_;
    std::vector<std::string> tokens_;
};

} // namespace bench
