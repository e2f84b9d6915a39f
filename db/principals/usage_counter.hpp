// Usage: counts of requests by workspace, day and API key, on the way from cached principals to the database.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/principal.hpp"

#include <boost/container_hash/hash.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/uuid/uuid_hash.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>

namespace db {

/** The usage of one core. Requests are counted in the principal itself; this keeps those that have counts,
   and takes the counts when the first of them is an interval old. */
class usage_counter {
public:
    /** @param interval how late counts are taken at most
        @param max_principals of which counts are outstanding; the oldest are taken earlier then */
    usage_counter(std::chrono::seconds interval, std::size_t max_principals)
        : interval_(interval.count()), max_principals_(max_principals)
    {}

    /// Sees to it that the counts of a principal are taken. @param second of the first one
    void add(const principal& counted, std::int64_t second);

    /** Takes the counts that are an interval old, of as many principals as fit a turn of the reactor.
        @return whether there are more */
    bool take_due(std::chrono::system_clock::time_point now);

    /// Takes all counts.
    void take_all();

    /** Adds what was taken to usage_daily. What cannot be written is kept, except for workspaces that have
       been deleted. @throw failure */
    awaitable<void> write(pool& db, std::size_t rows_per_statement);

private:
    struct collected {
        principal_ref of;
        std::int64_t since;
    };

    /// A row of usage_daily.
    struct row_key {
        uuid workspace{};

        /// Days since 1970, in UTC.
        std::int64_t day = 0;

        /// Nil: sessions.
        uuid key{};

        bool operator==(const row_key&) const = default;
    };

    struct row_hash {
        std::size_t operator()(const row_key& of) const
        {
            std::size_t out = 0;
            boost::hash_combine(out, of.workspace);
            boost::hash_combine(out, of.day);
            boost::hash_combine(out, of.key);
            return out;
        }
    };

    struct sums {
        std::int64_t checks = 0, refusals = 0, rate_limited = 0;

        /// Skipped once: the workspace was locked. Skipped twice in a row, it is taken for deleted.
        bool was_skipped = false;

        void add(const sums& more)
        {
            checks += more.checks;
            refusals += more.refusals;
            rate_limited += more.rate_limited;
        }
    };
    using table = boost::unordered_flat_map<row_key, sums, row_hash>;

    void take_first();

    std::int64_t interval_;
    std::size_t max_principals_;

    /// The oldest first.
    std::deque<collected> collected_;
    table taken_;
};

} // namespace db
