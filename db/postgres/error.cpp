#include "db/postgres/error.hpp"

#include <algorithm>

namespace db {

// Connection exceptions, a transaction rolled back for another's sake, resources, operator intervention (a
// shutdown, a cancelled statement), system errors, and a server that became a standby: another attempt may
// find things better. PostgreSQL 15, appendix A.
static bool may_pass(std::string_view sqlstate)
{
    return sqlstate.starts_with("08") || sqlstate.starts_with("53") || sqlstate.starts_with("57") ||
           sqlstate.starts_with("58") || sqlstate.starts_with("40") || sqlstate == "25006";
}

// A migration changed what a prepared statement returns, or a pooler changed the server beneath us.
static bool needs_preparing(std::string_view sqlstate, std::string_view raised_by)
{
    return sqlstate == "26000" || (sqlstate == "0A000" && raised_by == "RevalidateCachedQuery");
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

bool failure::is_unique_violation(std::string_view constraint) const
{
    return is_unique_violation() && constraint_ == constraint;
}

bool failure::is_foreign_key_violation(std::string_view constraint) const
{
    return sqlstate_ == "23503" && constraint_ == constraint;
}

failure failure_of(const PGresult* answer)
{
    auto field = [answer](int code) {
        auto text = PQresultErrorField(answer, code);
        return std::string(text ? text : "");
    };
    auto sqlstate = field(PG_DIAG_SQLSTATE);
    auto message = field(PG_DIAG_MESSAGE_PRIMARY);
    if (message.empty()) // libpq's own errors have no fields
        message = PQresultErrorMessage(answer);
    // Where data is at fault the detail quotes it, and this message ends in a log.
    bool quotes_data = sqlstate.starts_with("22") || sqlstate.starts_with("23");
    if (auto detail = field(PG_DIAG_MESSAGE_DETAIL); !detail.empty() && !quotes_data)
        message += ": " + detail;

    auto kind = failure_kind::statement;
    if (needs_preparing(sqlstate, field(PG_DIAG_SOURCE_FUNCTION)))
        kind = failure_kind::stale;
    else if (sqlstate.empty() ||
             may_pass(sqlstate)) // libpq's own errors, of a broken connection, have no SQLSTATE
        kind = failure_kind::unavailable;
    return failure(kind, one_line(std::move(message)), sqlstate, field(PG_DIAG_CONSTRAINT_NAME));
}

failure failure_of(const PGconn* connection)
{
    return failure(failure_kind::unavailable, one_line(PQerrorMessage(connection)));
}

} // namespace db
