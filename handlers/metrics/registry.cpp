#include "handlers/metrics/registry.hpp"

#include "handlers/metrics/prometheus_writer.hpp"
#include "handlers/routes.hpp"

namespace handlers {

namespace {

constexpr std::string_view unmatched = "unmatched";

std::string method_of(const route& line)
{
    return line.method == http::verb::unknown ? "any" : std::string(http::to_string(line.method));
}

/** What all cores have answered on one route, or on none. */
struct route_totals {
    std::array<std::uint64_t, request_counts::statuses.size()> answered{};
    std::array<std::uint64_t, request_counts::bounds.size() + 1> timed{};
    std::chrono::nanoseconds time{0};
    std::uint64_t count = 0;

    route_totals(const std::deque<request_counts>& cores, std::size_t number)
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

/** `route` and `method`: as many as there are lines in the route table, and one more. */
exposition::labels labels_of(std::size_t number)
{
    auto all = all_routes();
    if (number >= all.size())
        return {{"route", std::string(unmatched)}, {"method", "any"}};
    return {{"route", std::string(all[number].path)}, {"method", method_of(all[number])}};
}

exposition::labels with(exposition::labels some, std::string_view name, std::string value)
{
    some.emplace_back(name, std::move(value));
    return some;
}

double seconds(std::chrono::nanoseconds time)
{
    return std::chrono::duration<double>(time).count();
}

void tell_requests(exposition& out, const std::deque<request_counts>& cores)
{
    auto routes = all_routes().size();
    out.family("latchkey_requests_total", "counter",
               "Requests answered, by the line of the route table and the status.");
    for (std::size_t number = 0; number <= routes; ++number) {
        route_totals totals(cores, number);
        for (std::size_t i = 0; i < totals.answered.size(); ++i)
            if (totals.answered[i] > 0) {
                auto status = request_counts::statuses[i];
                out.sample("latchkey_requests_total",
                           with(labels_of(number), "status", status ? std::to_string(status) : "other"),
                           totals.answered[i]);
            }
    }
    out.family("latchkey_request_duration_seconds", "histogram",
               "From a request's last byte to its answer's first.");
    for (std::size_t number = 0; number <= routes; ++number) {
        route_totals totals(cores, number);
        if (totals.count == 0)
            continue;
        std::uint64_t so_far = 0;
        for (std::size_t i = 0; i < request_counts::bounds.size(); ++i) {
            so_far += totals.timed[i];
            auto bound = exposition::number(request_counts::bounds[i] / 1e6);
            out.sample("latchkey_request_duration_seconds_bucket", with(labels_of(number), "le", bound),
                       so_far);
        }
        out.sample("latchkey_request_duration_seconds_bucket", with(labels_of(number), "le", "+Inf"),
                   totals.count);
        out.sample("latchkey_request_duration_seconds_sum", labels_of(number), seconds(totals.time));
        out.sample("latchkey_request_duration_seconds_count", labels_of(number), totals.count);
    }
}

} // namespace

metrics_board::metrics_board(std::size_t cores, const db::lease& lease, const crypto::hashers* hashers)
    : cores_(cores), counts_(std::make_unique<core_counts[]>(cores)), lease_(lease), hashers_(hashers)
{
    for (std::size_t core = 0; core < cores; ++core)
        requests_.emplace_back(all_routes().size());
}

void metrics_board::publish(std::size_t core, const core_state& now)
{
    auto& place = counts_[core].all;
    auto write = [&](which one, std::uint64_t value) { place[one].store(value, std::memory_order_relaxed); };
    write(hits, now.credentials.hits);
    write(absent_hits, now.credentials.absent_hits);
    write(misses, now.credentials.misses);
    write(pushed_out, now.credentials.pushed_out);
    write(entries, now.credentials.entries);
    write(bytes, now.credentials.bytes);
    write(connections, now.connections);
    write(at_work, now.at_work);
    write(statements, now.statements);
    write(lookups, now.lookups);
    write(database_up, now.database_up);
    write(database_opened, now.database_opened);
}

void metrics_board::publish(const process_state& now)
{
    resident_bytes_.store(now.resident_bytes, std::memory_order_relaxed);
    cpu_seconds_.store(now.cpu_seconds, std::memory_order_relaxed);
    open_descriptors_.store(now.open_descriptors, std::memory_order_relaxed);
}

void metrics_board::publish(const mail_state& now)
{
    mail_waiting_.store(now.waiting, std::memory_order_relaxed);
    mail_given_up_.store(now.given_up, std::memory_order_relaxed);
    mail_oldest_.store(now.oldest_seconds, std::memory_order_relaxed);
}

std::uint64_t metrics_board::sum(which one) const
{
    std::uint64_t out = 0;
    for (std::size_t core = 0; core < cores_; ++core)
        out += counts_[core].all[one].load(std::memory_order_relaxed);
    return out;
}

std::string metrics_board::text() const
{
    exposition out;
    tell_requests(out, requests_);

    out.single("latchkey_connections", "gauge", "Connections of clients.", sum(connections));
    out.single("latchkey_requests_under_way", "gauge", "Requests whose answer is being made.", sum(at_work));

    out.family("latchkey_database_batches", "gauge", "Batches for the database, waiting or under way.");
    out.sample("latchkey_database_batches", {{"use", "requests"}}, sum(statements));
    out.sample("latchkey_database_batches", {{"use", "credentials"}}, sum(lookups));
    out.single("latchkey_database_connections", "gauge", "Connections to the database that stand.",
               sum(database_up));
    out.single("latchkey_database_connections_opened_total", "counter",
               "Connections to the database made so far.", sum(database_opened));

    out.family("latchkey_credential_checks_total", "counter",
               "Credentials looked for in memory, by what was found.");
    out.sample("latchkey_credential_checks_total", {{"result", "hit"}}, sum(hits));
    out.sample("latchkey_credential_checks_total", {{"result", "absent"}}, sum(absent_hits));
    out.sample("latchkey_credential_checks_total", {{"result", "miss"}}, sum(misses));
    out.single("latchkey_credentials_pushed_out_total", "counter",
               "Remembered credentials that made room for others.", sum(pushed_out));
    out.single("latchkey_credentials_remembered", "gauge", "Credentials remembered by all cores.",
               sum(entries));
    out.single("latchkey_credentials_remembered_bytes", "gauge", "Memory they take.", sum(bytes));
    out.single("latchkey_lease_held", "gauge", "1 while this server may believe what it remembers.",
               std::uint64_t{lease_.holds()});
    out.single("latchkey_nodes", "gauge", "Servers of this database that are alive, this one included.",
               nodes_.load(std::memory_order_relaxed));

    if (hashers_) {
        auto passwords = hashers_->state();
        out.single("latchkey_hashers_busy", "gauge", "Threads that hash a password.", passwords.busy);
        out.single("latchkey_hashers_waiting", "gauge", "Passwords that wait for a thread.",
                   passwords.waiting);
        out.single("latchkey_hashes_refused_total", "counter",
                   "Passwords turned away because too many waited.", passwords.refused);
    }
    out.single("latchkey_mail_waiting", "gauge",
               "Letters that wait to be sent, of all servers of the database.",
               mail_waiting_.load(std::memory_order_relaxed));
    out.single("latchkey_mail_given_up", "gauge", "Letters that could not be sent, of the last days.",
               mail_given_up_.load(std::memory_order_relaxed));
    out.single("latchkey_mail_oldest_seconds", "gauge", "Age of the letter that has waited longest.",
               mail_oldest_.load(std::memory_order_relaxed));

    out.family("latchkey_build_info", "gauge", "1, with the version of the program.");
    out.sample("latchkey_build_info", {{"version", LATCHKEY_VERSION}}, std::uint64_t{1});
    out.single("process_start_time_seconds", "gauge", "When the process began, in seconds since 1970.",
               std::chrono::duration<double>(started_.time_since_epoch()).count());
    out.single("process_resident_memory_bytes", "gauge", "Memory of the process.",
               resident_bytes_.load(std::memory_order_relaxed));
    out.single("process_cpu_seconds_total", "counter", "Processor time of the process.",
               cpu_seconds_.load(std::memory_order_relaxed));
    out.single("process_open_fds", "gauge", "Open descriptors.",
               open_descriptors_.load(std::memory_order_relaxed));
    return std::move(out).text();
}

reply metrics::show(call& c)
{
    if (!c.cx.metrics)
        return to_reply(problem::not_found());
    reply out;
    out.content_type = "text/plain; version=0.0.4";
    out.body = c.cx.metrics->text();
    return out;
}

} // namespace handlers
