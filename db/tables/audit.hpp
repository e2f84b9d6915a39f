// Who did what, when, from where.
#pragma once

#include "db/postgres/pool.hpp"

#include <boost/describe/class.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace db::audit {

/// One event, as written.
struct entry {
    uuid id{};
    std::optional<uuid> workspace_id;  ///< nothing: an event of the account alone
    std::string action;                ///< "api_key.mint"
    std::optional<uuid> actor_id;      ///< the user who did it
    std::optional<uuid> credential_id; ///< with which session or key
    std::optional<std::string> target;
    std::string ip;
    std::string user_agent;
    std::string request_id;
    std::string details = "{}"; ///< a JSON object; never a secret
};

/// Written in the transaction of what it tells of, so that neither exists without the other.
void add(batch& work, const entry& event);

/// The event as the argument of audit_event(): for statements that note what they change, if they do.
/// @throw boost::system::system_error if details is no JSON
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
    std::optional<timestamp> since, until; ///< until: exclusive
    std::optional<uuid> before;            ///< the last id of the page before
    int limit = 51;                        ///< one more than shown tells whether there are more
};

struct page {
    std::vector<row> rows;
    std::optional<std::int64_t> total; ///< of the filter; nothing if there are too many to count
};

/// Events of a workspace, the newest first.
awaitable<page> list(pool& db, query wanted);

} // namespace db::audit
