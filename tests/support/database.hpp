// A new, migrated database for one test.
#pragma once

#include "db/migrations/migrations.hpp"
#include "tests/support/change_guard.hpp"
#include "tests/support/postgres.hpp"

#include <stdexcept>
#include <string>

namespace support {

/// The content of the template for databases.
inline void migrate_template(const std::string& conninfo)
{
    db::migrate(conninfo);
    support::sql(conninfo, refuse_unpublished_changes);
}

/// One cluster for all tests of this process, started on first use.
inline postgres_cluster& shared_cluster()
{
    static postgres_cluster cluster{prepared_cluster(migrate_template)};
    return cluster;
}

/// A copy of the cluster's template; takes a tenth of a second.
class database {
public:
    explicit database(postgres_cluster& cluster = shared_cluster())
        : cluster_(cluster), name_(cluster.create_database(migrate_template))
    {}

    ~database()
    {
        try {
            cluster_.drop_database(name_);
        } catch (const std::exception&) {
            // The cluster is stopped, and will be removed with its databases.
        }
    }

    database(const database&) = delete;
    database& operator=(const database&) = delete;

    std::string conninfo() const { return cluster_.conninfo(name_); }

    /// Execute statements on a new connection. @return as sql_connection::run()
    std::string sql(const std::string& statements) const { return support::sql(conninfo(), statements); }

    /// Execute statements, and wait until the caches of a running server have dropped what they changed.
    void sql_with_invalidation(const std::string& statements) const
    {
        sql_connection connection(conninfo());
        connection.run("LISTEN latchkey_acknowledgements");
        connection.run("BEGIN");
        connection.run(statements);
        auto change = connection.run("SELECT publish_change(gen_random_uuid(), true)");
        connection.run("COMMIT");
        if (connection.run("SELECT count(*) FROM nodes") != "0" && !connection.wait_for_notification(change))
            throw std::runtime_error("no server has acknowledged: " + statements);
    }

private:
    postgres_cluster& cluster_;
    std::string name_;
};

} // namespace support
