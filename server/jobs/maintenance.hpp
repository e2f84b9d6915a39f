// Maintenance: background jobs that revoke provider tokens and purge expired rows. Safe to run on every node.
#pragma once

#include "crypto/seal.hpp"
#include "db/postgres/pool.hpp"
#include "db/tables/retention.hpp"
#include "handlers/oidc/https_client.hpp"
#include "handlers/oidc/provider.hpp"
#include "server/config.hpp"

#include <optional>
#include <string>

namespace server {

class maintenance {
public:
    /// Destroy it before the io_context and the pool.
    maintenance(db::executor executor, db::pool& db, const crypto::sealer& sealer, const config& settings);

    /// Revokes provider tokens until the io_context stops. Errors are logged, and the job is retried.
    db::awaitable<void> run();

    /** Deletes rows past their retention, until the io_context stops. While there is a backlog it works a
        tenth of the time. Errors are logged, and the job is retried. */
    db::awaitable<void> sweep_tables();

private:
    enum class revocation { done, rejected, deferred };
    using clock = std::chrono::steady_clock;

    db::awaitable<void> wait(clock::duration duration);
    db::awaitable<void> revoke_provider_tokens();
    db::awaitable<revocation> revoke(std::string issuer, std::string token);

    db::executor executor_;
    db::pool& db_;
    const crypto::sealer& sealer_;
    db::retention retention_;
    std::optional<handlers::https_client> https_;
    std::optional<handlers::oidc_provider> provider_;
};

} // namespace server
