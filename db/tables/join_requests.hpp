// Join requests: users who signed up with an address of a workspace's domain and wait for approval.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/tables/audit.hpp"
#include "db/tables/outbox.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace db {
class transaction;
}

namespace db::join_requests {

/// The workspace that users with an address of this domain may join, if there is one.
awaitable<std::optional<uuid>> find_workspace(pool& db, std::string domain);

/// Inserts the request of a user inserted before it. It has no effect before the address is verified.
void add_insert(batch& work, const uuid& user_id, const uuid& workspace_id);

/** Resolves the request, if any, of a user with a newly verified address: an open workspace adds the user,
    any other notifies its admins. Commit with an invalidation of the user.
    @param joined recorded if the user is added; its workspace, actor and target are set here */
void add_resolve(batch& work, const uuid& user_id, const audit::entry& joined);

struct row {
    uuid user_id{};
    std::string email;
    std::optional<std::string> name;
    bool email_verified = false;
    timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(row, (), (user_id, email, name, email_verified, created_at))

struct page {
    std::vector<row> rows;

    /// Nothing if above count_cap.
    std::optional<std::int64_t> total;
};

/// Pending requests of a workspace, oldest account first. @param after the last user of the previous page
awaitable<page> list(pool& db, uuid workspace_id, std::optional<uuid> after, int limit);

awaitable<std::optional<row>> find(pool& db, uuid workspace_id, uuid user_id);

/** Approves a request: the user becomes a member, and is notified.
    @param tx    may begin with statements of the caller, such as a credential check
    @param event recorded if done
    @return false if there is no pending request of a user with a verified address under this id */
awaitable<bool> approve(transaction tx, uuid workspace_id, uuid user_id, outbox::draft mail,
                        audit::entry event);

/// Rejects a request and notifies the user. @return false if there is no pending request under this id
awaitable<bool> reject(transaction tx, uuid workspace_id, uuid user_id, outbox::draft mail,
                       audit::entry event);

} // namespace db::join_requests
