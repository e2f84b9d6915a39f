// Who a credential is: remembered by each core, looked up when not.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/batch_loader.hpp"
#include "db/principals/lease.hpp"
#include "db/principals/principal.hpp"
#include "db/principals/principal_cache.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace db {

/// What a committed statement has changed: whom to forget. A subject too many costs a look-up, no more.
struct change {
    std::vector<uuid> credentials;
    std::vector<uuid> users;
    std::vector<uuid> workspaces;
    std::vector<digest> digests;
    bool everything = false; ///< forget all there is

    bool empty() const
    {
        return !everything && credentials.empty() && users.empty() && workspaces.empty() && digests.empty();
    }
};

/** The principals one core knows. Only its io_context's one thread may touch it; there is no lock.

    What is remembered is forgotten by evict(), which principal_changes calls after every commit that changes
    what somebody may do. Destroy it before its look-ups' pool, when its io_context no longer runs. */
class principals {
public:
    struct config {
        std::size_t cache_bytes = 64u << 20;
        std::size_t absent_bytes = 2u << 20; ///< for credentials that do not exist
        gatherer::limits look_ups;

        /// After this a remembered principal is looked up anew. Not what revocation rests on: it bounds how
        /// long a change made behind the program's back goes unseen.
        std::chrono::seconds max_age{300};

        /// While it does not hold nothing is remembered, and every request asks the database. Null: it always
        /// does.
        const lease* trust = nullptr;
    };

    /// @param lookups connections for look-ups alone, so that no slow commit ever delays one
    principals(boost::asio::io_context& io, pool& lookups, config settings);
    principals(boost::asio::io_context& io, pool& lookups) : principals(io, lookups, config()) {}
    ~principals();
    principals(const principals&) = delete;
    principals& operator=(const principals&) = delete;

    enum class state { hit, absent, miss };
    struct memory {
        principals::state state = principals::state::miss;
        principal_ref who; ///< of a hit. May have expired: ask it
    };

    /// What is remembered of a digest. No allocation, no lock, no system call.
    memory cached(const digest& key);

    /** Look up an API key by its digest, ask the database whether or not it is remembered, and remember it.
        Look-ups that come while others are under way travel together in one statement; the same digest is
        asked once.
        @return nothing if revoked or unknown; an expired key is returned as such
        @throw failure if the database cannot answer */
    awaitable<principal_ref> load_api_key(digest key);

    /** Look up the session of an access token whose signature has been verified, remember it by the token.
        @param token_digest  of the token's bytes
        @param workspace_id  the workspace the token names
        @param token_expires the token's own expiry
        @return nothing if the session was ended or is unknown; an expired one is returned as such
        @throw failure if the database cannot answer */
    awaitable<principal_ref> load_session(digest token_digest, uuid session_id,
                                          std::optional<uuid> workspace_id, timestamp token_expires);

    /** Forget the subjects. Look-ups under way are not remembered when they come back, and later requests do
        not wait for them but ask again. */
    void evict(const change& what);

    /// Forget everything.
    void evict_all();

    std::size_t remembered() const { return cache_.size(); }

    /// What has happened so far, and what there is.
    struct counts {
        std::uint64_t hits = 0, absent_hits = 0, misses = 0;
        std::uint64_t pushed_out = 0; ///< to make room
        std::size_t entries = 0, bytes = 0;
    };
    counts count() const;

private:
    awaitable<gatherer::answers> ask_for_keys(std::vector<credential_question> asked);
    awaitable<gatherer::answers> ask_for_sessions(std::vector<credential_question> asked);
    void remember(const digest& key, const principal_ref& who, std::uint64_t stamp);
    void forget_flights();
    bool trusted() const;

    pool& lookups_;
    config settings_;
    std::uint32_t max_age_; ///< seconds
    scope_lists scopes_;
    principal_cache cache_;
    absent_digests absent_;
    std::uint32_t absent_until_; ///< when the absent are asked for anew
    std::uint64_t stamp_ = 0;    ///< grows with every eviction
    counts counts_;
    gatherer keys_, sessions_;
};

} // namespace db
