// People who have signed up with an address of a workspace's domain, and wait to be let in.
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
class principal_changes;
}

namespace db::join_requests {

/// The workspace that people with an address of this domain sign up to, if there is one.
awaitable<std::optional<uuid>> find_workspace(pool& db, std::string domain);

/// A person who has just been inserted asks to join. Nothing comes of it before their address is verified.
void add_insert(batch& work, const uuid& user_id, const uuid& workspace_id);

/** What becomes of the request of a person whose address has just been verified, if they have one: an open
   workspace takes them in, another's admins are told. Commit with a change of the person.
    @param joined written if they are taken in; its workspace, actor and target are set here */
void add_settle(batch& work, const uuid& user_id, const audit::entry& joined);

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
    std::optional<std::int64_t> total; ///< nothing if there are too many to count
};

/// Who waits for a workspace, in the order of their accounts. @param after the last user of the page before
awaitable<page> list(pool& db, uuid workspace_id, std::optional<uuid> after, int limit);

awaitable<std::optional<row>> find(pool& db, uuid workspace_id, uuid user_id);

/** Make who waits a member, and tell them.
    @param first what goes first in the same transaction, such as a check
    @param event written if done
    @return false if nobody with a verified address waits under this id */
awaitable<bool> approve(principal_changes& changes, pool& db, batch first, uuid workspace_id, uuid user_id,
                        outbox::draft letter, audit::entry event);

/// Let nobody wait, and tell them. @return false if nobody waits under this id
awaitable<bool> reject(principal_changes& changes, pool& db, batch first, uuid workspace_id, uuid user_id,
                       outbox::draft letter, audit::entry event);

} // namespace db::join_requests
