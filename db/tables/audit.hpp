// Audit events: actor, action, target, time and client of a change.
#pragma once

#include "db/postgres/pool.hpp"

#include <boost/describe/class.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace db::audit {

/// An audit event to be recorded.
struct entry {
    uuid id{};

    /// Nothing: an event of the account alone.
    std::optional<uuid> workspace_id;

    /// Such as "api_key.mint".
    std::string action;

    /// The acting user.
    std::optional<uuid> actor_id;

    /// The session or API key used.
    std::optional<uuid> credential_id;
    std::optional<std::string> target;
    std::string ip;
    std::string user_agent;
    std::string request_id;

    /// A JSON object; never a secret. A person's data only as described by `subject_email`.
    std::string details = "{}";

    /// The normalized form of the address in `details.email`: both are erased with the account of the
    /// address.
    std::optional<std::string> subject_email;

    /// Events with the same one are one row: see refusal_writer.
    std::optional<std::string> aggregate_key;
};

/// Inserts an event. Add it to the transaction of the change, so that neither exists without the other.
void add(batch& work, const entry& event);

/// The event as the argument of audit_event(), for statements that record it only if they change something.
/// @throw boost::system::system_error if details is not JSON
std::string as_json(const entry& event);

struct row {
    uuid id{};
    timestamp at;
    std::string action;
    std::optional<uuid> actor_id;
    std::optional<uuid> credential_id;
    std::optional<std::string> target;
    std::string ip;
    std::string user_agent;
    std::string request_id;
    std::string details;
};
BOOST_DESCRIBE_STRUCT(row, (),
                      (id, at, action, actor_id, credential_id, target, ip, user_agent, request_id, details))

struct query {
    uuid workspace_id{};
    std::optional<std::string> action;
    std::optional<uuid> actor_id;
    std::optional<std::string> target;
    std::optional<uuid> credential_id;

    /// Time range; `until` is exclusive.
    std::optional<timestamp> since, until;

    /// The last id of the previous page.
    std::optional<uuid> before;

    /// One more than the page size, to see whether there is a next page.
    int limit = 51;
};

struct page {
    std::vector<row> rows;

    /// Rows that match the filter; nothing if above count_cap.
    std::optional<std::int64_t> total;
};

/// Audit events of a workspace, newest first.
awaitable<page> list(pool& db, query wanted);

} // namespace db::audit
