#include "handlers/routes.hpp"

#include "handlers/accounts.hpp"
#include "handlers/api_keys.hpp"
#include "handlers/auth.hpp"
#include "handlers/health.hpp"
#include "handlers/profile.hpp"
#include "handlers/sessions.hpp"

namespace handlers {

namespace {

constexpr guard read_profile = require_permission("profile:read");
constexpr guard write_profile = require_permission("profile:write");
constexpr guard read_keys = require_permission("api_keys:read");
constexpr guard write_keys = require_permission("api_keys:write");

constexpr route table[] = {
    post<&accounts::signup>("/api/v1/users/signup", anyone, 201),
    post<&accounts::login>("/api/v1/users/login", anyone),

    post<&sessions::refresh>("/api/v1/users/token/refresh", anyone),
    post<&sessions::logout>("/api/v1/users/logout", current_user, 204),
    get<&sessions::list>("/api/v1/users/sessions", read_profile),
    del<&sessions::end_others>("/api/v1/users/sessions", write_profile),
    del<&sessions::end>("/api/v1/users/sessions/{id}", write_profile),

    get<&profile::show>("/api/v1/users/me", current_user),
    patch<&profile::update>("/api/v1/users/me", write_profile),

    post<&api_keys::mint>("/api/v1/users/api-keys", write_keys, 201),
    get<&api_keys::list>("/api/v1/users/api-keys", read_keys),
    post<&api_keys::report>("/api/v1/users/api-keys/report", anyone, 202),
    get<&api_keys::show>("/api/v1/users/api-keys/{prefix}", read_keys),
    patch<&api_keys::update>("/api/v1/users/api-keys/{prefix}", write_keys),
    del<&api_keys::revoke>("/api/v1/users/api-keys/{prefix}", write_keys),
    post<&api_keys::rotate>("/api/v1/users/api-keys/{prefix}/rotate", write_keys, 201),

    post<&api_keys::mint>("/api/v1/admin/api-keys", write_keys, 201),
    get<&api_keys::list>("/api/v1/admin/api-keys", read_keys),
    del<&api_keys::revoke>("/api/v1/admin/api-keys/{prefix}", write_keys),

    any<&auth::check>("/api/v1/users/auth", current_user).refused_by<&auth::refuse>(),

    get<&auth::jwks>("/.well-known/jwks.json", anyone),
    get<&health::live>("/healthz", unlimited),
    get<&health::ready>("/readyz", unlimited),
};

} // namespace

std::span<const route> all_routes()
{
    return table;
}

} // namespace handlers
