// What can go wrong between this program and PostgreSQL.
#pragma once

#include <libpq-fe.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace db {

enum class failure_kind {
    overloaded,  ///< more is under way than may wait: shed, try again later
    unavailable, ///< no connection, a lost one, a deadline, a server out of resources: try again later
    stale,       ///< a prepared statement no longer fits the schema; the connection is being replaced
    statement,   ///< PostgreSQL refused a statement; sqlstate() says why
    mapping,     ///< a value and its type do not fit each other: a mistake in this program
    misuse,      ///< a batch that must not be sent: a mistake in this program
};

/** The one exception of this folder. Expected absences are optionals; this is thrown for the rest.
    The message may quote values out of a statement: it belongs into a log, never into an answer. */
class failure : public std::runtime_error {
public:
    failure(failure_kind kind, const std::string& message, std::string_view sqlstate = {},
            std::string_view constraint = {});

    failure_kind kind() const { return kind_; }

    /// True if the same request may succeed later: answer 503, not 500.
    bool unavailable() const
    {
        return kind_ == failure_kind::overloaded || kind_ == failure_kind::unavailable ||
               kind_ == failure_kind::stale;
    }

    /// Five characters (PostgreSQL, appendix A), or nothing where the server said nothing.
    std::string_view sqlstate() const { return sqlstate_; }

    /// The constraint that was violated, or nothing.
    std::string_view constraint() const { return constraint_; }

    bool is_foreign_key_violation() const { return sqlstate_ == "23503"; }
    bool is_unique_violation() const { return sqlstate_ == "23505"; }
    bool is_unique_violation(std::string_view constraint) const;
    bool is_foreign_key_violation(std::string_view constraint) const;

private:
    failure_kind kind_;
    std::string sqlstate_;
    std::string constraint_;
};

/// The failure that a result of status PGRES_FATAL_ERROR reports.
failure failure_of(const PGresult* answer);

/// The connection's own last error as an `unavailable` failure, its lines joined into one.
failure failure_of(const PGconn* connection);

} // namespace db
