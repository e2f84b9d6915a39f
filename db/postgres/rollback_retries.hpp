// Batches that PostgreSQL rolled back because of other transactions, and that are repeated.
#pragma once

#include "db/postgres/async.hpp"
#include "db/postgres/multiplexer.hpp"

#include <boost/asio/steady_timer.hpp>

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <random>

namespace db {

/** Repeats batches after a deadlock (40P01) or a serialization failure (40001), which a batch survives
    because it is a value. Three attempts in all, each after a random wait, so that transactions that met once
    do not meet again: up to 20 ms, then up to 40 ms. For one thread. */
class rollback_retries {
public:
    explicit rollback_retries(executor on) : executor_(on) {}

    /// Whether the request failed for that reason and has an attempt left.
    static bool may_repeat(const request& done);

    /// Calls `submit` with the request after the wait, unless clear() or the destructor comes first.
    void repeat_later(std::unique_ptr<request> rolled_back,
                      std::function<void(std::unique_ptr<request>)> submit);

    /// Requests that wait.
    std::size_t size() const { return waiting_.size(); }

    /// Drops the requests that wait.
    void clear() { waiting_.clear(); }

    /// The number of repetitions so far.
    std::uint64_t count() const { return count_; }

private:
    struct waiting_request {
        std::unique_ptr<request> owner;
        steady_timer timer;
    };

    executor executor_;
    std::list<std::shared_ptr<waiting_request>> waiting_;
    std::uint64_t count_ = 0;
    std::minstd_rand random_{std::random_device{}()};
};

} // namespace db
