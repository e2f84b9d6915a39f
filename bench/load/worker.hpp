// One thread of the load generator.
#pragma once

#include "bench/load/load.hpp"

#include <sys/epoll.h>

#include <deque>

namespace bench {

/** Drives its share of a run's connections from one epoll loop. A request costs one send, one recv and a
    share of one epoll_wait; run() does not allocate. */
class worker {
public:
    worker(const load_plan& plan, std::size_t index, const std::vector<kind>& kinds,
           std::unique_ptr<request_source> source, schedule& times);
    ~worker();
    worker(const worker&) = delete;
    worker& operator=(const worker&) = delete;

    void run();

    /// Thread-safe.
    recent_load take_recent();

    /// Valid after run() has returned.
    const load_result& result() const { return result_; }

private:
    struct connection {
        enum class state { closed, connecting, free, busy };

        stream link;
        state now = state::closed;
        std::size_t kind = 0;
        bool measured = false;
        /// Due time of the request in flight.
        steady::time_point due;
        /// When the connection was begun.
        steady::time_point opened;
        /// Set while no request is in flight.
        steady::time_point free_since;
        /// The part of the request that the socket has not accepted yet.
        std::string unsent;
        response_reader reader;
    };

    void open(connection& c);
    void reopen(connection& c);
    void close(connection& c);
    void watch(connection& c, std::uint32_t events, int operation);

    void on_event(connection& c, std::uint32_t events);
    void on_connectable(connection& c);
    void on_readable(connection& c);
    void make_free(connection& c, steady::time_point now);
    void send_due(steady::time_point now);
    void start(connection& c, steady::time_point due, steady::time_point now);
    void flush(connection& c);

    void complete(connection& c, steady::time_point now);
    void lose(connection& c);
    void publish(steady::time_point now);
    void count_unanswered(steady::time_point now);

    bool is_over(steady::time_point now) const;
    bool is_measured(steady::time_point due) const;
    std::chrono::nanoseconds time_to_sleep(steady::time_point now) const;
    steady::time_point due_of(std::uint64_t arrival) const;

    const load_plan& plan_;
    const std::vector<kind>& kinds_;
    schedule& times_;
    std::unique_ptr<request_source> source_;
    std::size_t index_;

    int epoll_;
    tls_client tls_;
    std::vector<connection> connections_;
    std::vector<char> buffer_;
    std::size_t busy_ = 0;
    steady::time_point next_publish_;

    // Open loop: the schedule's arrivals of this thread, and the free connections.
    std::deque<connection*> free_;
    std::uint64_t arrival_ = 0;
    steady::time_point next_due_;

    load_result result_;
    recent_load unpublished_;
    std::mutex recent_mutex_;
    recent_load recent_;
};

} // namespace bench
