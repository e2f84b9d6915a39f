#include "handlers/routes.hpp"

#include "handlers/accounts.hpp"
#include "handlers/api_keys.hpp"
#include "handlers/auth.hpp"
#include "handlers/avatars.hpp"
#include "handlers/emails.hpp"
#include "handlers/google.hpp"
#include "handlers/health.hpp"
#include "handlers/notifications.hpp"
#include "handlers/oauth_grants.hpp"
#include "handlers/pages.hpp"
#include "handlers/passwords.hpp"
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
    post<&sessions::logout>("/api/v1/users/logout", even_unverified, 204),
    get<&sessions::list>("/api/v1/users/sessions", read_profile),
    del<&sessions::end_others>("/api/v1/users/sessions", write_profile),
    del<&sessions::end>("/api/v1/users/sessions/{id}", write_profile),

    post<&emails::verify>("/api/v1/users/email/verify", anyone),
    post<&emails::resend>("/api/v1/users/email/verify/resend", anyone, 202),
    post<&emails::change>("/api/v1/users/email/change", write_profile, 202),
    post<&emails::confirm_change>("/api/v1/users/email/change/confirm", anyone),
    post<&passwords::forgot>("/api/v1/users/password/forgot", anyone, 202),
    post<&passwords::reset>("/api/v1/users/password/reset", anyone, 204),
    post<&passwords::change>("/api/v1/users/password/change", write_profile, 204),

    get<&google::authorize>("/api/v1/users/oauth/google/authorize", anyone),
    get<&google::callback>("/api/v1/users/oauth/google/callback", anyone),
    post<&google::exchange>("/api/v1/users/oauth/google/exchange", anyone),
    get<&oauth_grants::list>("/api/v1/users/me/oauth-grants", read_profile),
    del<&oauth_grants::remove>("/api/v1/users/me/oauth-grants/{provider}", write_profile),

    get<&profile::show>("/api/v1/users/me", even_unverified),
    patch<&profile::update>("/api/v1/users/me", write_profile),
    del<&profile::remove>("/api/v1/users/me", write_profile),
    put<&avatars::replace>("/api/v1/users/me/avatar", write_profile).taking_bytes(avatars::largest),
    del<&avatars::remove>("/api/v1/users/me/avatar", write_profile),
    get<&avatars::show>("/api/v1/users/avatars/{user_id}", read_profile),
    get<&notifications::show>("/api/v1/users/me/notifications", read_profile),
    patch<&notifications::update>("/api/v1/users/me/notifications", write_profile),

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

    get<&pages::verify>("/verify", anyone),
    get<&pages::reset>("/reset", anyone),
    get<&pages::change_email>("/email-change", anyone),
    get<&pages::unsubscribe>("/unsubscribe", anyone),
    post<&notifications::unsubscribe>("/unsubscribe", anyone, 204),

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
