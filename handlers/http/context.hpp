// The context of a request: one `context` per core, one `call` per request.
#pragma once

#include "crypto/api_key.hpp"
#include "crypto/hash.hpp"
#include "crypto/siphash.hpp"
#include "crypto/token_signer.hpp"
#include "db/principals/principal.hpp"
#include "handlers/access/rate_limiter.hpp"
#include "handlers/http/fwd.hpp"
#include "handlers/http/lookup_limiter.hpp"
#include "handlers/http/message.hpp"
#include "handlers/http/route.hpp"
#include "handlers/http/settings.hpp"

#include <array>
#include <chrono>
#include <ctime>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace crypto {
class hash_pool;
class jwt_keys;
class sealer;
} // namespace crypto

namespace db {
class invalidation_bus;
class last_used_writer;
class pool;
class principals;
} // namespace db

namespace db::audit {
class refusal_writer;
}

namespace handlers {

class file_tree;
class metrics_registry;
class oidc_provider;
class permission_table;
class quota_client;

/// Memory that one string after the other uses, so that frequent ones allocate none.
class recycled_string {
public:
    /// @return an empty string
    std::string take()
    {
        spare_.clear();
        return std::move(spare_);
    }

    void give_back(std::string&& used)
    {
        if (used.capacity() > spare_.capacity() && used.capacity() <= max_capacity)
            spare_ = std::move(used);
    }

private:
    static constexpr std::size_t max_capacity = 4096;
    std::string spare_;
};

/** The dependencies of all requests of a core. Outlives the requests. Used by the core's thread alone, except
    for what is marked as shared. */
struct context {
    /// Shared.
    const settings& config;
    /// Shared.
    const permission_table& permissions;
    /// Shared.
    rate_limiter& limiter;
    /// Shared.
    crypto::hash_pool& hash_pool;
    /// Shared.
    const crypto::sealer& sealer;
    /// Shared.
    db::invalidation_bus& changes;
    db::pool& db;
    db::principals& principals;
    db::last_used_writer& last_used;
    db::audit::refusal_writer& refusals;
    crypto::api_key_digester key_digest;
    /// Of a credential's text, for the cache; under a key of this core.
    crypto::siphash credential_hash;
    /// Over session, counter and salt: the refresh token.
    crypto::hmac_sha256 refresh_mac;
    crypto::token_signer cursors;
    /// Signs the links that unsubscribe a user from a kind of email.
    crypto::token_signer unsubscriptions;
    /// Replaced as a whole when keys rotate.
    std::shared_ptr<const crypto::jwt_keys> jwt;
    bool draining = false;
    /// Of clients over the limit of their address.
    lookup_limiter suspect_lookups = {};
    /// Null: no other node shares the rate limits.
    quota_client* quotas = nullptr;
    /// Null: sign-in through a provider is not configured.
    oidc_provider* oidc = nullptr;
    /// Shared. Null: metrics are off.
    const metrics_registry* metrics = nullptr;
    /// Shared: the OpenAPI document as JSON.
    const std::string* openapi = nullptr;
    /// Shared: the styles, scripts and pictures of the pages.
    const file_tree* files = nullptr;
    /// Writes an error as a page, for a browser; nothing for any other client. Null: there are no pages.
    std::optional<reply> (*error_page)(call&, const problem&) = nullptr;
    /// Shared: the route table, of which MCP tools are views.
    std::span<const route> routes = {};
    /// For the header lines of frequent replies.
    recycled_string spare_headers = {};

    db::timestamp now() const
    {
        return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    }

    /// Late by up to 4 ms, but read in a quarter of the time.
    db::timestamp coarse_now() const
    {
        timespec out{};
        clock_gettime(CLOCK_REALTIME_COARSE, &out);
        return db::timestamp(std::chrono::seconds(out.tv_sec) +
                             std::chrono::microseconds(out.tv_nsec / 1000));
    }
};

/// The cookie of a browser session that a sign-in is to open.
struct pending_cookie {
    db::digest digest{};
    /// A session with it has been added to a transaction.
    bool is_used = false;
};

/// One request: its context, its caller, and the parameters of its path.
struct call {
    context& cx;
    const request& req;
    /// The `{parts}` of the path, decoded, in their order.
    std::array<std::string, 2> params;
    /// Set by the guard; null where no credential is needed.
    db::principal_ref principal;
    /// Set where counting the request needs a share of a rate limit first.
    std::optional<handlers::needed_share> needed_share = {};
    /// Set by pages (authn/session_cookie.hpp): the credential, in place of the Authorization header.
    std::string_view bearer = {};
    /// Set by pages: a sign-in opens a browser session with this cookie.
    pending_cookie* new_cookie = nullptr;
    /// Its credential's usage has it as refused: one request is one refusal at most.
    mutable bool is_counted_refused = false;

    const db::principal& caller() const { return *principal; }
};

} // namespace handlers
