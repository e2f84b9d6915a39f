// The settings of a pipeline.
#pragma once

#include "db/postgres/dns_resolver.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace db {

/// The resolver of the process for database hosts. Keeps the last addresses of each.
const dns_resolver& system_resolver();

/// Which database to connect to, how long to wait, and what to report.
struct pipeline_config {
    /// A libpq connection string or URL. Of several hosts, the writable primary on the newest timeline is
    /// used.
    std::string conninfo;

    /// Resolves its hosts; shared, so that all pipelines of the process know the last good addresses.
    dns_resolver names = system_resolver();

    /// For one attempt, the checks of the new connection included.
    std::chrono::milliseconds connect_timeout{3000};

    /// From run() until sent.
    std::chrono::milliseconds queue_timeout{2000};

    /// From sent until answered.
    std::chrono::milliseconds deadline{4500};

    /// Enforced by the server, unless the conninfo's `options` override it.
    std::chrono::milliseconds statement_timeout{4000};

    /// Batches in flight; beyond them run() fails as overloaded.
    std::size_t queue_limit = 10'000;

    /// For statements that find a few rows by key: keep the planner from scanning a whole table, which
    /// looks cheap to it while the table is small. No effect if `prepare` is false.
    bool prefer_index_scans = false;

    /// False behind a transaction-mode pooler: no state is kept on the connection.
    bool prepare = true;

    /// Called with "connected", "connect failed" or "connection lost", and a detail for the log.
    std::function<void(std::string_view event, std::string_view detail)> on_event;

    /// Called for each NOTIFY on a channel this connection listens to, before any answer that came later.
    std::function<void(std::string_view channel, std::string_view payload)> on_notification;
};

} // namespace db
