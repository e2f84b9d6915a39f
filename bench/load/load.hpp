// The load generator: threads with an epoll loop each, every one driving its share of the connections.
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
    socket_address target;
    std::size_t connections = 64;
    std::size_t threads = 1;
    double rate = 0; ///< requests a second, by schedule; 0: each connection sends when its answer has come
    std::chrono::nanoseconds warmup = std::chrono::seconds(2);
    std::chrono::nanoseconds duration = std::chrono::seconds(10);
    std::chrono::nanoseconds drain = std::chrono::seconds(10); ///< how long late answers are waited for
    bool spin = false; ///< poll without sleeping: exact send times for a whole processor
};

/** What became of the requests of one kind. */
struct outcome {
    histogram latency; ///< of expected answers, and the age of what was never answered
    std::array<std::uint64_t, 600> statuses{};
    std::uint64_t expected = 0;
    std::uint64_t lost = 0;   ///< the connection broke, or the answer could not be read
    std::uint64_t late = 0;   ///< sent, and not answered when the run was over
    std::uint64_t unsent = 0; ///< scheduled, and no connection came free for it

    std::uint64_t answered() const;
    std::uint64_t unexpected() const { return answered() - expected + lost + late + unsent; }
    void merge(const outcome& other);
};

struct load_result {
    std::vector<outcome> kinds;
    histogram send_delay; ///< open loop: how late the generator itself was, a free connection at hand
    std::uint64_t reconnects = 0;
    std::uint64_t refused = 0; ///< connections that could not be made
    bool used_up = false;      ///< the scenario's data did not last for the whole duration
    double seconds = 0;        ///< of measuring

    outcome total() const;
};

/** What happened of late, for the progress line. */
struct recent_load {
    histogram latency;
    std::uint64_t unexpected = 0;
};

/** When a run begins, measures and ends: the same moments for all its threads. */
struct schedule {
    steady::time_point begin, measure_from;
    std::atomic<steady::time_point> until;
    std::atomic<bool> stopped = false;
};

class worker;

/** A run in progress. A request belongs to the measured window if the moment it was due lies inside; its
    latency counts from that moment. In the closed loop that is when the connection became free; in the open
    loop it is the schedule's, however late a connection was found, so a server that stalls is charged for
    every request that should have been sent meanwhile (no coordinated omission). */
class load {
public:
    /** Start the threads: they connect, warm up, and measure. */
    load(const load_plan& plan, std::vector<kind> kinds, const traffic_factory& make_traffic);
    ~load();
    load(const load&) = delete;
    load& operator=(const load&) = delete;

    steady::time_point measures_from() const { return schedule_.measure_from; }
    steady::time_point measures_until() const { return schedule_.until.load(); }

    /** What was answered since the last call. */
    recent_load take_recent();

    /** End early; what is under way is forgotten. */
    void stop();

    /** Wait for the threads' end and add up. Once only. */
    load_result wait();

private:
    load_plan plan_;
    std::vector<kind> kinds_;
    schedule schedule_;
    std::vector<std::unique_ptr<worker>> workers_;
    std::vector<std::jthread> threads_;
};

} // namespace bench
