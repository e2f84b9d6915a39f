// Refusals in the audit log: counted in memory, written in the background, bounded per subject.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/tables/audit.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace db::audit {

/// What is counted, with the action of its event.
enum class refusal {
    /// login.failed, per account.
    failed_login,
    /// access.denied, per credential.
    denied_access
};

/** The refusals of one core. A client can cause any number of them, so they are neither written on the
   request path nor each as a row of its own: all refusals of a kind and a subject within `span`, on all cores
    and nodes, are one event, which describes the first of them and has their number as `details.count`. A
    crash loses those since the last write. */
class refusal_writer {
public:
    /// At most six rows an hour for a subject.
    static constexpr std::chrono::minutes span{10};

    struct config {
        std::chrono::milliseconds write_interval{1000};
        /// Subjects between two writes; further ones are dropped.
        std::size_t max_pending = 4096;
    };

    refusal_writer(boost::asio::io_context& io, pool& db, config settings);
    refusal_writer(boost::asio::io_context& io, pool& db) : refusal_writer(io, db, config()) {}
    ~refusal_writer();

    /** Count a refusal. Most of the time one lookup in a hash table.
        @param subject the account, or the credential
        @param describe makes the event; called for the first refusal since the last write alone */
    template <class Describe>
    void record(refusal kind, const uuid& subject, timestamp now, Describe describe)
    {
        if (auto event = count(kind, subject, now))
            *event = describe();
    }

    /** Write all refusals. An event without a workspace gets the one that its target, a user, would sign in
        to. Nothing is written about a user or a workspace deleted meanwhile. What cannot be written because
        the database is unavailable is kept for the next time. @throw failure in that case */
    awaitable<void> flush();

    /// Stop the timer and flush a last time. @throw failure
    awaitable<void> close();

private:
    class buffer;

    entry* count(refusal kind, const uuid& subject, timestamp now);

    /// Shared with the timer's coroutine, which may end a little later.
    std::shared_ptr<buffer> buffer_;
};

} // namespace db::audit
