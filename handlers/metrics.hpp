// What the server counts, for whoever watches it: GET /metrics in the text format of Prometheus.
#pragma once

#include "db/lease.hpp"
#include "db/principals.hpp"
#include "handlers/endpoint.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace handlers {

/** The counts of all cores. Each core writes its own now and then, anybody reads them all: so no request that is counted
    ever touches what another core touches. */
class metrics_board {
public:
    metrics_board(std::size_t cores, const db::lease& lease);

    /** Called by one core, for itself. */
    void publish(std::size_t core, const db::principals::counts& now);

    /** How many nodes serve the database, this one included. */
    void publish_nodes(std::size_t alive) { nodes_.store(alive, std::memory_order_relaxed); }

    /** All of it, in text/plain; version=0.0.4. */
    std::string text() const;

private:
    enum which : std::size_t { hits, absent_hits, misses, pushed_out, entries, bytes, how_many };
    struct alignas(64) core_counts {
        std::array<std::atomic<std::uint64_t>, how_many> all{};
    };

    std::uint64_t sum(which one) const;

    std::size_t cores_;
    std::unique_ptr<core_counts[]> counts_;
    std::atomic<std::size_t> nodes_{1};
    const db::lease& lease_;
};

namespace metrics {

/** What is on the board; 404 where there is none. */
reply show(call& c);

} // namespace metrics

} // namespace handlers
