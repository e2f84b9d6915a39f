// A transaction under construction: its statements, and the bus that invalidates caches at its commit.
#pragma once

#include "db/principals/invalidation_bus.hpp"

#include <functional>
#include <utility>

namespace db {

/** A batch together with the pool and the bus that commit it. The functions of `db/tables` that change what a
    credential may do take one by value; statements added to it before, such as a credential check, run first
    in the same transaction. */
class transaction {
public:
    transaction(invalidation_bus& bus, db::pool& pool, batch work = {})
        : bus_(&bus), pool_(&pool), work_(std::move(work))
    {}

    batch& work() { return work_; }
    db::pool& pool() const { return *pool_; }

    /** Commit, and return once no cache of any node holds the affected subjects.
        @throw failure as invalidation_bus::commit */
    awaitable<results> commit(invalidation affected)
    {
        return bus_->commit(*pool_, std::move(work_), std::move(affected));
    }

    /** As above, where only the answers show what has changed.
        @param at_most covers everything that `from` can return */
    awaitable<results> commit(invalidation at_most, std::function<invalidation(const results&)> from)
    {
        return bus_->commit(*pool_, std::move(work_), std::move(at_most), std::move(from));
    }

    /** As above, together with other transactions of the core: invalidation_bus::commit_in_group.
        @param rows all rows that the statements lock, apart from those that they insert */
    awaitable<results> commit_in_group(locked_rows rows, invalidation at_most,
                                       std::function<invalidation(const results&)> from = nullptr)
    {
        return bus_->commit_in_group(*pool_, std::move(work_), std::move(rows), std::move(at_most),
                                     std::move(from));
    }

    /// Commit statements that change no credential: one round trip.
    awaitable<results> commit_without_invalidation() { return pool_->run(std::move(work_)); }

private:
    invalidation_bus* bus_;
    db::pool* pool_;
    batch work_;
};

} // namespace db
