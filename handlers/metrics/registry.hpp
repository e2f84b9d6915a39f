// Metrics registry: the counters behind GET /metrics.
#pragma once

#include "crypto/hash_pool.hpp"
#include "db/principals/lease.hpp"
#include "db/principals/principals.hpp"
#include "db/tables/mail_budgets.hpp"
#include "handlers/access/rate_limiter.hpp"
#include "handlers/http/operation.hpp"
#include "handlers/http/route.hpp"
#include "handlers/metrics/handshakes.hpp"
#include "handlers/metrics/request_metrics.hpp"

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/list.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace handlers {

class prometheus_writer;

/// The gauges and counters of one core, which it publishes itself.
struct core_state {
    db::principals::counts credentials;
    /// Connections of clients.
    std::size_t connections = 0;
    /// Those of them without memory for requests, since they are idle.
    std::size_t connections_parked = 0;
    std::uint64_t connections_refused = 0;
    handshake_counts handshakes{};
    std::size_t requests_in_flight = 0;
    /// Memory of request bodies.
    std::size_t body_bytes = 0;
    std::uint64_t bodies_evicted = 0;
    /// Database batches of requests, queued or in flight.
    std::size_t request_batches = 0;
    /// Database batches of credential lookups, queued or in flight.
    std::size_t credential_batches = 0;
    std::size_t database_connections = 0;
    std::size_t database_connections_opened = 0;
    std::size_t database_retries = 0;
};

/// Process statistics, read every few seconds so that no scrape has to.
struct process_state {
    std::uint64_t resident_bytes = 0;
    double cpu_seconds = 0;
    std::uint64_t open_descriptors = 0;
    std::uint64_t dropped_log_lines = 0;
};

struct mail_state {
    std::int64_t pending = 0;
    std::int64_t failed = 0;
    std::int64_t oldest_pending_seconds = 0;
    /// Emails dropped for their budget.
    std::vector<db::mail_budgets::drop_count> drops;
};

/** The metrics of all cores. Each core writes its own counters and any thread reads them: counting a request
    touches no cache line of another core. */
class metrics_registry {
public:
    /// @param hash_pool outlives this, or is null; so does the limiter
    metrics_registry(std::span<const route> routes, std::size_t cores, const db::lease& lease,
                     const crypto::hash_pool* hash_pool = nullptr, const rate_limiter* limiter = nullptr);

    /// The request metrics of one core, which alone writes to them.
    request_metrics& requests(std::size_t core) { return requests_[core]; }

    /// Called by a core for itself.
    void publish(std::size_t core, const core_state& now);

    /// The number of live nodes, this one included.
    void publish_nodes(std::size_t alive) { nodes_.store(alive, std::memory_order_relaxed); }

    /// When the TLS certificate expires. Without it TLS has no samples.
    void publish_certificate(std::chrono::system_clock::time_point expires_at)
    {
        certificate_expiry_.store(expires_at.time_since_epoch(), std::memory_order_relaxed);
    }

    /// Each called from one thread.
    void publish(const process_state& now);
    void publish(const mail_state& now);

    /// All metrics as text/plain; version=0.0.4. Reads every counter: about 100 µs.
    std::string text() const;

private:
    enum counter : std::size_t {
        hits,
        negative_hits,
        misses,
        evictions,
        entries,
        bytes,
        connections,
        connections_parked,
        connections_refused,
        requests_in_flight,
        body_bytes,
        bodies_evicted,
        request_batches,
        credential_batches,
        database_connections,
        database_connections_opened,
        database_retries,
        counters
    };
    struct alignas(64) core_counts {
        std::array<std::atomic<std::uint64_t>, counters> all{};
        std::array<std::atomic<std::uint64_t>, handshake_outcomes> handshakes{};
    };

    std::uint64_t sum(counter one) const;
    void write_mail_drops(prometheus_writer& out) const;
    void write_tls(prometheus_writer& out) const;

    std::span<const route> routes_;
    std::size_t cores_;
    std::unique_ptr<core_counts[]> counts_;
    std::deque<request_metrics> requests_;
    std::atomic<std::size_t> nodes_{1};
    /// Since 1970; 0: no TLS.
    std::atomic<std::chrono::system_clock::duration> certificate_expiry_{};
    std::atomic<std::uint64_t> resident_bytes_{0}, open_descriptors_{0}, dropped_log_lines_{0};
    std::atomic<double> cpu_seconds_{0};
    std::atomic<std::int64_t> mail_pending_{0}, mail_failed_{0}, mail_oldest_{0};
    static constexpr std::size_t mail_kinds =
        boost::mp11::mp_size<boost::describe::describe_enumerators<db::outbox::kind>>::value;
    static constexpr std::size_t mail_drop_reasons =
        boost::mp11::mp_size<boost::describe::describe_enumerators<db::mail_budgets::reason>>::value;
    std::array<std::array<std::atomic<std::int64_t>, mail_drop_reasons>, mail_kinds> mail_drops_{};
    std::chrono::system_clock::time_point started_ = std::chrono::system_clock::now();
    const db::lease& lease_;
    const crypto::hash_pool* hash_pool_;
    const rate_limiter* limiter_;
};

namespace metrics {

/// 404 where metrics are off.
reply show(call& c);

inline constexpr operation operations[] = {
    describes<&show>(tags::observability, "showMetrics", "Metrics in the Prometheus text format",
                     "No label contains a user, a workspace or a credential.")
        .fails_with(codes::not_found)
        .responds(200, "All metrics.", "text/plain"),
};

} // namespace metrics

} // namespace handlers
