// What the server counts, for whoever watches it: GET /metrics in the text format of Prometheus.
#pragma once

#include "crypto/hash_pool.hpp"
#include "db/principals/lease.hpp"
#include "db/principals/principals.hpp"
#include "handlers/http/endpoint.hpp"
#include "handlers/metrics/request_metrics.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace handlers {

/** How one core stands; told by the core itself now and then. */
struct core_state {
    db::principals::counts credentials;
    std::size_t connections = 0;     // of clients
    std::size_t at_work = 0;         // requests under way
    std::size_t statements = 0;      // batches for the database, waiting or under way
    std::size_t lookups = 0;         // the same of look-ups of credentials
    std::size_t database_up = 0;     // connections to the database that stand
    std::size_t database_opened = 0; // connections to the database made so far
};

/** What only the whole process can tell; read every few seconds, so that no scrape has to. */
struct process_state {
    std::uint64_t resident_bytes = 0;
    double cpu_seconds = 0;
    std::uint64_t open_descriptors = 0;
};

struct mail_state {
    std::int64_t waiting = 0;
    std::int64_t given_up = 0;
    std::int64_t oldest_seconds = 0; // of those that wait
};

/** The counts of all cores. Each core writes its own, anybody reads them all: so no request that is counted
   ever touches what another core touches. */
class metrics_board {
public:
    /** @param hashers outlives this, or is null */
    metrics_board(std::size_t cores, const db::lease& lease, const crypto::hashers* hashers = nullptr);

    /** Of one core, which alone writes to them. */
    request_counts& requests(std::size_t core) { return requests_[core]; }

    /** Called by one core, for itself. */
    void publish(std::size_t core, const core_state& now);

    /** How many nodes serve the database, this one included. */
    void publish_nodes(std::size_t alive) { nodes_.store(alive, std::memory_order_relaxed); }

    /** From one thread each. */
    void publish(const process_state& now);
    void publish(const mail_state& now);

    /** All of it, in text/plain; version=0.0.4. Walks all counts: some 100 µs. */
    std::string text() const;

private:
    enum which : std::size_t {
        hits,
        absent_hits,
        misses,
        pushed_out,
        entries,
        bytes,
        connections,
        at_work,
        statements,
        lookups,
        database_up,
        database_opened,
        how_many
    };
    struct alignas(64) core_counts {
        std::array<std::atomic<std::uint64_t>, how_many> all{};
    };

    std::uint64_t sum(which one) const;

    std::size_t cores_;
    std::unique_ptr<core_counts[]> counts_;
    std::deque<request_counts> requests_; // of each core
    std::atomic<std::size_t> nodes_{1};
    std::atomic<std::uint64_t> resident_bytes_{0}, open_descriptors_{0};
    std::atomic<double> cpu_seconds_{0};
    std::atomic<std::int64_t> mail_waiting_{0}, mail_given_up_{0}, mail_oldest_{0};
    std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
    const db::lease& lease_;
    const crypto::hashers* hashers_;
};

namespace metrics {

/** What is on the board; 404 where there is none. */
reply show(call& c);

} // namespace metrics

} // namespace handlers
