// A connection pool of one core: a few pipelines with the interface of one.
#pragma once

#include "db/postgres/pipeline.hpp"

#include <cstddef>
#include <deque>

namespace db {

/** A fixed number of pipelines; each batch goes to the least busy. A second connection gives PostgreSQL a
    second backend, and so a second processor, to work for this core; a slow statement then delays half of the
    requests, not all.

    Successive batches of one request may travel on different connections: a batch sent after another was
    answered sees its effects, one sent alongside may not. */
class pool {
public:
    /// Start `size` (at least one) pipelines of one configuration.
    pool(boost::asio::io_context& io, const pipeline::config& settings, std::size_t size);

    /// As pipeline::run, on the connected pipeline with the fewest batches in flight.
    awaitable<results> run(batch work) { return least_busy().run(std::move(work)); }

    template <class... Values>
    awaitable<result> run(const statement& stmt, const Values&... values)
    {
        return least_busy().run(stmt, values...);
    }

    /// As above, confined to a workspace.
    template <class... Values>
    awaitable<result> run_in_workspace(const uuid& workspace, const statement& stmt, const Values&... values)
    {
        return least_busy().run_in_workspace(workspace, stmt, values...);
    }

    /// Wait for every pipeline. @throw failure as pipeline::ready
    awaitable<void> ready();

    /// True if at least one pipeline is connected.
    bool connected() const;

    /// Batches waiting or sent.
    std::size_t in_flight() const;

    /// The number of pipelines that are connected.
    std::size_t connections() const;

    /// The number of connections made so far.
    std::uint64_t connections_made() const;

    /// The number of batches repeated so far (pipeline::run).
    std::uint64_t retries() const;

    /// Close every pipeline, each once its batches in flight have ended.
    awaitable<void> close();

private:
    pipeline& least_busy();

    /// A deque never moves its elements.
    std::deque<pipeline> pipelines_;
};

/** Whether PostgreSQL confines batches in a workspace to its rows (db/postgres/row_security.hpp).
    @throw failure as pool::run */
awaitable<bool> row_security_enabled(pool& db);

} // namespace db
