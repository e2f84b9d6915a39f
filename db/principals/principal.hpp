// Who is calling: a credential, and all that decides what it may do.
#pragma once

#include "db/postgres/async.hpp"
#include "db/principals/role.hpp"
#include "db/principals/scope_list.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/static_string/static_string.hpp>

#include <cstdint>
#include <optional>

namespace db {

/** One credential as it stood when it was looked up. Belongs to one core; never handed to another. Very many
   are remembered, so it is kept small: its members stand in an order that wastes nothing. */
struct principal : boost::intrusive_ref_counter<principal, boost::thread_unsafe_counter> {
    enum class kind_type : std::uint8_t { session, api_key };

    kind_type kind = kind_type::session;
    bool is_owner = false;       ///< the user owns the workspace
    bool email_verified = false; ///< false for a workspace's key
    bool user_disabled = false;
    bool members_can_mint = false; ///< the workspace lets its members mint keys
    bool is_waiting = false; ///< a session without a workspace, of a person who waits to be let into one
    /// Current: the user's in the workspace, or the workspace key's own. Nothing: no member (any more), or
    /// a session without a workspace.
    std::optional<db::role> role;
    uuid credential_id{};                ///< of the session or the key
    std::optional<uuid> user_id;         ///< nothing: a key that belongs to its workspace
    std::optional<uuid> workspace_id;    ///< nothing: a session of a person without one
    std::optional<timestamp> expires_at; ///< may have passed; of a session the earlier of token and session
    boost::static_strings::static_string<15> prefix; ///< of a key; empty for a session
    scope_list scopes;   ///< of a key; empty for a session, which may all its user may
    db::digest digest{}; ///< of the key, or of the access token: what it is remembered by

    /// When its use was last noted, in seconds since the epoch. Usage writes it, nobody else reads it.
    mutable std::int64_t noted_at = 0;

    bool expired(timestamp now) const { return expires_at && *expires_at <= now; }
};

/// Counted without atomics: a core is one thread.
using principal_ref = boost::intrusive_ptr<const principal>;

} // namespace db
