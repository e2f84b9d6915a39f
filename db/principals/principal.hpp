// A principal: a resolved credential, with everything that decides what it may do.
#pragma once

#include "db/postgres/async.hpp"
#include "db/principals/role.hpp"
#include "db/principals/scope_list.hpp"

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/static_string/static_string.hpp>

#include <array>
#include <cstdint>
#include <optional>

namespace db {

/// A hash of a credential's text under a key of the process (crypto/siphash.hpp). All zeros: not known.
using credential_hash = std::array<std::uint64_t, 2>;

/// Requests with a credential since they were last collected.
struct usage_counts {
    std::uint32_t checks = 0;

    /// Of these, 401 and 403.
    std::uint32_t refusals = 0;

    /// Of these, 429.
    std::uint32_t rate_limited = 0;
};

/** One credential in the state in which it was looked up. Belongs to one core and is never handed to another.
    Very many are cached, so it is small: its members are ordered to leave no padding. */
struct principal : boost::intrusive_ref_counter<principal, boost::thread_unsafe_counter> {
    enum class kind_type : std::uint8_t { session, api_key };

    kind_type kind = kind_type::session;

    /// The user owns the workspace.
    bool is_owner = false;

    /// False for a workspace's key.
    bool email_verified = false;
    bool user_disabled = false;

    /// The workspace lets its members mint keys.
    bool members_can_mint = false;

    /// A session without a workspace, of a user with an undecided request to join one.
    bool has_pending_join_request = false;

    /// Its requests are collected. Only last_used_writer uses it, as the members at the end.
    mutable bool is_collected = false;

    /// Current: the user's role in the workspace, or the workspace key's own. Nothing: not a member (any
    /// more), or a session without a workspace.
    std::optional<db::role> role;

    /// The id of the session or the API key.
    uuid credential_id{};

    /// Nothing: a key that belongs to its workspace.
    std::optional<uuid> user_id;

    /// Nothing: a session of a user without a workspace.
    std::optional<uuid> workspace_id;

    /// Of the user in the workspace, which the credential belongs to; nothing without a role or a user.
    std::optional<uuid> membership_id;

    /// May have passed. Of a session the earlier of token expiry and session expiry.
    std::optional<timestamp> expires_at;

    /// Of an API key; empty for a session.
    boost::static_strings::static_string<15> prefix;

    /// Of an API key; empty for a session, which is not restricted by scopes.
    scope_list scopes;

    /// Of the API key or the access token: the cache's key.
    db::digest digest{};

    /// Of the same, once it has been used. Only principal_cache uses it.
    mutable credential_hash hash{};

    /// When its use was last recorded, in seconds since the epoch.
    mutable std::uint32_t recorded_at = 0;

    /// Not collected yet.
    mutable usage_counts counts;

    bool expired(timestamp now) const { return expires_at && *expires_at <= now; }
};

/// Counted without atomics: a core is one thread.
using principal_ref = boost::intrusive_ptr<const principal>;

} // namespace db
