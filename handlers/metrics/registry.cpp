#include "handlers/metrics/registry.hpp"

#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/metrics/prometheus_writer.hpp"

#include <boost/mp11/algorithm.hpp>

namespace handlers {

namespace {

constexpr std::string_view unmatched = "unmatched";

std::string method_of(const route& line)
{
    return line.method == http::verb::unknown ? "any" : std::string(http::to_string(line.method));
}

/// The totals of all cores for one route, or for unmatched requests.
struct route_totals {
    std::array<std::uint64_t, request_metrics::statuses.size()> answered{};
    std::array<std::uint64_t, request_metrics::bounds.size() + 1> timed{};
    std::chrono::nanoseconds time{0};
    std::uint64_t count = 0;

    route_totals(const std::deque<request_metrics>& cores, std::size_t number)
    {
        for (auto& core : cores) {
            for (std::size_t i = 0; i < answered.size(); ++i)
                answered[i] += core.answered(number, i);
            for (std::size_t i = 0; i < timed.size(); ++i)
                timed[i] += core.timed(number, i);
            time += core.total_time(number);
        }
        for (auto n : timed)
            count += n;
    }
};

/// Bounded cardinality: one pair per route, and one for unmatched requests.
prometheus_writer::labels labels_of(std::span<const route> all, std::size_t number)
{
    if (number >= all.size())
        return {{"route", std::string(unmatched)}, {"method", "any"}};
    return {{"route", std::string(all[number].path)}, {"method", method_of(all[number])}};
}

prometheus_writer::labels add_label(prometheus_writer::labels base, std::string_view name, std::string value)
{
    base.emplace_back(name, std::move(value));
    return base;
}

double seconds(std::chrono::nanoseconds time)
{
    return std::chrono::duration<double>(time).count();
}

void write_request_metrics(prometheus_writer& out, std::span<const route> routes,
                           const std::deque<request_metrics>& cores)
{
    out.family("latchkey_requests_total", "counter", "Requests answered, by route and status.");
    for (std::size_t number = 0; number <= routes.size(); ++number) {
        route_totals totals(cores, number);
        for (std::size_t i = 0; i < totals.answered.size(); ++i)
            if (totals.answered[i] > 0) {
                auto status = request_metrics::statuses[i];
                out.sample(
                    "latchkey_requests_total",
                    add_label(labels_of(routes, number), "status", status ? std::to_string(status) : "other"),
                    totals.answered[i]);
            }
    }
    out.family("latchkey_request_duration_seconds", "histogram",
               "From the last byte of a request to the first of its response.");
    for (std::size_t number = 0; number <= routes.size(); ++number) {
        route_totals totals(cores, number);
        if (totals.count == 0)
            continue;
        std::uint64_t cumulative = 0;
        for (std::size_t i = 0; i < request_metrics::bounds.size(); ++i) {
            cumulative += totals.timed[i];
            auto bound = prometheus_writer::number(request_metrics::bounds[i] / 1e6);
            out.sample("latchkey_request_duration_seconds_bucket",
                       add_label(labels_of(routes, number), "le", bound), cumulative);
        }
        out.sample("latchkey_request_duration_seconds_bucket",
                   add_label(labels_of(routes, number), "le", "+Inf"), totals.count);
        out.sample("latchkey_request_duration_seconds_sum", labels_of(routes, number), seconds(totals.time));
        out.sample("latchkey_request_duration_seconds_count", labels_of(routes, number), totals.count);
    }
}

void write_rate_limits(prometheus_writer& out, const rate_limiter& limiter)
{
    out.family("latchkey_rate_limit_overflows_total", "counter",
               "Requests counted in a counter shared with others, because the table of counters was full.");
    for (std::size_t i = 0; i < rate_tables.size(); ++i)
        out.sample("latchkey_rate_limit_overflows_total", {{"table", std::string(rate_tables[i].name)}},
                   limiter.overflows(static_cast<rate_table>(i)));
}

} // namespace

metrics_registry::metrics_registry(std::span<const route> routes, std::size_t cores, const db::lease& lease,
                                   const crypto::hash_pool* hash_pool, const rate_limiter* limiter)
    : routes_(routes), cores_(cores), counts_(std::make_unique<core_counts[]>(cores)), lease_(lease),
      hash_pool_(hash_pool), limiter_(limiter)
{
    for (std::size_t core = 0; core < cores; ++core)
        requests_.emplace_back(routes.size());
}

void metrics_registry::publish(std::size_t core, const core_state& now)
{
    auto& counters = counts_[core].all;
    auto write = [&](counter one, std::uint64_t value) {
        counters[one].store(value, std::memory_order_relaxed);
    };
    write(hits, now.credentials.hits);
    write(negative_hits, now.credentials.negative_hits);
    write(misses, now.credentials.misses);
    write(evictions, now.credentials.evictions);
    write(entries, now.credentials.entries);
    write(bytes, now.credentials.bytes);
    write(connections, now.connections);
    write(connections_parked, now.connections_parked);
    write(connections_refused, now.connections_refused);
    for (std::size_t i = 0; i < handshake_outcomes; ++i)
        counts_[core].handshakes[i].store(now.handshakes[i], std::memory_order_relaxed);
    write(requests_in_flight, now.requests_in_flight);
    write(body_bytes, now.body_bytes);
    write(bodies_evicted, now.bodies_evicted);
    write(request_batches, now.request_batches);
    write(credential_batches, now.credential_batches);
    write(database_connections, now.database_connections);
    write(database_connections_opened, now.database_connections_opened);
    write(database_retries, now.database_retries);
}

void metrics_registry::publish(const process_state& now)
{
    resident_bytes_.store(now.resident_bytes, std::memory_order_relaxed);
    cpu_seconds_.store(now.cpu_seconds, std::memory_order_relaxed);
    open_descriptors_.store(now.open_descriptors, std::memory_order_relaxed);
    dropped_log_lines_.store(now.dropped_log_lines, std::memory_order_relaxed);
}

void metrics_registry::publish(const mail_state& now)
{
    mail_pending_.store(now.pending, std::memory_order_relaxed);
    mail_failed_.store(now.failed, std::memory_order_relaxed);
    mail_oldest_.store(now.oldest_pending_seconds, std::memory_order_relaxed);
    for (auto& [kind, reason, total] : now.drops)
        mail_drops_[static_cast<std::size_t>(kind)][static_cast<std::size_t>(reason)].store(
            total, std::memory_order_relaxed);
}

void metrics_registry::write_mail_drops(prometheus_writer& out) const
{
    out.family("latchkey_mail_dropped_total", "counter",
               "Emails dropped because they exceeded a budget, of the whole cluster.");
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<db::outbox::kind>>([&](auto kind) {
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<db::mail_budgets::reason>>(
            [&](auto reason) {
                auto& total =
                    mail_drops_[static_cast<std::size_t>(kind.value)][static_cast<std::size_t>(reason.value)];
                if (auto count = total.load(std::memory_order_relaxed))
                    out.sample("latchkey_mail_dropped_total", {{"kind", kind.name}, {"reason", reason.name}},
                               count);
            });
    });
}

/// Families without samples where there is no TLS.
void metrics_registry::write_tls(prometheus_writer& out) const
{
    auto expiry = certificate_expiry_.load(std::memory_order_relaxed);
    bool has_tls = expiry.count() != 0;
    auto write = [&](std::string_view name, std::string_view label, bool successes) {
        boost::mp11::mp_for_each<boost::describe::describe_enumerators<handshake>>([&](auto outcome) {
            if (!has_tls || is_success(outcome.value) != successes)
                return;
            std::uint64_t total = 0;
            for (std::size_t core = 0; core < cores_; ++core)
                total += counts_[core].handshakes[static_cast<std::size_t>(outcome.value)].load(
                    std::memory_order_relaxed);
            out.sample(name, {{label, outcome.name}}, total);
        });
    };
    out.family("latchkey_tls_handshakes_total", "counter", "TLS handshakes completed, by kind.");
    write("latchkey_tls_handshakes_total", "kind", true);
    out.family("latchkey_tls_handshake_failures_total", "counter", "TLS handshakes that failed, by reason.");
    write("latchkey_tls_handshake_failures_total", "reason", false);
    constexpr auto expiry_name = "latchkey_tls_certificate_expiry_timestamp_seconds";
    out.family(expiry_name, "gauge", "When the TLS certificate expires, in seconds since 1970.");
    if (has_tls)
        out.sample(expiry_name, {}, std::chrono::duration<double>(expiry).count());
}

std::uint64_t metrics_registry::sum(counter one) const
{
    std::uint64_t out = 0;
    for (std::size_t core = 0; core < cores_; ++core)
        out += counts_[core].all[one].load(std::memory_order_relaxed);
    return out;
}

std::string metrics_registry::text() const
{
    prometheus_writer out;
    write_request_metrics(out, routes_, requests_);

    out.single("latchkey_connections", "gauge", "Client connections.", sum(connections));
    out.single("latchkey_connections_parked", "gauge",
               "Client connections without memory for a request, since they are idle.",
               sum(connections_parked));
    out.single("latchkey_connections_refused_total", "counter",
               "Client connections closed with 503 because there were too many.", sum(connections_refused));
    out.single("latchkey_requests_in_flight", "gauge", "Requests being handled.", sum(requests_in_flight));
    out.single("latchkey_request_body_bytes", "gauge", "Memory of the request bodies being read or handled.",
               sum(body_bytes));
    out.single("latchkey_request_bodies_evicted_total", "counter",
               "Request bodies rejected with 503 because all together took too much memory.",
               sum(bodies_evicted));

    write_tls(out);

    out.family("latchkey_database_batches", "gauge", "Database batches queued or in flight, by use.");
    out.sample("latchkey_database_batches", {{"use", "requests"}}, sum(request_batches));
    out.sample("latchkey_database_batches", {{"use", "credentials"}}, sum(credential_batches));
    out.single("latchkey_database_connections", "gauge", "Open database connections.",
               sum(database_connections));
    out.single("latchkey_database_connections_opened_total", "counter", "Database connections opened.",
               sum(database_connections_opened));
    out.single("latchkey_database_retries_total", "counter",
               "Transactions repeated after a deadlock or a serialization failure.", sum(database_retries));

    out.family("latchkey_credential_cache_lookups_total", "counter",
               "Lookups in the credential cache, by result.");
    out.sample("latchkey_credential_cache_lookups_total", {{"result", "hit"}}, sum(hits));
    out.sample("latchkey_credential_cache_lookups_total", {{"result", "negative_hit"}}, sum(negative_hits));
    out.sample("latchkey_credential_cache_lookups_total", {{"result", "miss"}}, sum(misses));
    out.single("latchkey_credential_cache_evictions_total", "counter", "Credentials evicted from the cache.",
               sum(evictions));
    out.single("latchkey_credential_cache_entries", "gauge", "Credentials cached by all cores.",
               sum(entries));
    out.single("latchkey_credential_cache_bytes", "gauge", "Memory of the cached credentials.", sum(bytes));
    out.single("latchkey_lease_held", "gauge", "1 while this node holds its cache lease.",
               std::uint64_t{lease_.holds()});
    out.single("latchkey_nodes", "gauge", "Live nodes of the cluster, this one included.",
               nodes_.load(std::memory_order_relaxed));

    if (hash_pool_) {
        auto passwords = hash_pool_->state();
        out.single("latchkey_hash_workers_busy", "gauge", "Hash pool threads that are hashing a password.",
                   passwords.busy);
        out.single("latchkey_hash_queue_length", "gauge", "Passwords queued for the hash pool.",
                   passwords.queued);
        out.single("latchkey_hash_rejections_total", "counter",
                   "Passwords rejected because the queue was full.", passwords.rejected);
    }
    if (limiter_)
        write_rate_limits(out, *limiter_);
    out.single("latchkey_mail_queue_length", "gauge", "Emails waiting to be sent, of the whole cluster.",
               mail_pending_.load(std::memory_order_relaxed));
    out.single("latchkey_mail_failed", "gauge", "Emails of the last days that could not be sent.",
               mail_failed_.load(std::memory_order_relaxed));
    out.single("latchkey_mail_queue_oldest_seconds", "gauge", "Age of the oldest email waiting to be sent.",
               mail_oldest_.load(std::memory_order_relaxed));
    write_mail_drops(out);

    out.single("latchkey_log_lines_dropped_total", "counter",
               "Log lines dropped because standard error was stalled.",
               dropped_log_lines_.load(std::memory_order_relaxed));
    out.family("latchkey_build_info", "gauge", "1, with the version of the server as a label.");
    out.sample("latchkey_build_info", {{"version", LATCHKEY_VERSION}}, std::uint64_t{1});
    out.single("process_start_time_seconds", "gauge", "Start time of the process, in seconds since 1970.",
               std::chrono::duration<double>(started_.time_since_epoch()).count());
    out.single("process_resident_memory_bytes", "gauge", "Resident memory of the process.",
               resident_bytes_.load(std::memory_order_relaxed));
    out.single("process_cpu_seconds_total", "counter", "CPU time of the process.",
               cpu_seconds_.load(std::memory_order_relaxed));
    out.single("process_open_fds", "gauge", "Open file descriptors.",
               open_descriptors_.load(std::memory_order_relaxed));
    return std::move(out).text();
}

reply metrics::show(call& c)
{
    if (!c.cx.metrics)
        return to_reply(problem::of(codes::not_found));
    reply out;
    out.content_type = "text/plain; version=0.0.4";
    out.body = c.cx.metrics->text();
    return out;
}

} // namespace handlers
