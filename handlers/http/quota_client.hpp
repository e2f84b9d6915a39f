// Quota client: takes shares of rate limits for the requests of one core.
#pragma once

#include "db/postgres/pool.hpp"
#include "handlers/access/rate_limiter.hpp"
#include "handlers/http/fwd.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/unordered/unordered_flat_map.hpp>

#include <cstdint>
#include <memory>
#include <vector>

namespace handlers {

/** Takes shares from the database, all that are needed at the same time in one statement; while it is
    answered, others collect for the next one. Without an answer the node goes on by itself
    (rate_limiter::grant_without_answer). Belongs to one core. */
class quota_client {
public:
    /// @param db connections that no requests share: their load would look like a missing answer
    quota_client(boost::asio::io_context& io, db::pool& db, rate_limiter& limiter);
    quota_client(const quota_client&) = delete;
    quota_client& operator=(const quota_client&) = delete;

    /// Takes a share, unless one for the subject is being taken. Does not wait.
    void prefetch(const needed_share& share);

    /// Takes a share and waits until it is granted, half a second at most.
    awaitable<void> take(needed_share share);

private:
    struct request {
        needed_share share;
        /// Expires when the share is granted.
        db::steady_timer granted;
        request(const needed_share& of, const db::executor& executor);
    };
    using request_ref = std::shared_ptr<request>;

    request_ref enqueue(const needed_share& share);
    awaitable<void> drain_queue();
    awaitable<void> take_all(std::vector<request_ref> group);

    boost::asio::io_context& io_;
    db::pool& db_;
    rate_limiter& limiter_;
    std::vector<request_ref> queue_;
    /// By key: queued or sent.
    boost::unordered_flat_map<std::uint64_t, request_ref> pending_;
    bool is_draining_ = false;
    /// Until then the database is not asked, since it did not answer.
    rate_limiter::clock::time_point unavailable_until_{};
};

} // namespace handlers
