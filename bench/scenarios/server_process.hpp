// A server with a PostgreSQL cluster of its own, for the lifetime of a run.
#pragma once

#include "bench/load/http_client.hpp"
#include "bench/load/process_meter.hpp"
#include "bench/scenarios/certificate.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace bench {

/// One server.
struct node_plan {
    /// 0: the server's default.
    std::size_t threads = 0;
    /// Empty: any.
    std::string cpus;
    /// HTTPS, with a self-signed certificate (P-256) made for the run.
    bool uses_tls = false;
};

struct server_plan {
    /// Empty: the one built beside this tool.
    std::string program;
    /// Servers on one database.
    std::vector<node_plan> nodes = std::vector<node_plan>(1);
    /// Further environment variables: name and value.
    std::vector<std::pair<std::string, std::string>> settings;
};

/** Starts a private database cluster and `latchkey serve` in front of it, once or on several nodes, with rate
    limits off and a fresh master key, in a temporary folder. The destructor stops both and removes the
   folder; if this process dies, they stop as well. */
class server_process {
public:
    /// Returns once /readyz answers 200. @throw failure if a start fails, with the tail of the server's log
    explicit server_process(const server_plan& plan);
    ~server_process();
    server_process(const server_process&) = delete;
    server_process& operator=(const server_process&) = delete;

    /// Stop the servers, and start others on the same database. @throw failure as the constructor
    void restart(const std::vector<node_plan>& nodes);

    /// The servers, at least one.
    const std::vector<url>& where() const { return where_; }
    const std::string& database_url() const { return database_url_; }
    const std::string& master_key() const { return master_key_; }
    process_meter meter() const { return process_meter(processes_); }
    process_meter meter(std::size_t node) const { return process_meter({processes_.at(node)}); }
    process_meter database_meter() const { return process_meter::with_children(database_process_); }

private:
    void start_database();
    void start_servers(const std::vector<node_plan>& nodes);
    void start_server(const node_plan& plan, std::size_t node);
    std::string log_of(std::size_t node) const;
    void wait_until_ready(std::size_t node);
    void stop_servers();
    void stop();

    std::string program_;
    std::vector<std::pair<std::string, std::string>> settings_;
    std::filesystem::path folder_;
    certificate_paths certificate_;
    std::string database_url_, master_key_;
    std::vector<url> where_;
    std::vector<pid_t> processes_;
    pid_t database_process_ = 0;
};

} // namespace bench
