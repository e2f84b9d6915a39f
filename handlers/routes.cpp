#include "handlers/routes.hpp"

#include "handlers/console/console.hpp"
#include "handlers/endpoints/accounts.hpp"
#include "handlers/endpoints/api_keys.hpp"
#include "handlers/endpoints/audit.hpp"
#include "handlers/endpoints/avatars.hpp"
#include "handlers/endpoints/browser_session.hpp"
#include "handlers/endpoints/email_address.hpp"
#include "handlers/endpoints/forward_auth.hpp"
#include "handlers/endpoints/health.hpp"
#include "handlers/endpoints/introspection.hpp"
#include "handlers/endpoints/invite_acceptance.hpp"
#include "handlers/endpoints/invites.hpp"
#include "handlers/endpoints/join_requests.hpp"
#include "handlers/endpoints/notifications.hpp"
#include "handlers/endpoints/oauth_grants.hpp"
#include "handlers/endpoints/oidc_sign_in.hpp"
#include "handlers/endpoints/passwords.hpp"
#include "handlers/endpoints/profile.hpp"
#include "handlers/endpoints/sessions.hpp"
#include "handlers/endpoints/team.hpp"
#include "handlers/endpoints/usage.hpp"
#include "handlers/endpoints/workspaces.hpp"
#include "handlers/http/endpoint.hpp"
#include "handlers/mcp/protocol.hpp"
#include "handlers/metrics/registry.hpp"
#include "handlers/openapi/document.hpp"
#include "handlers/openapi/swagger_ui.hpp"
#include "handlers/pages/accounts.hpp"
#include "handlers/pages/email_links.hpp"
#include "handlers/pages/home.hpp"
#include "handlers/pages/invite.hpp"
#include "handlers/pages/links.hpp"
#include "handlers/pages/passwords.hpp"
#include "handlers/pages/provider_sign_in.hpp"
#include "handlers/static_files/static_files.hpp"
#include "schemas/health.hpp"
#include "schemas/mcp.hpp"
#include "schemas/site.hpp"

namespace handlers {

namespace {

constexpr guard read_profile = require_permission("profile:read");
constexpr guard write_profile = require_permission("profile:write");
constexpr guard read_own_profile = read_profile.workspace_optional();
constexpr guard write_own_profile = write_profile.workspace_optional();
constexpr guard read_team = require_permission("team:read");
constexpr guard change_roles = require_permission("team:roles");
constexpr guard invite = require_permission("team:invite");
constexpr guard approve = require_permission("team:approve");
constexpr guard manage_settings = require_permission("settings:manage");
constexpr guard manage_keys = require_permission("api_keys:admin");
constexpr guard introspect = require_permission("tokens:introspect");
constexpr guard read_audit = require_permission("audit:read");
constexpr guard read_keys = require_permission("api_keys:read");
constexpr guard write_keys = require_permission("api_keys:write");
/// The form of a page.
constexpr guard submitted = anyone.same_origin();

constexpr route table[] = {
    post<&accounts::signup>("/api/v1/users/signup", anyone, 201),
    post<&accounts::login>("/api/v1/users/login", anyone),

    post<&sessions::refresh>("/api/v1/users/token/refresh", anyone),
    post<&sessions::logout>("/api/v1/users/logout", allow_unverified.with_ended_token(), 204),
    get<&sessions::list>("/api/v1/users/sessions", read_profile),
    del<&sessions::end_others>("/api/v1/users/sessions", write_profile),
    del<&sessions::end>("/api/v1/users/sessions/{id}", write_profile),

    post<&browser::open>("/session", current_user.workspace_optional().same_origin(), 204),
    del<&browser::close>("/session", anyone.same_origin()),
    post<&browser::issue_token>("/session/token", by_cookie.same_origin())
        .documents<schemas::browser_token>(),

    post<&email_address::verify>("/api/v1/users/email/verify", anyone),
    post<&email_address::disown>("/api/v1/users/email/verify/disown", anyone, 204),
    post<&email_address::resend>("/api/v1/users/email/verify/resend", anyone, 202),
    post<&email_address::change>("/api/v1/users/email/change", write_profile, 202),
    post<&email_address::confirm_change>("/api/v1/users/email/change/confirm", anyone),
    post<&passwords::forgot>("/api/v1/users/password/forgot", anyone, 202),
    post<&passwords::reset>("/api/v1/users/password/reset", anyone, 204),
    post<&passwords::change>("/api/v1/users/password/change", write_profile, 204),

    get<&oidc_sign_in::authorize>("/api/v1/users/oauth/google/authorize", anyone),
    get<&oidc_sign_in::callback>("/api/v1/users/oauth/google/callback", anyone),
    post<&oidc_sign_in::exchange>("/api/v1/users/oauth/google/exchange", anyone),
    get<&oauth_grants::list>("/api/v1/users/me/oauth-grants", read_own_profile),
    del<&oauth_grants::remove>("/api/v1/users/me/oauth-grants/{provider}", write_own_profile),

    get<&profile::show>("/api/v1/users/me", allow_unverified),
    patch<&profile::update>("/api/v1/users/me", write_own_profile),
    del<&profile::remove>("/api/v1/users/me", write_own_profile),
    put<&avatars::replace>("/api/v1/users/me/avatar", write_own_profile).with_body_limit(avatars::max_size),
    del<&avatars::remove>("/api/v1/users/me/avatar", write_own_profile),
    get<&avatars::show>("/api/v1/users/avatars/{user_id}", read_profile),
    get<&notifications::show>("/api/v1/users/me/notifications", read_own_profile),
    patch<&notifications::update>("/api/v1/users/me/notifications", write_own_profile),

    get<&workspaces::list>("/api/v1/users/workspaces", read_own_profile),
    post<&workspaces::create>("/api/v1/users/workspaces", write_own_profile, 201),
    post<&workspaces::switch_to>("/api/v1/users/workspaces/{id}/switch", current_user.workspace_optional()),
    get<&workspaces::show>("/api/v1/users/workspace", read_team),
    patch<&workspaces::update>("/api/v1/users/workspace", manage_settings),

    get<&team::list>("/api/v1/users/team", read_team),
    patch<&team::set_role>("/api/v1/users/team/{user_id}", change_roles),
    // Members may remove themselves: the handler checks the permission.
    del<&team::remove>("/api/v1/users/team/{user_id}", current_user),
    get<&team::preview_removal>("/api/v1/users/team/{user_id}/removal-preview", current_user),
    post<&team::transfer_ownership>("/api/v1/users/team/transfer-ownership", require_company_admin),
    get<&team::list_keys>("/api/v1/users/team/api-keys", manage_keys),
    del<&api_keys::revoke>("/api/v1/users/team/api-keys/{prefix}", manage_keys)
        .with_operation("revokeTeamApiKey"),
    get<&join_requests::list>("/api/v1/users/team/requests", approve),
    post<&join_requests::approve>("/api/v1/users/team/requests/{user_id}/approve", approve),
    post<&join_requests::reject>("/api/v1/users/team/requests/{user_id}/reject", approve, 204),
    post<&invites::create>("/api/v1/users/team/invites", invite, 201),
    get<&invites::list>("/api/v1/users/team/invites", invite),
    post<&invites::resend>("/api/v1/users/team/invites/{id}/resend", invite, 202),
    del<&invites::cancel>("/api/v1/users/team/invites/{id}", invite),
    post<&invite_acceptance::preview>("/api/v1/users/invites/preview", anyone),
    post<&invite_acceptance::accept>("/api/v1/users/invites/accept", anyone),
    get<&audit::list>("/api/v1/users/audit", read_audit),

    get<&usage::list>("/api/v1/users/usage", read_keys),

    post<&api_keys::mint>("/api/v1/users/api-keys", write_keys, 201).with_operation("mintApiKey"),
    get<&api_keys::list>("/api/v1/users/api-keys", read_keys).with_operation("listApiKeys"),
    post<&api_keys::report>("/api/v1/users/api-keys/report", anyone, 202),
    post<&api_keys::claim>("/api/v1/users/api-keys/claim", anyone),
    get<&api_keys::show>("/api/v1/users/api-keys/{prefix}", read_keys),
    patch<&api_keys::update>("/api/v1/users/api-keys/{prefix}", write_keys),
    del<&api_keys::revoke>("/api/v1/users/api-keys/{prefix}", write_keys).with_operation("revokeApiKey"),
    post<&api_keys::rotate>("/api/v1/users/api-keys/{prefix}/rotate", write_keys, 201),

    post<&api_keys::mint>("/api/v1/admin/api-keys", write_keys, 201).with_operation("adminMintApiKey"),
    get<&api_keys::list>("/api/v1/admin/api-keys", read_keys).with_operation("adminListApiKeys"),
    del<&api_keys::revoke>("/api/v1/admin/api-keys/{prefix}", write_keys).with_operation("adminRevokeApiKey"),

    any<&forward_auth::check>("/api/v1/users/auth", current_user).on_refusal<&forward_auth::reject>(),
    post<&introspection::inspect>("/api/v1/users/introspect", introspect),
    post<&introspection::revoke>("/api/v1/users/revoke", anyone),

    get<&pages::home>("/", anyone).documents<schemas::site_links>(),
    get<&pages::sign_in>("/sign-in", anyone),
    post<&pages::submit_sign_in>("/sign-in", submitted),
    get<&pages::begin_provider_sign_in>("/sign-in/google", anyone),
    post<&pages::begin_provider_link>("/sign-in/google", submitted),
    get<&pages::finish_provider_sign_in>("/sign-in/google/done", anyone),
    get<&pages::sign_up>("/sign-up", anyone),
    post<&pages::submit_sign_up>("/sign-up", submitted),
    get<&pages::sign_out>("/sign-out", anyone),
    post<&pages::submit_sign_out>("/sign-out", submitted),
    get<&pages::forgot>("/forgot", anyone),
    post<&pages::submit_forgot>("/forgot", submitted),
    get<&pages::reset>("/reset", anyone),
    post<&pages::submit_reset>("/reset", submitted),
    get<&pages::check_mail>("/check-mail", anyone),
    post<&pages::submit_check_mail>("/check-mail", submitted),
    get<&pages::verify>("/verify", anyone),
    post<&pages::submit_verify>("/verify", submitted),
    get<&pages::change_email>("/email-change", anyone),
    post<&pages::submit_change_email>("/email-change", submitted),
    get<&pages::invite>("/invite", anyone),
    post<&pages::submit_invite>("/invite", submitted),
    get<&pages::claim>("/claim", anyone),
    post<&pages::submit_claim>("/claim", submitted),
    get<&pages::unsubscribe>("/unsubscribe", anyone),
    post<&pages::submit_unsubscribe>("/unsubscribe/confirm", submitted),
    get<&pages::done>("/done", anyone),
    post<&notifications::unsubscribe>("/unsubscribe", anyone, 204),

    get<&forward_auth::jwks>("/.well-known/jwks.json", anyone).documents<schemas::json_web_key_set>(),
    post<&mcp::serve>("/mcp", allow_unverified)
        .on_refusal<&mcp::refuse>()
        .documents_error<schemas::rpc_error_response>(),
    get<&mcp::describe_resource>("/.well-known/oauth-protected-resource", anyone)
        .with_operation("showResource")
        .documents<schemas::protected_resource>(),
    get<&mcp::describe_resource>("/.well-known/oauth-protected-resource/mcp", anyone)
        .with_operation("showMcpResource")
        .documents<schemas::protected_resource>(),
    get<&openapi::show>("/openapi.json", anyone),
    get<&swagger_ui::show>("/docs", anyone),
    get<&console::show>("/console", anyone).with_operation("pageConsole"),
    get<&console::show>("/console/{path*}", anyone).with_operation("pageConsoleScreen"),
    // A first view of the console loads dozens of files, from memory; they are not counted against its
    // address.
    get<&static_files::show>("/assets/{digest}/{path*}", unlimited),
    get<&health::live>("/healthz", unlimited).documents<schemas::health>().on_listeners(served_on::both),
    get<&health::ready>("/readyz", unlimited)
        .documents<schemas::health>()
        .on_listeners(served_on::operations),
    get<&metrics::show>("/metrics", unlimited).on_listeners(served_on::operations),
};

/// Each route has exactly one operation, and each operation one route: checked at compile time.
constexpr auto documented_table = with_operations(
    table, accounts::operations, sessions::operations, browser::operations, email_address::operations,
    passwords::operations, oidc_sign_in::operations, oauth_grants::operations, profile::operations,
    avatars::operations, notifications::operations, workspaces::operations, team::operations,
    api_keys::operations, join_requests::operations, audit::operations, usage::operations,
    invites::operations, invite_acceptance::operations, forward_auth::operations, introspection::operations,
    openapi::operations, mcp::operations, swagger_ui::operations, static_files::operations,
    console::operations, pages::account_operations, pages::password_operations, pages::email_link_operations,
    pages::invite_operations, pages::link_operations, pages::provider_operations, pages::home_operations,
    health::operations, metrics::operations);

} // namespace

std::span<const route> all_routes()
{
    return documented_table;
}

} // namespace handlers
