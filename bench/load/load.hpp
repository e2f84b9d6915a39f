// The load generator: threads with one epoll loop each, which share the connections among them.
#pragma once

#include "bench/load/histogram.hpp"
#include "bench/load/http_client.hpp"
#include "bench/scenarios/request_source.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace bench {

using steady = std::chrono::steady_clock;

struct load_plan {
    /// The connections are spread over them evenly.
    std::vector<server_address> targets;
    std::size_t connections = 64;
    std::size_t threads = 1;
    /// Scheduled requests per second (open loop). 0: each connection sends when its response arrived (closed
    /// loop).
    double rate = 0;
    std::chrono::nanoseconds warmup = std::chrono::seconds(2);
    std::chrono::nanoseconds duration = std::chrono::seconds(10);
    /// How long to wait for late responses.
    std::chrono::nanoseconds drain = std::chrono::seconds(10);
    /// Poll without sleeping: exact send times at the cost of a whole processor.
    bool spin = false;
    /// Each request on a connection of its own, which counts as a part of its latency. Closed loop only.
    bool reconnects = false;
    /// TLS connections resume the session of an earlier one of the same thread.
    bool resumes_sessions = false;
};

/// Statistics of the requests of one kind.
struct outcome {
    /// Latency of expected responses, and the age of requests never answered.
    histogram latency;
    std::array<std::uint64_t, 600> statuses{};
    std::uint64_t expected = 0;
    /// Connection broken, or response malformed.
    std::uint64_t lost = 0;
    /// Sent, but not answered by the end of the run.
    std::uint64_t late = 0;
    /// Scheduled, but no connection became free for it.
    std::uint64_t unsent = 0;

    std::uint64_t answered() const;
    std::uint64_t unexpected() const { return answered() - expected + lost + late + unsent; }
    void merge(const outcome& other);
};

struct load_result {
    std::vector<outcome> kinds;
    /// Open loop: how late the generator itself sent although a connection was free.
    histogram send_delay;
    std::uint64_t reconnects = 0;
    /// TLS, warm-up included.
    std::uint64_t full_handshakes = 0, resumed_handshakes = 0;
    /// Connections that could not be opened.
    std::uint64_t refused = 0;
    /// The scenario's data did not last for the whole duration.
    bool exhausted = false;
    /// Length of the measured window.
    double seconds = 0;

    outcome total() const;
};

/// Statistics since the last call, for the progress line.
struct recent_load {
    histogram latency;
    std::uint64_t unexpected = 0;
};

/// The begin, measured window and end of a run, shared by its threads.
struct schedule {
    steady::time_point begin, measure_from;
    std::atomic<steady::time_point> until;
    std::atomic<bool> stopped = false;
};

class worker;

/** A run in progress. A request belongs to the measured window if its due time lies inside; latency counts
    from the due time. In a closed loop that is when the connection became free; in an open loop it is the
    scheduled time, however late a connection was available, so a stalled server is charged for every request
    that should have been sent meanwhile (no coordinated omission, in Gil Tene's term). */
class load {
public:
    /// Start the threads: they connect, warm up, and measure.
    load(const load_plan& plan, std::vector<kind> kinds, const request_source_factory& make_source);
    ~load();
    load(const load&) = delete;
    load& operator=(const load&) = delete;

    steady::time_point measures_from() const { return schedule_.measure_from; }
    steady::time_point measures_until() const { return schedule_.until.load(); }

    /// Statistics since the last call.
    recent_load take_recent();

    /// End early; requests in flight are not counted.
    void stop();

    /// Join the threads and add up their results. Once only.
    load_result wait();

private:
    load_plan plan_;
    std::vector<kind> kinds_;
    schedule schedule_;
    std::vector<std::unique_ptr<worker>> workers_;
    std::vector<std::jthread> threads_;
};

} // namespace bench
