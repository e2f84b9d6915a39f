// A pipelined PostgreSQL connection, shared by all requests of one core.
#pragma once

#include "db/postgres/async.hpp"
#include "db/postgres/batch.hpp"
#include "db/postgres/pipeline_config.hpp"
#include "db/postgres/result.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>

namespace db {

/** A connection in libpq's pipeline mode on one io_context: each request's batch is sent at once, behind
    those that still await their answers, and receives its own answers. Connects by itself, and reconnects
    whenever the connection is lost.

    Only its io_context's one thread may touch it; there is no lock. Destroy it before the io_context:
    suspended coroutines are then destroyed, not resumed. */
class pipeline {
public:
    using config = pipeline_config;

    pipeline(boost::asio::io_context& io, config settings);
    ~pipeline();
    pipeline(const pipeline&) = delete;
    pipeline& operator=(const pipeline&) = delete;

    /** Send a batch and wait for all of its answers. Starts when awaited. A batch that PostgreSQL rolls back
        for a deadlock or a serialization failure is repeated, up to three attempts in all.
        @throw failure the first error of the batch, or unavailable: overloaded, never sent, sent and lost, or
               late (in the last two cases it may have taken effect or not), or misuse (as batch::fault) */
    awaitable<results> run(batch work);

    /// As above, for one statement.
    template <class... Values>
    awaitable<result> run(const statement& stmt, const Values&... values)
    {
        batch work;
        work.add(stmt, values...);
        return run_one(std::move(work));
    }

    /// As above, confined to a workspace.
    template <class... Values>
    awaitable<result> run_in_workspace(const uuid& workspace, const statement& stmt, const Values&... values)
    {
        batch work;
        work.in_workspace(workspace).add(stmt, values...);
        return run_one(std::move(work));
    }

    /** Wait until connected. The first connection of the process to a database checks every statement.
        @throw failure naming the statement PostgreSQL refuses, or why it cannot connect */
    awaitable<void> ready();

    bool connected() const;

    /// The number of connections made so far. A new number means a new connection, without the state of the
    /// old one.
    std::uint64_t generation() const;

    /// The number of batches repeated so far, since another transaction caused their rollback.
    std::uint64_t retries() const;

    /// Batches waiting or sent, including those abandoned but not yet answered.
    std::size_t in_flight() const;

    /// Accept no more batches, let those in flight end, then disconnect.
    awaitable<void> close();

private:
    class impl;

    awaitable<result> run_one(batch work);

    /// Shared with its own coroutines, which may end a little later.
    std::shared_ptr<impl> impl_;
};

} // namespace db
