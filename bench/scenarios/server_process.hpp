// A server, and a PostgreSQL for it, that live as long as the run.
#pragma once

#include "bench/load/http_client.hpp"
#include "bench/load/process_meter.hpp"

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace bench {

struct server_plan {
    std::string program;                                       ///< empty: the one built beside this tool
    std::size_t threads = 0;                                   ///< 0: as many as the server chooses
    std::string cpus;                                          ///< empty: any
    std::vector<std::pair<std::string, std::string>> settings; ///< further variables: name and value
};

/** Starts a private database cluster and `latchkey serve` in front of it, with no rate limits and a master
    key of its own, in a temporary folder. The end of this object ends all of it and removes the folder; so
    does the end of this process, however it comes. */
class server_process {
public:
    /** Returns once /readyz answers 200. @throw failure if something does not start, with what the server
        said */
    explicit server_process(const server_plan& plan);
    ~server_process();
    server_process(const server_process&) = delete;
    server_process& operator=(const server_process&) = delete;

    url where() const;
    const std::string& database_url() const { return database_url_; }
    const std::string& master_key() const { return master_key_; }
    process_meter meter() const { return process_meter({process_}); }
    process_meter database_meter() const { return process_meter::with_children(database_process_); }

private:
    void start_database();
    void start_server(const server_plan& plan);
    void wait_until_ready();
    void stop();

    std::filesystem::path folder_;
    std::string database_url_, master_key_;
    std::uint16_t port_ = 0;
    pid_t process_ = 0, database_process_ = 0;
};

} // namespace bench
