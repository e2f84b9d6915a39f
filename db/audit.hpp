// Who did what, when, from where.
#pragma once

#include "db/pool.hpp"

#include <boost/describe/class.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace db::audit {

/// One event, as written. The views need to live only until it is added to a batch.
struct entry {
    uuid id{};
    std::optional<uuid> workspace_id;  ///< nothing: an event of the account alone
    std::string_view action;           ///< "api_key.mint"
    std::optional<uuid> actor_id;      ///< the user who did it
    std::optional<uuid> credential_id; ///< with which session or key
    std::optional<std::string_view> target;
    std::string_view ip;
    std::string_view user_agent;
    std::string_view request_id;
    std::string_view details = "{}"; ///< a JSON object; never a secret
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

/** Events of a workspace, the newest first.
    @param before only events older than this one: the last id of the page before
    @param limit how many rows at most; ask for one more than shown to learn whether there are more */
awaitable<std::vector<row>> list(pool& db, uuid workspace_id, std::optional<uuid> before, int limit);

} // namespace db::audit
