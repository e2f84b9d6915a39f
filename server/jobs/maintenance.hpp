// Maintenance: background jobs that revoke provider tokens and purge expired rows. Safe to run on every node.
#pragma once

#include "crypto/seal.hpp"
#include "db/postgres/pool.hpp"
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

    /// Runs until the io_context stops. Errors are logged, and the job is retried.
    db::awaitable<void> run();

private:
    enum class revocation { done, rejected, deferred };

    db::awaitable<void> revoke_provider_tokens();
    db::awaitable<revocation> revoke(std::string token);

    db::executor executor_;
    db::pool& db_;
    const crypto::sealer& sealer_;
    std::optional<handlers::https_client> https_;
    std::optional<handlers::oidc_provider> provider_;
};

} // namespace server
