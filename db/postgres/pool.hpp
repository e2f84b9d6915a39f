// The pipelines of one core.
#pragma once

#include "db/postgres/pipeline.hpp"

#include <cstddef>
#include <deque>

namespace db {

/** A few pipelines behind the face of one. A second connection gives PostgreSQL a second backend, and so a
    second processor, to work for this core; a slow statement then holds up half of the requests, not all.

    Successive batches of one request may travel on different connections: a batch sent after another was
    answered sees its effects, one sent alongside may not. */
class pool {
public:
    /// Start `size` (at least one) pipelines of one configuration.
    pool(boost::asio::io_context& io, const pipeline::config& settings, std::size_t size);

    /// As pipeline::run, on the connected pipeline with the fewest batches in flight.
    awaitable<results> run(batch work) { return quietest().run(std::move(work)); }

    template <class... Values>
    awaitable<result> run(const statement& what, const Values&... values)
    {
        return quietest().run(what, values...);
    }

    /// As above, within a workspace.
    template <class... Values>
    awaitable<result> run_within(const uuid& workspace, const statement& what, const Values&... values)
    {
        return quietest().run_within(workspace, what, values...);
    }

    /// Wait for every pipeline. @throw failure as pipeline::ready
    awaitable<void> ready();

    /// True if at least one pipeline is.
    bool connected() const;

    /// Batches waiting or sent.
    std::size_t in_flight() const;

    /// How many pipelines are connected, and how often any has been.
    std::size_t connections() const;
    std::uint64_t connections_made() const;

    /// Close every pipeline, each once what it has in flight has ended.
    awaitable<void> close();

private:
    pipeline& quietest();

    std::deque<pipeline> pipelines_; // a deque never moves its elements
};

} // namespace db
