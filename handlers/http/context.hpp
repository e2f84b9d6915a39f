// What a handler may touch: one context per core, one call per request.
#pragma once

#include "crypto/api_key.hpp"
#include "crypto/hash_pool.hpp"
#include "crypto/jwt.hpp"
#include "crypto/keyring.hpp"
#include "crypto/seal.hpp"
#include "crypto/token_signer.hpp"
#include "db/postgres/pool.hpp"
#include "db/principals/invalidation.hpp"
#include "db/principals/last_used.hpp"
#include "db/principals/principals.hpp"
#include "handlers/access/permissions.hpp"
#include "handlers/access/rate_limiter.hpp"
#include "handlers/http/message.hpp"

#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace handlers {

class metrics_board;
class oidc_provider;

template <class T>
using awaitable = db::awaitable<T>;

/** What the operator has configured, as handlers see it. The same for all cores; never changes while
    serving. */
struct settings {
    std::string public_url; // issuer and audience of JWTs; no slash at its end
    std::chrono::seconds access_token_ttl{3600};
    std::chrono::seconds refresh_token_ttl{2592000};
    std::chrono::seconds verify_token_ttl{86400};
    std::chrono::seconds reset_token_ttl{3600};
    std::chrono::seconds invite_ttl{604800};
    bool verification_required = false;         // before an account may do anything
    std::uint32_t rate_limit_per_minute = 1000; // 0: no limits at all
    std::vector<std::string> cors_origins;
    std::vector<std::string> redirect_allowlist; // where a sign-in through a provider may lead, exactly
    std::vector<std::string> extra_resources;
    crypto::jwt_algorithm jwt_algorithm = crypto::jwt_algorithm::es256;
    crypto::password_costs password_costs;
};

/** What each request of one core works with. Outlives all requests; used by its core's thread alone, save
    what says that it is shared. */
struct context {
    const settings& config;              // shared
    const permission_table& permissions; // shared
    rate_limiter& limiter;               // shared
    crypto::hashers& hashers;            // shared
    const crypto::sealer& sealer;        // shared
    db::principal_changes& changes;      // shared
    db::pool& db;
    db::principals& principals;
    db::usage& usage;
    crypto::api_key_digester key_digest;
    crypto::hmac_sha256 refresh_mac; // over session, counter and salt: the refresh token
    crypto::token_signer cursors;
    crypto::token_signer unsubscriptions;        // by which a letter names its reader and its kind
    std::shared_ptr<const crypto::jwt_keys> jwt; // replaced as a whole when keys rotate
    bool draining = false;
    oidc_provider* oidc = nullptr;          // null: nobody signs in through a provider
    const metrics_board* metrics = nullptr; // shared; null: nobody counts
    const std::string* openapi = nullptr;   // shared: the document, as JSON

    db::timestamp now() const
    {
        return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    }
};

/** One request on its way: what was asked, by whom, and the parts of the path that vary. */
struct call {
    context& cx;
    const request& req;
    std::array<std::string, 2> params; // of the path, decoded, in their order
    db::principal_ref who;             // set by the route's guard; null for anyone

    const db::principal& caller() const { return *who; }
};

} // namespace handlers
