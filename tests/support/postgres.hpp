// A private PostgreSQL for the tests, gone when they are.
#pragma once

#include "tests/support/temporary_folder.hpp"

#include <libpq-fe.h>
#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>

namespace support {

/** A throwaway cluster in a temporary folder, reachable through a unix socket alone. Its own watcher removes
    it if this process dies without a destructor having run. Starting one takes about two seconds. */
class postgres_cluster {
public:
    postgres_cluster();
    ~postgres_cluster();
    postgres_cluster(const postgres_cluster&) = delete;
    postgres_cluster& operator=(const postgres_cluster&) = delete;

    /// Each returns when it is done. stop() and restart() cut the connections there are.
    void start();
    void stop();
    void restart();

    /// SIGSTOP to every process of the cluster: connections stay, and nothing answers.
    void freeze();
    void thaw();

    /// The connection string of a database of this cluster.
    std::string conninfo(const std::string& database = "latchkey") const;

    /** Make a database that is a copy of a template, which `prepare` is called to fill the first time.
        @return its name */
    std::string create_database(const std::function<void(const std::string& conninfo)>& prepare);
    void drop_database(const std::string& name);

private:
    std::string run(const std::string& command) const;

    temporary_folder folder_;
    std::string url_;
    bool template_made_ = false;
    int databases_ = 0;
};

/// One cluster for all tests of this process, started when first asked for.
postgres_cluster& shared_cluster();

/// A connection that is kept. Blocks.
class sql_connection {
public:
    explicit sql_connection(const std::string& conninfo);

    /// Run statements. @return the first column of the first row of the last, if there is one @throw
    /// runtime_error
    std::string run(const std::string& statements);

private:
    std::unique_ptr<PGconn, void (*)(PGconn*)> pg_;
};

/// Run statements on a connection of their own. @return the first column of the first row, if there is one
std::string sql(const std::string& conninfo, const std::string& statements);

} // namespace support
