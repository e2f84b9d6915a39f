// What one core remembers of credentials: two plain containers, without I/O and without clocks.
#pragma once

#include "db/principal.hpp"

#include <boost/intrusive/list.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <boost/uuid/uuid_hash.hpp>

#include <array>
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

/** Principals by digest, bounded in bytes.

    Room is made by second chance (CLOCK): a hand goes round; an entry used since the hand last passed stays
    once more. A newcomer must be used again before the hand comes by, so one pass over many keys, each used
    once, drives out little that is used all the time. */
class principal_cache {
public:
    explicit principal_cache(std::size_t limit_bytes) : limit_(limit_bytes) {}
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

    /// An estimate, close to what the allocator hands out.
    std::size_t bytes() const { return bytes_; }

private:
    struct entry;
    struct subject_link : boost::intrusive::list_base_hook<> {
        entry* of = nullptr;
    };
    struct entry : boost::intrusive::list_base_hook<> {
        principal_ref who;
        std::array<subject_link, 3> subjects;
        std::uint32_t stored_at = 0;
        bool used = false;
    };
    struct hash {
        using is_transparent = void;
        using is_avalanching = void;
        std::size_t operator()(const digest& key) const { return digest_hash()(key); }
        std::size_t operator()(const entry* of) const { return digest_hash()(of->who->digest); }
    };
    struct same {
        using is_transparent = void;
        bool operator()(const entry* left, const entry* right) const { return left == right; }
        bool operator()(const digest& key, const entry* of) const { return key == of->who->digest; }
        bool operator()(const entry* of, const digest& key) const { return key == of->who->digest; }
    };
    using ring = boost::intrusive::list<entry, boost::intrusive::constant_time_size<false>>;
    using subject_list = boost::intrusive::list<subject_link, boost::intrusive::constant_time_size<false>>;

    static std::size_t cost(const principal& who);
    void remove(entry& unwanted);
    void make_room();

    std::size_t limit_;
    std::size_t bytes_ = 0;
    boost::unordered_flat_set<entry*, hash, same> index_;
    boost::unordered_flat_map<uuid, subject_list> subjects_;
    ring ring_; ///< its front is what the hand points at; the back is where it has just been
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
