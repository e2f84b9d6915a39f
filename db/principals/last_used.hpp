// When credentials were last used: gathered in memory, written now and then.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/principal.hpp"

#include <chrono>
#include <cstddef>
#include <memory>

namespace db {

/** The uses one core has seen. Never on a request's way: a request notes, a timer writes. A crash loses what
    was noted since the last write. */
class usage {
public:
    struct config {
        /// At most one note for a principal in this time: how exact the times are, and how many rows are
        /// written.
        std::chrono::seconds note_every{60};
        std::chrono::milliseconds write_every{5000};
        std::size_t rows_per_statement = 500;
    };

    usage(boost::asio::io_context& io, pool& db, config settings);
    usage(boost::asio::io_context& io, pool& db) : usage(io, db, config()) {}
    ~usage();

    /// Note a use. Most of the time one comparison.
    void note(const principal& who, timestamp now)
    {
        auto second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
        if (second - who.noted_at >= note_every_)
            keep(who, second);
    }

    /** Write what has been noted, as api_keys.last_used_at and sessions.last_seen_at, which never go back.
        What cannot be written is kept for the next time. @throw failure */
    awaitable<void> flush();

    /// Stop the timer and flush a last time. @throw failure
    awaitable<void> close();

private:
    class notes;

    void keep(const principal& who, std::int64_t second);

    std::int64_t note_every_;
    std::shared_ptr<notes> notes_; ///< shared with the timer's loop, which may end a little later
};

} // namespace db
