#include "db/postgres/error.hpp"

#include "db/postgres/sqlstate.hpp"

#include <algorithm>

namespace db {

/// Whether a retry may succeed. In the order below: connection exceptions, insufficient resources, operator
/// intervention (a shutdown, a cancelled statement), system errors, and transaction rollback (a
/// serialization failure, a deadlock).
static bool is_transient(std::string_view state)
{
    return state.starts_with("08") || state.starts_with("53") || state.starts_with("57") ||
           state.starts_with("58") || state.starts_with("40");
}

/// Whether another connection is needed: a migration changed the result type of a prepared statement, a
/// pooler switched the server connection, or the server has become read-only, as a standby is.
static bool needs_reconnect(std::string_view state, std::string_view raised_by)
{
    return state == sqlstate::invalid_sql_statement_name || state == sqlstate::read_only_sql_transaction ||
           (state == sqlstate::feature_not_supported && raised_by == "RevalidateCachedQuery");
}

static std::string one_line(std::string text)
{
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

failure::failure(failure_kind kind, const std::string& message, std::string_view sqlstate,
                 std::string_view constraint)
    : std::runtime_error(message), kind_(kind), sqlstate_(sqlstate), constraint_(constraint)
{}

bool failure::was_rolled_back() const
{
    return sqlstate_ == sqlstate::serialization_failure || sqlstate_ == sqlstate::deadlock_detected;
}

bool failure::is_foreign_key_violation() const
{
    return sqlstate_ == sqlstate::foreign_key_violation;
}

bool failure::is_foreign_key_violation(std::string_view constraint) const
{
    return is_foreign_key_violation() && constraint_ == constraint;
}

bool failure::is_unique_violation() const
{
    return sqlstate_ == sqlstate::unique_violation;
}

bool failure::is_unique_violation(std::string_view constraint) const
{
    return is_unique_violation() && constraint_ == constraint;
}

failure failure_of(const PGresult* answer)
{
    auto field = [answer](int code) {
        auto text = PQresultErrorField(answer, code);
        return std::string(text ? text : "");
    };
    auto state = field(PG_DIAG_SQLSTATE);
    auto message = field(PG_DIAG_MESSAGE_PRIMARY);
    if (message.empty()) // libpq's own errors have no fields
        message = PQresultErrorMessage(answer);
    // The detail of a data exception or constraint violation quotes the data, and this message is logged.
    bool quotes_data = state.starts_with("22") || state.starts_with("23");
    if (auto detail = field(PG_DIAG_MESSAGE_DETAIL); !detail.empty() && !quotes_data)
        message += ": " + detail;

    // libpq's own errors, of a broken connection, have no SQLSTATE.
    auto kind = failure_kind::statement;
    if (needs_reconnect(state, field(PG_DIAG_SOURCE_FUNCTION)))
        kind = failure_kind::stale;
    else if (state.empty() || is_transient(state))
        kind = failure_kind::unavailable;
    return failure(kind, one_line(std::move(message)), state, field(PG_DIAG_CONSTRAINT_NAME));
}

failure failure_of_statement(const char* name, const PGresult* answer)
{
    auto why = failure_of(answer);
    return failure(why.kind(), "statement " + std::string(name) + ": " + why.what(), why.sqlstate());
}

failure failure_of(const PGconn* connection)
{
    return failure(failure_kind::unavailable, one_line(PQerrorMessage(connection)));
}

} // namespace db
