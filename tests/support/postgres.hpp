// A private PostgreSQL cluster, removed after the tests.
#pragma once

#include "tests/support/temporary_folder.hpp"

#include <libpq-fe.h>
#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

namespace support {

/** A stopped cluster with a template for databases. Each build of a test program makes it once, beside the
    program. */
class prepared_cluster {
public:
    /// @param prepare fills the template
    explicit prepared_cluster(const std::function<void(const std::string& conninfo)>& prepare);

    const std::string& folder() const { return folder_; }

private:
    std::string folder_;
};

/** A throwaway cluster in a temporary folder, in memory where there is room, reachable through a unix socket
    only. A watchdog process removes it if this process ends without its destructors. Starting one takes about
    a second. */
class postgres_cluster {
public:
    postgres_cluster();

    /// A copy of the cluster that prepared_cluster() has made, started in a fifth of a second.
    explicit postgres_cluster(const prepared_cluster& original);

    /// A streaming standby of a running cluster.
    static std::unique_ptr<postgres_cluster> standby_of(const postgres_cluster& primary);
    ~postgres_cluster();
    postgres_cluster(const postgres_cluster&) = delete;
    postgres_cluster& operator=(const postgres_cluster&) = delete;

    /// Synchronous. stop() and restart() end all connections.
    void start() { start({}); }
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
    friend class prepared_cluster;

    explicit postgres_cluster(const std::string& primary_folder);

    void make_template(const std::function<void(const std::string& conninfo)>& prepare);
    void start(const std::string& options);
    std::string run(const std::string& command) const;

    temporary_folder folder_;
    std::string url_;
    bool template_made_ = false;
    int databases_ = 0;
};

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
