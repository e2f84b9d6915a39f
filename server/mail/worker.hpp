// Empties the outbox: takes the letter that is due, writes it, sends it; on threads of its own.
#pragma once

#include "server/config.hpp"

#include <atomic>
#include <cstdint>
#include <deque>
#include <thread>

namespace server {

/** Sends what stands in the outbox while it lives. Any number of them, in any number of processes, never send
   a letter twice unless one dies after the mail server has taken it and before the database has heard of it.

    A letter that cannot be sent is tried again, within a minute each time, for a day; then it is given up,
   kept for the operator to see, and logged as a warning. */
class mailer {
public:
    explicit mailer(const config& settings);

    /** Lets what is being sent go on for some seconds, then breaks it off. */
    ~mailer();
    mailer(const mailer&) = delete;
    mailer& operator=(const mailer&) = delete;

private:
    class worker;

    std::atomic<std::int64_t> stops_at_; // on the steady clock, in its ticks; the largest number: not yet
    std::deque<worker> workers_;
    std::deque<std::thread> threads_;
};

} // namespace server
