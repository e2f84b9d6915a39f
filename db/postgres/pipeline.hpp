// One connection to PostgreSQL, shared by all requests of one core.
#pragma once

#include "db/postgres/async.hpp"
#include "db/postgres/batch.hpp"
#include "db/postgres/result.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

namespace db {

/** A pipelined connection on one io_context: every request's batch is sent at once, behind those that wait
    for their answers, and each gets its own answers. It connects by itself, and again whenever the
    connection is lost.

    Only its io_context's one thread may touch it; there is no lock. Destroy it before the io_context:
    coroutines that still wait are then destroyed, not resumed. */
class pipeline {
public:
    struct config {
        std::string conninfo; ///< libpq connection string or URL; several hosts allowed

        std::chrono::milliseconds connect_timeout{3000};   ///< for one attempt, preparing included
        std::chrono::milliseconds queue_timeout{2000};     ///< from run() until sent
        std::chrono::milliseconds deadline{4500};          ///< from sent until answered
        std::chrono::milliseconds statement_timeout{4000}; ///< on the server, unless `options` say otherwise

        std::size_t queue_limit = 10'000; ///< batches in flight; beyond them run() fails as overloaded

        /// For statements that find a few rows by their keys: the planner may not read a whole table instead,
        /// which seems cheap to it while the table is small. Without effect where `prepare` is false.
        bool by_index_alone = false;

        /// False behind a pooler that hands transactions to changing servers: nothing is kept on a
        /// connection.
        bool prepare = true;

        /// Told of "connected", "connect failed" and "connection lost", with a detail for the log.
        std::function<void(std::string_view event, std::string_view detail)> on_event;

        /// Told of NOTIFY on channels this connection listens to, before any answer that came after it.
        std::function<void(std::string_view channel, std::string_view payload)> on_notification;
    };

    pipeline(boost::asio::io_context& io, config settings);
    ~pipeline();
    pipeline(const pipeline&) = delete;
    pipeline& operator=(const pipeline&) = delete;

    /** Send a batch and wait for all of its answers. Starts when awaited.
        @throw failure the first error of the batch, or unavailable: overloaded, never sent, sent and lost,
               or late (it may then have taken effect or not), or misuse (as batch::fault) */
    awaitable<results> run(batch work);

    /// As above, for one statement.
    template <class... Values>
    awaitable<result> run(const statement& what, const Values&... values)
    {
        batch work;
        work.add(what, values...);
        return run_one(std::move(work));
    }

    /// As above, within a workspace.
    template <class... Values>
    awaitable<result> run_within(const uuid& workspace, const statement& what, const Values&... values)
    {
        batch work;
        work.within(workspace).add(what, values...);
        return run_one(std::move(work));
    }

    /** Wait until connected and every statement is prepared.
        @throw failure the statement PostgreSQL refuses, by name, or what keeps it from connecting */
    awaitable<void> ready();

    bool connected() const;

    /// How often it has connected: another number is another connection, with nothing left of the first.
    std::uint64_t generation() const;

    /// Batches waiting or sent, those abandoned but not yet answered included.
    std::size_t in_flight() const;

    /// Accept nothing more, let what is in flight end, then disconnect.
    awaitable<void> close();

private:
    class line;

    awaitable<result> run_one(batch work);

    std::shared_ptr<line> line_; // shared with its own loop, which may end a little later
};

} // namespace db
