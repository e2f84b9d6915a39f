// Mail workers: claim due messages from the outbox, render and deliver them, on threads of their own.
#pragma once

#include "server/config.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <thread>

namespace server {

/** Delivers the outbox while it exists. Any number of pools in any number of processes share one outbox; a
    message is sent twice only if a worker dies after the mail server has accepted it and before the database
    has recorded that.

    Failed deliveries are retried with exponential backoff, at least once a minute, for a day. After that, or
    after a permanent rejection, the message is kept as failed for the operator and logged as a warning. */
class mail_worker_pool {
public:
    explicit mail_worker_pool(const config& settings);

    /// Gives deliveries in progress a few seconds, then aborts them.
    ~mail_worker_pool();
    mail_worker_pool(const mail_worker_pool&) = delete;
    mail_worker_pool& operator=(const mail_worker_pool&) = delete;

private:
    class worker;

    /// Ticks of the steady clock at which deliveries are aborted; the largest value: not stopping.
    std::atomic<std::int64_t> abort_at_;
    std::deque<worker> workers_;
    std::deque<std::thread> threads_;
};

} // namespace server
