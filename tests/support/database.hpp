// A fresh, migrated database for one test.
#pragma once

#include "db/migrations/migrations.hpp"
#include "tests/support/change_guard.hpp"
#include "tests/support/postgres.hpp"

namespace support {

/// Copied from a template that is migrated once in a process, so it costs a tenth of a second.
class database {
public:
    explicit database(postgres_cluster& cluster = shared_cluster())
        : cluster_(cluster), name_(cluster.create_database([](const std::string& conninfo) {
              db::migrate(conninfo);
              support::sql(conninfo, refuse_unclosed_changes);
          }))
    {}

    ~database()
    {
        try {
            cluster_.drop_database(name_);
        } catch (const std::exception&) {
            // The cluster is stopped, and will be removed with everything in it.
        }
    }

    database(const database&) = delete;
    database& operator=(const database&) = delete;

    std::string conninfo() const { return cluster_.conninfo(name_); }

    /// Run statements on a connection of their own. @return the first value of what the last one returned
    std::string sql(const std::string& statements) const { return support::sql(conninfo(), statements); }

private:
    postgres_cluster& cluster_;
    std::string name_;
};

} // namespace support
