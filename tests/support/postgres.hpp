// A private PostgreSQL cluster, removed after the tests.
#pragma once

#include "tests/support/temporary_folder.hpp"

#include <libpq-fe.h>
#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

namespace support {

/** A throwaway cluster in a temporary folder, in memory where there is room, reachable through a unix socket
    only. A watchdog process removes it if this process ends without its destructors. Starting one takes about
    a second. */
class postgres_cluster {
public:
    postgres_cluster();

    /// A streaming standby of a running cluster.
    static std::unique_ptr<postgres_cluster> standby_of(const postgres_cluster& primary);
    ~postgres_cluster();
    postgres_cluster(const postgres_cluster&) = delete;
    postgres_cluster& operator=(const postgres_cluster&) = delete;

    /// Synchronous. stop() and restart() end all connections.
    void start();
    void stop();
    void restart();

    /// Make a standby a primary, on a new timeline.
    void promote();

    /// Restart as a standby of a promoted standby of this cluster, which had received everything from it.
    void demote(const postgres_cluster& primary);

    /// Kill it if it runs, and start again as a new copy of another cluster, a standby of it.
    void rebuild(const postgres_cluster& primary);

    /// The folder of the socket: the host in a connection string.
    std::string host() const;

    /// SIGSTOP to every process of the cluster: connections stay open and get no response.
    void freeze();
    void thaw();

    /// SIGKILL to every process of the cluster.
    void kill();

    /// The last lines of its log.
    std::string last_log_lines() const;

    /// The connection string of a database of this cluster.
    std::string conninfo(const std::string& database = "latchkey") const;

    /** Create a database as a copy of a template, which `prepare` fills the first time.
        @return its name */
    std::string create_database(const std::function<void(const std::string& conninfo)>& prepare);
    void drop_database(const std::string& name);

private:
    explicit postgres_cluster(const std::string& primary_folder);

    std::string run(const std::string& command) const;

    temporary_folder folder_;
    std::string url_;
    bool template_made_ = false;
    int databases_ = 0;
};

/// One cluster for all tests of this process, started on first use.
postgres_cluster& shared_cluster();

/// A persistent blocking connection.
class sql_connection {
public:
    explicit sql_connection(const std::string& conninfo);

    /// Execute statements. @return the first value of the last one's result; empty if there is none
    /// @throw runtime_error
    std::string run(const std::string& statements);

    /// Wait for a notification with `text` in its payload. @return false if none comes within 10 s
    bool wait_for_notification(const std::string& text);

private:
    std::unique_ptr<PGconn, void (*)(PGconn*)> pg_;
};

/// Execute statements on a new connection. @return as sql_connection::run()
std::string sql(const std::string& conninfo, const std::string& statements);

} // namespace support
