// What has to be done now and then, by any node: giving back what providers let us do, removing what has
// expired.
#pragma once

#include "crypto/seal.hpp"
#include "db/postgres/pool.hpp"
#include "handlers/oidc/https_client.hpp"
#include "handlers/oidc/provider.hpp"
#include "server/config.hpp"

#include <optional>

namespace server {

class upkeep {
public:
    /** To be destroyed before the io_context and the pool. */
    upkeep(db::executor where, db::pool& db, const crypto::sealer& sealer, const config& settings);

    /** For ever. What goes wrong is logged, and tried again later. */
    db::awaitable<void> run();

private:
    db::awaitable<void> revoke_grants();
    enum class answer { done, refused, none };
    db::awaitable<answer> revoke(std::string token);

    db::executor where_;
    db::pool& db_;
    const crypto::sealer& sealer_;
    std::optional<handlers::https_client> web_;
    std::optional<handlers::oidc_provider> provider_;
};

} // namespace server
