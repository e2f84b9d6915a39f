// State shared by all cores of the process.
#pragma once

#include "crypto/hash_pool.hpp"
#include "crypto/seal.hpp"
#include "db/principals/invalidation_bus.hpp"
#include "db/principals/lease.hpp"
#include "handlers/access/permissions.hpp"
#include "handlers/access/rate_limiter.hpp"
#include "handlers/http/router.hpp"
#include "handlers/metrics/registry.hpp"
#include "handlers/static_files/file_tree.hpp"
#include "server/config.hpp"
#include "server/connection_limiter.hpp"
#include "server/tls/context.hpp"

#include <memory>
#include <string>

namespace server {

/// Created before the cores and destroyed after them. Safe to use from all threads.
struct shared_state {
    /// @param tls of the public listener; null: it serves HTTP
    explicit shared_state(const config& settings, std::shared_ptr<const tls_context> tls);

    const config& settings;
    /// As at the start; the cores receive the later ones.
    const std::shared_ptr<const tls_context> tls;
    handlers::permission_table permissions;
    handlers::rate_limiter limiter;
    connection_limiter connections;
    /// Reset before the cores are destroyed: it completes on their io_contexts.
    std::unique_ptr<crypto::hash_pool> hash_pool;
    crypto::sealer sealer;
    /// Of this process; its node renews it.
    db::lease lease;
    db::invalidation_bus changes;
    handlers::metrics_registry metrics;
    /// Of the public listener.
    handlers::router routes;
    /// Of the listener for operators.
    handlers::router admin_routes;
    /// The OpenAPI document, as JSON.
    std::string openapi;
    /// Styles, scripts and pictures of the pages.
    handlers::file_tree files;
};

} // namespace server
