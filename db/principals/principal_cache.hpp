// One core's cache of principals, and its negative cache. No I/O and no clock.
#pragma once

#include "db/principals/entry_slab.hpp"
#include "db/principals/front_index.hpp"
#include "db/principals/subject_index.hpp"
#include "db/principals/zeroed_array.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace db {

/// A digest's first bytes: a digest is uniformly distributed, and cannot be steered without its preimage.
struct digest_hash {
    using is_avalanching = void;
    std::size_t operator()(const digest& key) const
    {
        std::size_t value;
        std::memcpy(&value, key.data(), sizeof value);
        return value;
    }
};

/** Principals by digest, bounded in bytes, some 240 for each.

    Eviction is S3-FIFO (Yang et al., "FIFO queues are all you need for cache eviction", SOSP 2023): a
    new entry starts in the small queue, a tenth of the capacity, and moves to the main queue only if it
    is used meanwhile; a digest that was evicted unused and soon stored again (the ghost queue has it)
    goes to the main queue at once. So a scan over any number of keys that are used once passes through
    the small queue alone.
 */
class principal_cache {
public:
    explicit principal_cache(std::size_t limit_bytes);
    principal_cache(const principal_cache&) = delete;
    principal_cache& operator=(const principal_cache&) = delete;

    /** Find an entry, and count the use. One probe of a hash table, no allocation.
        @param stored_after an entry stored at or before this tick is removed instead
        @return null if not cached */
    principal_ref find(const digest& key, std::uint32_t stored_after = 0);

    /** The same by the hash of the credential's text, if remember() has been called for it: in a tenth of the
       time of computing the digest. Null says nothing: find() by the digest. */
    principal_ref find(const credential_hash& hash, std::uint32_t stored_after = 0);

    /// Let find() know the hash of a credential that it has found by its digest.
    void remember(const credential_hash& hash, const digest& key);

    /// Store under the principal's digest, replacing its entry. @param tick the caller's clock, from 1 on
    void store(principal_ref added, std::uint32_t tick = 1);

    /** Evict every principal with this credential, user or workspace. Costs in proportion to the entries
        evicted. Ids of the three kinds share one index: they are unique among all of them. */
    void evict(const uuid& subject);

    /// As above, but at most so many entries, which are subtracted. @return whether all are evicted
    bool evict(const uuid& subject, std::size_t& at_most);

    void evict(const digest& key);

    /** Evict everything, in constant time: entries of an earlier generation are not found. free_evicted()
        returns their memory, and so does storing others in their place. */
    void clear();

    /// Free at most so many of the entries that clear() has evicted. @return whether there are more
    bool free_evicted(std::size_t at_most);

    std::size_t size() const { return index_.size() - evicted_; }

    /// The memory of the entries, with their share of all tables; also of those that are not freed yet.
    std::size_t bytes() const { return index_.size() * bytes_each; }

    /// The number of entries evicted to make room so far.
    std::uint64_t evictions() const { return evictions_; }

private:
    struct hash {
        using is_transparent = void;
        using is_avalanching = void;
        const entry_slab* entries;
        std::size_t operator()(const digest& key) const { return digest_hash()(key); }
        std::size_t operator()(entry_number of) const
        {
            return digest_hash()((*entries)[of].principal->digest);
        }
    };
    struct same {
        using is_transparent = void;
        const entry_slab* entries;
        bool operator()(entry_number left, entry_number right) const { return left == right; }
        bool operator()(const digest& key, entry_number of) const
        {
            return key == (*entries)[of].principal->digest;
        }
        bool operator()(entry_number of, const digest& key) const
        {
            return key == (*entries)[of].principal->digest;
        }
    };

    /** S3-FIFO's ghost queue: digests that were recently evicted from the small queue, as fingerprints in a
        table with as many slots as there are entries. A collision is harmless: it misplaces one entry. */
    class ghosts {
    public:
        explicit ghosts(std::size_t capacity);
        void add(const digest& key) { slot(key) = fingerprint(key); }
        bool take(const digest& key);
        std::size_t bytes() const { return slots_.size() * sizeof(std::uint32_t); }

    private:
        static std::uint32_t fingerprint(const digest& key);
        std::uint32_t& slot(const digest& key) { return slots_[digest_hash()(key) & (slots_.size() - 1)]; }

        /// 0: empty.
        zeroed_array<std::uint32_t> slots_;
    };

    /// A principal in its block, an entry, and for each a slot in the index (at least two thirds full), in
    /// the subjects' buckets and among the ghosts, and up to four in the front index.
    static constexpr std::size_t bytes_each =
        (sizeof(principal) + 8 + 15) / 16 * 16 + sizeof(principal_entry) + 8 + 8 + 8 + 16;

    principal_ref use(entry_number found, std::uint32_t stored_after);
    bool is_evicted(entry_number which) const { return entries_[which].generation != generation_; }
    void remove(entry_number removed);
    void make_room();
    void evict_from_small();
    void evict_from_main();

    std::size_t capacity_;
    entry_slab entries_;
    boost::unordered_flat_set<entry_number, hash, same> index_;
    front_index front_;
    subject_index subjects_;
    entry_queue small_, main_;
    ghosts ghosts_;
    std::uint64_t evictions_ = 0;

    /// Raised by clear(). Entries of earlier ones are the first of both queues.
    std::uint16_t generation_ = 0;

    /// Entries of earlier generations.
    std::size_t evicted_ = 0;
};

/** Digests known to belong to no credential. A direct-mapped table: a digest overwrites the slot that its
    first bytes select, so that a flood of made-up keys costs no more than the table. An overwritten digest is
    looked up again. */
class negative_cache {
public:
    /// @param limit_bytes rounded down to a power of two of entries, at least one
    explicit negative_cache(std::size_t limit_bytes);

    bool contains(const digest& key) const { return slots_[slot(key)] == key; }
    void store(const digest& key) { slots_[slot(key)] = key; }
    void evict(const digest& key);
    void clear();

private:
    std::size_t slot(const digest& key) const { return digest_hash()(key) & (slots_.size() - 1); }

    /// All zeros: empty. A digest has that value with probability 2^-256.
    zeroed_array<digest> slots_;
};

} // namespace db
