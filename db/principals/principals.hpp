// Resolves credentials to principals: cached by each core, loaded from PostgreSQL on a miss.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/batch_loader.hpp"
#include "db/principals/invalidation.hpp"
#include "db/principals/lease.hpp"
#include "db/principals/principal.hpp"
#include "db/principals/principal_cache.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

namespace db {

/** The principals of one core. Only its io_context's one thread may touch it; there is no lock.

    Entries are evicted by evict(), which invalidation_bus calls after every commit that changes what a
    credential may do. Destroy it before the pool of its lookups, and once its io_context no longer runs. */
class principals {
public:
    struct config {
        std::size_t cache_bytes = 64u << 20;

        /// For credentials that do not exist.
        std::size_t negative_cache_bytes = 2u << 20;
        batch_loader::limits batching;

        /// An older entry is loaded again. Revocation does not depend on it: it bounds how long a change made
        /// without the program's knowledge stays unnoticed.
        std::chrono::seconds max_age{300};

        /// While it does not hold, nothing is served from the cache and every request queries the database.
        /// Null: it always holds.
        const db::lease* lease = nullptr;

        /** Whether what the database answers without a lease does not count either: lookups wait for the
            lease. For several database hosts. An earlier primary that was paused or cut off would otherwise
           be asked beside its successor; where commits wait for a standby, it renews no lease. */
        bool needs_lease = false;

        /// How long a lookup waits for the lease.
        std::chrono::milliseconds lease_wait{2000};

        /// A session expires this long after its sign-in, however often it is refreshed.
        std::chrono::seconds session_max_age{7776000};
    };

    /// @param lookups connections for lookups alone, so that no slow commit delays one
    principals(boost::asio::io_context& io, pool& lookups, config settings);
    principals(boost::asio::io_context& io, pool& lookups) : principals(io, lookups, config()) {}
    ~principals();
    principals(const principals&) = delete;
    principals& operator=(const principals&) = delete;

    /// Negative hit: known not to exist.
    enum class state { hit, negative_hit, miss };
    struct cache_result {
        principals::state state = principals::state::miss;

        /// Of a hit. May have expired: see principal::expired.
        principal_ref principal;
    };

    /** Look a credential up in the cache by the hash of its text. No allocation, no lock, no system call.
        @return a hit, or a miss that says nothing: the lookup by its digest follows */
    cache_result cached(const credential_hash& hash);

    /// Look a credential up in the cache by its digest, and find it by its hash from now on.
    cache_result cached(const digest& key, const credential_hash& hash);

    /// Look a digest up in the cache.
    cache_result cached(const digest& key);

    /** Load an API key by its digest from the database, cached or not, and cache it. Lookups that arrive
        while others are in flight share a statement; lookups of the same digest share a result.
        @return null if revoked or unknown; an expired key is returned as such
        @throw failure if the database cannot answer */
    awaitable<principal_ref> load_api_key(digest key);

    /** Load the session of an access token (with its signature verified), and cache it by the token's digest.
        It has no role unless the membership that the token names is still the user's in the workspace.
        @return null if the session was ended or is unknown; an expired one is returned as such
        @throw failure if the database cannot answer */
    awaitable<principal_ref> load_session(credential_lookup token);

    /** Evict the subjects' entries. The results of lookups in flight are not cached, and later requests do
        not share these lookups but start their own. */
    void evict(const invalidation& affected);

    /** As above, but no more entries than take a fraction of a millisecond; a large workspace needs several
        slices. The eviction is not complete before the last one.
        @param is_first false to continue
        @return whether all are evicted */
    bool evict_slice(const invalidation& affected, bool is_first);

    /// In constant time. The entries are freed in slices by handlers of the io_context.
    void evict_all();

    /// The number of cached principals.
    std::size_t size() const { return cache_.size(); }

    /// Counters since the start, and current sizes.
    struct counts {
        std::uint64_t hits = 0, negative_hits = 0, misses = 0;

        /// To make room.
        std::uint64_t evictions = 0;
        std::size_t entries = 0, bytes = 0;
    };
    counts count() const;

private:
    awaitable<batch_loader::principal_list> query_keys(std::vector<credential_lookup> lookups);
    awaitable<batch_loader::principal_list> query_sessions(std::vector<credential_lookup> lookups);
    void store(const digest& key, const principal_ref& found, std::uint64_t stamp);
    void detach_in_flight();
    void free_evicted();
    bool holds_lease() const;
    std::uint32_t oldest_tick(std::uint32_t now) const { return now > max_age_ ? now - max_age_ : 0; }
    bool may_trust_answer() const { return !settings_.needs_lease || holds_lease(); }
    awaitable<void> await_lease();
    template <class... Values>
    awaitable<result> run_under_lease(const statement& lookup, const Values&... values);

    boost::asio::io_context& io_;
    pool& lookups_;
    config settings_;

    /// In seconds.
    std::uint32_t max_age_;
    scope_lists scopes_;
    principal_cache cache_;
    negative_cache absent_;

    /// When the negative cache is cleared.
    std::uint32_t absent_until_;

    /// Grows with every eviction.
    std::uint64_t stamp_ = 0;
    counts counts_;

    /// Posted handlers have a weak reference. True while one of them frees evicted entries.
    std::shared_ptr<bool> freeing_ = std::make_shared<bool>(false);
    batch_loader keys_, sessions_;
};

} // namespace db
