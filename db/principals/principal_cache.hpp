// What one core remembers of credentials: two plain containers, without I/O and without clocks.
#pragma once

#include "db/principals/entry_slab.hpp"
#include "db/principals/subject_index.hpp"

#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace db {

/// A digest's first bytes: it came out of a hash, which nobody without its key can steer.
struct digest_hash {
    using is_avalanching = void;
    std::size_t operator()(const digest& key) const
    {
        std::size_t value;
        std::memcpy(&value, key.data(), sizeof value);
        return value;
    }
};

/** Principals by digest, bounded in bytes, some 230 for each.

    Room is made by S3-FIFO (Yang et al., SOSP 2023): a newcomer waits in a small queue, a tenth of the room,
   and moves into the main one only if it is used meanwhile; one that was pushed out unused, and comes again
   soon, goes there at once. So a pass over any number of keys that are used once goes through the small queue
   alone. */
class principal_cache {
public:
    explicit principal_cache(std::size_t limit_bytes);
    ~principal_cache() { clear(); }
    principal_cache(const principal_cache&) = delete;
    principal_cache& operator=(const principal_cache&) = delete;

    /** Find, and mark as used.
        @param stored_after entries stored at or before this tick are dropped instead
        @return nothing if not remembered. One probe of a hash table, no allocation */
    principal_ref find(const digest& key, std::uint32_t stored_after = 0);

    /// Remember; replaces what was remembered under the digest. @param tick the caller's clock, from 1 on
    void store(principal_ref who, std::uint32_t tick = 1);

    /** Forget every principal that has the id as its credential, its user or its workspace. Costs as much as
        it forgets. Ids of the three kinds share one index: they are unique among all of them. */
    void evict(const uuid& subject);

    void evict(const digest& key);
    void clear();

    std::size_t size() const { return index_.size(); }

    /// What the entries take, with their share of all tables.
    std::size_t bytes() const { return size() * bytes_each; }

    /// How many entries have made room for others so far.
    std::uint64_t pushed_out() const { return pushed_out_; }

private:
    struct hash {
        using is_transparent = void;
        using is_avalanching = void;
        const principal_entries* entries;
        std::size_t operator()(const digest& key) const { return digest_hash()(key); }
        std::size_t operator()(entry_number of) const { return digest_hash()((*entries)[of].who->digest); }
    };
    struct same {
        using is_transparent = void;
        const principal_entries* entries;
        bool operator()(entry_number left, entry_number right) const { return left == right; }
        bool operator()(const digest& key, entry_number of) const
        {
            return key == (*entries)[of].who->digest;
        }
        bool operator()(entry_number of, const digest& key) const
        {
            return key == (*entries)[of].who->digest;
        }
    };

    /** Digests that were pushed out of the small queue lately, by a part of their hash: which of two it was
       matters little. As many as there are entries. */
    class ghosts {
    public:
        explicit ghosts(std::size_t room);
        void add(const digest& key) { slot(key) = mark(key); }
        bool take(const digest& key);
        std::size_t bytes() const { return marks_.size() * sizeof(std::uint32_t); }

    private:
        static std::uint32_t mark(const digest& key);
        std::uint32_t& slot(const digest& key) { return marks_[digest_hash()(key) & (marks_.size() - 1)]; }

        std::vector<std::uint32_t> marks_; ///< 0: none
    };

    /// A principal in its block, an entry, and for each a place in the index (two thirds full at the least),
    /// in the subjects' buckets and among the ghosts.
    static constexpr std::size_t bytes_each =
        (sizeof(principal) + 8 + 15) / 16 * 16 + sizeof(principal_entry) + 8 + 8 + 8;

    void remove(entry_number unwanted);
    void make_room();
    void consider_newcomer();
    void consider_trusted();

    std::size_t capacity_;
    principal_entries entries_;
    boost::unordered_flat_set<entry_number, hash, same> index_;
    subject_index subjects_;
    entry_queue newcomers_, trusted_;
    ghosts ghosts_;
    std::uint64_t pushed_out_ = 0;
};

/** Digests known to name nothing. A fixed table in which a newcomer takes the place its first bytes name, so
    that a flood of made-up keys costs no more than the table: what it displaces is asked for again. */
class absent_digests {
public:
    /// @param limit_bytes rounded down to a power of two of entries, at least one
    explicit absent_digests(std::size_t limit_bytes);

    bool contains(const digest& key) const { return slots_[place(key)] == key; }
    void store(const digest& key) { slots_[place(key)] = key; }
    void evict(const digest& key);
    void clear();

private:
    std::size_t place(const digest& key) const { return digest_hash()(key) & (slots_.size() - 1); }

    std::vector<digest> slots_; ///< all zeros: free. No hash has that value but with probability 2^-256
};

} // namespace db
