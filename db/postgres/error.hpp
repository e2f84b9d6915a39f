// db::failure: everything that can go wrong between this program and PostgreSQL.
#pragma once

#include <libpq-fe.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace db {

enum class failure_kind {
    /// The queue is full: shed the request, retry later.
    overloaded,

    /// No connection, a lost one, a deadline, a server out of resources: retry later.
    unavailable,

    /// A prepared statement no longer fits the schema, or the server has become read-only; the connection is
    /// being replaced.
    stale,

    /// PostgreSQL refused a statement; sqlstate() has the reason.
    statement,

    /// A value does not fit its type: a bug in this program.
    mapping,

    /// A batch that must not be sent: a bug in this program.
    misuse,
};

/** The one exception type of this folder. Expected absences are optionals; everything else is thrown. The
    message may quote values of a statement: it belongs in a log, never in a response. */
class failure : public std::runtime_error {
public:
    failure(failure_kind kind, const std::string& message, std::string_view sqlstate = {},
            std::string_view constraint = {});

    failure_kind kind() const { return kind_; }

    /// True if the same request may succeed later: respond with 503, not 500.
    bool unavailable() const
    {
        return kind_ == failure_kind::overloaded || kind_ == failure_kind::unavailable ||
               kind_ == failure_kind::stale;
    }

    /// Five characters (db/postgres/sqlstate.hpp), or nothing if the server sent none.
    std::string_view sqlstate() const { return sqlstate_; }

    /// The constraint that was violated, or nothing.
    std::string_view constraint() const { return constraint_; }

    /// True if PostgreSQL rolled the transaction back for what another one did at the same time, a deadlock
    /// or a serialization failure: it has had no effect, and succeeds when it is repeated.
    bool was_rolled_back() const;

    bool is_foreign_key_violation() const;
    bool is_foreign_key_violation(std::string_view constraint) const;
    bool is_unique_violation() const;
    bool is_unique_violation(std::string_view constraint) const;

private:
    failure_kind kind_;
    std::string sqlstate_;
    std::string constraint_;
};

/// The failure that a result of status PGRES_FATAL_ERROR reports.
failure failure_of(const PGresult* answer);

/// As above, for the Parse of a named statement: the message begins with its name.
failure failure_of_statement(const char* name, const PGresult* answer);

/// The connection's last error as an `unavailable` failure, its lines joined into one.
failure failure_of(const PGconn* connection);

} // namespace db
