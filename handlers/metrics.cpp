#include "handlers/metrics.hpp"

namespace handlers {

metrics_board::metrics_board(std::size_t cores, const db::lease& lease)
    : cores_(cores), counts_(std::make_unique<core_counts[]>(cores)), lease_(lease)
{}

void metrics_board::publish(std::size_t core, const db::principals::counts& now)
{
    auto& place = counts_[core].all;
    auto write = [&](which one, std::uint64_t value) { place[one].store(value, std::memory_order_relaxed); };
    write(hits, now.hits);
    write(absent_hits, now.absent_hits);
    write(misses, now.misses);
    write(pushed_out, now.pushed_out);
    write(entries, now.entries);
    write(bytes, now.bytes);
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
    std::string out;
    auto add = [&out](std::string_view name, std::string_view type, std::string_view help) {
        out.append("# HELP ").append(name).append(" ").append(help).append("\n");
        out.append("# TYPE ").append(name).append(" ").append(type).append("\n");
    };
    auto value = [&out](std::string_view name, std::uint64_t number) {
        out.append(name).append(" ").append(std::to_string(number)).append("\n");
    };
    auto single = [&](std::string_view name, std::string_view type, std::string_view help,
                      std::uint64_t number) {
        add(name, type, help);
        value(name, number);
    };

    add("latchkey_credential_checks_total", "counter",
        "Credentials looked for in memory, by what was found.");
    value("latchkey_credential_checks_total{result=\"hit\"}", sum(hits));
    value("latchkey_credential_checks_total{result=\"absent\"}", sum(absent_hits));
    value("latchkey_credential_checks_total{result=\"miss\"}", sum(misses));
    single("latchkey_credentials_pushed_out_total", "counter",
           "Remembered credentials that made room for others.", sum(pushed_out));
    single("latchkey_credentials_remembered", "gauge", "Credentials remembered by all cores.", sum(entries));
    single("latchkey_credentials_remembered_bytes", "gauge", "Memory they take.", sum(bytes));
    single("latchkey_lease_held", "gauge", "1 while this server may believe what it remembers.",
           lease_.holds());
    single("latchkey_nodes", "gauge", "Servers of this database that are alive, this one included.",
           nodes_.load(std::memory_order_relaxed));
    return out;
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
