// Mail workers: claim due messages from the outbox, render and deliver them, on threads of their own.
#pragma once

#include "server/config.hpp"

#include <memory>

namespace server {

/** Delivers the outbox while it exists. Any number of processes share one outbox: a message is claimed for a
    minute, and no transaction stays open while it is sent. It is sent twice only if a process dies, or hangs
    for longer than the claim, after the mail server has accepted it and before the database has recorded
    that.

    LATCHKEY_SMTP_CONNECTIONS messages are sent at the same time. Those of the lane `security` go first, and a
    quarter of the connections is reserved for them: no queue of other messages delays a password reset by
    more than a delivery takes.

    Failed deliveries are retried with exponential backoff, at least once a minute, for a day. After that, or
    after a permanent rejection, the message is kept as failed for the operator and logged as a warning. While
    the mail server is unavailable, one message at a time tries it. */
class mail_worker_pool {
public:
    explicit mail_worker_pool(const config& settings);

    /// Gives deliveries in progress a few seconds, then aborts them.
    ~mail_worker_pool();
    mail_worker_pool(const mail_worker_pool&) = delete;
    mail_worker_pool& operator=(const mail_worker_pool&) = delete;

private:
    class dispatcher;
    std::unique_ptr<dispatcher> dispatcher_;
};

} // namespace server
