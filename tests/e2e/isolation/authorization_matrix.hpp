// The authorization matrix: which caller with which credential may call which route. Written from the
// contract, not from the code.
#pragma once

#include "tests/support/http.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace e2e::authorization_matrix {

using support::http::verb;

/// Each role has the permissions of the one before and more.
enum class role { none, member, manager, admin };

struct grant {
    std::string_view permission;
    /// The least privileged role that has the permission.
    role least;
};

constexpr grant permissions[] = {
    {"content:read", role::member},    {"content:write", role::member}, {"profile:read", role::member},
    {"profile:write", role::member},   {"api_keys:read", role::member}, {"api_keys:write", role::member},
    {"team:read", role::member},       {"team:invite", role::manager},  {"team:approve", role::admin},
    {"team:remove", role::admin},      {"team:roles", role::admin},     {"resources:delete", role::admin},
    {"settings:manage", role::admin},  {"api_keys:admin", role::admin}, {"audit:read", role::admin},
    {"tokens:introspect", role::admin}};

/// The permission that only an admin with an unrestricted credential has.
constexpr std::string_view all_permissions = "*";

/// What a call acts on. It determines the response to an API key instead of a session.
enum class subject {
    /// Nothing that needs a credential; credentials that are sent are ignored.
    open,
    /// The caller's workspace and its contents: any credential will do.
    workspace,
    /// The caller's own keys: 403 for a workspace key, except that an admin's reaches all keys.
    keys,
    /// The caller: 403 for a workspace key.
    user,
    /// The caller's session: a key has none, see row::status_for_key.
    session,
    /// The ownership of the workspace: for its owner only, not for workspace keys.
    ownership,
    /// The caller's invite: 409 for members of the workspace, 403 for keys.
    invite,
};

/** One route: a call as in the contract, the permission it requires, and the status of its success. Path and
    body contain placeholders in braces, which the fixture replaces by objects created for this call. */
struct row {
    verb method;
    /// Relative to the base path, or to the root of the site.
    std::string_view path;
    std::string_view body;
    /// Empty: any credential will do.
    std::string_view required;
    unsigned success;
    subject acts_on;
    /// For a key, if the row acts on a session.
    unsigned status_for_key = 403;
    bool is_at_root = false;
    /// Changes nothing, although the method is not GET.
    bool is_safe = false;
    /// The request has the cookie of a browser session of the workspace's owner.
    bool has_cookie = false;
};

constexpr row open(verb method, std::string_view path, std::string_view body, unsigned success)
{
    return {method, path, body, "", success, subject::open};
}

constexpr row at_root(row line)
{
    line.is_at_root = true;
    return line;
}

constexpr row safe(row line)
{
    line.is_safe = true;
    return line;
}

constexpr row with_cookie(row line)
{
    line.has_cookie = true;
    return line;
}

constexpr row on_session(verb method, std::string_view path, unsigned success, unsigned status_for_key)
{
    return {method, path, "", "", success, subject::session, status_for_key};
}

constexpr row on(subject what, verb method, std::string_view path, std::string_view body,
                 std::string_view required, unsigned success)
{
    return {method, path, body, required, success, what};
}

constexpr row on_user(verb method, std::string_view path, std::string_view body, std::string_view required,
                      unsigned success)
{
    return on(subject::user, method, path, body, required, success);
}

constexpr row on_workspace(verb method, std::string_view path, std::string_view body,
                           std::string_view required, unsigned success)
{
    return on(subject::workspace, method, path, body, required, success);
}

constexpr row on_keys(verb method, std::string_view path, std::string_view body, std::string_view required,
                      unsigned success)
{
    return on(subject::keys, method, path, body, required, success);
}

constexpr row matrix[] = {
    // accounts, sign-in, sessions
    open(verb::post, "/signup", R"({"email":"{new}","password":"long enough"})", 201),
    open(verb::post, "/login", R"({"email":"{owner email}","password":"long enough"})", 200),
    open(verb::post, "/token/refresh", R"({"refresh_token":"{refresh}"})", 200),
    on_session(verb::post, "/logout", 204, 400),
    at_root(with_cookie(on_session(verb::post, "/session", 204, 403))),
    at_root(with_cookie(open(verb::delete_, "/session", "", 204))),
    at_root(
        with_cookie(open(verb::post, "/session/token", R"({"workspace_id":"{owner's workspace}"})", 200))),
    on_user(verb::get, "/sessions", "", "profile:read", 200),
    on_user(verb::delete_, "/sessions", "", "profile:write", 204),
    on_user(verb::delete_, "/sessions/{own session}", "", "profile:write", 204),
    open(verb::post, "/email/verify", R"({"token":"{verify}"})", 200),
    open(verb::post, "/email/verify/disown", R"({"token":"{verify}"})", 204),
    open(verb::post, "/email/verify/resend", R"({"email":"{new}"})", 202),
    on_user(verb::post, "/email/change", R"({"new_email":"{new}","password":"long enough"})", "profile:write",
            202),
    open(verb::post, "/email/change/confirm", R"({"token":"{change}"})", 200),
    open(verb::post, "/password/forgot", R"({"email":"{owner email}"})", 202),
    open(verb::post, "/password/reset", R"({"token":"{reset}","password":"quite another battery"})", 204),
    on_user(verb::post, "/password/change",
            R"({"current_password":"long enough","new_password":"quite another battery"})", "profile:write",
            204),
    // No OpenID provider is configured: not found.
    open(verb::get,
         "/oauth/google/authorize?redirect_uri=https://a.example/&state=s&code_challenge={43 characters}"
         "&code_challenge_method=S256",
         "", 404),
    open(verb::get, "/oauth/google/callback?state=s&code=c", "", 404),
    open(verb::post, "/oauth/google/exchange", R"({"code":"c","code_verifier":"{43 characters}"})", 404),
    on_user(verb::get, "/me/oauth-grants", "", "profile:read", 200),
    on_user(verb::delete_, "/me/oauth-grants/{own grant}", "", "profile:write", 204),

    // profile
    on_workspace(verb::get, "/me", "", "", 200),
    on_user(verb::patch, "/me", R"({"name":"Renamed"})", "profile:write", 200),
    on_user(verb::delete_, "/me", R"({"password":"long enough"})", "profile:write", 204),
    on_user(verb::put, "/me/avatar", "{picture}", "profile:write", 200),
    on_user(verb::delete_, "/me/avatar", "", "profile:write", 204),
    on_workspace(verb::get, "/avatars/{member}", "", "profile:read", 200),
    on_user(verb::get, "/me/notifications", "", "profile:read", 200),
    on_user(verb::patch, "/me/notifications", R"({"key_minted":{"email":false}})", "profile:write", 200),

    // workspaces
    on_user(verb::get, "/workspaces", "", "profile:read", 200),
    on_user(verb::post, "/workspaces", R"({"name":"Another"})", "profile:write", 201),
    on_session(verb::post, "/workspaces/{workspace}/switch", 200, 403),
    on_workspace(verb::get, "/workspace", "", "team:read", 200),
    on_workspace(verb::patch, "/workspace", R"({"name":"Renamed"})", "settings:manage", 200),

    // team
    on_workspace(verb::get, "/team", "", "team:read", 200),
    on_workspace(verb::patch, "/team/{member}", R"({"role":"manager"})", "team:roles", 200),
    on_workspace(verb::delete_, "/team/{member}", "", "team:remove", 204),
    on_workspace(verb::get, "/team/{member}/removal-preview", "", "team:remove", 200),
    on(subject::ownership, verb::post, "/team/transfer-ownership",
       R"({"user_id":"{member}","password":"long enough"})", all_permissions, 200),
    on_workspace(verb::get, "/team/api-keys", "", "api_keys:admin", 200),
    on_workspace(verb::delete_, "/team/api-keys/{member's key}", "", "api_keys:admin", 204),
    on_workspace(verb::get, "/team/requests", "", "team:approve", 200),
    on_workspace(verb::post, "/team/requests/{pending user}/approve", "", "team:approve", 200),
    on_workspace(verb::post, "/team/requests/{pending user}/reject", "", "team:approve", 204),
    on_workspace(verb::post, "/team/invites", R"({"invites":[{"email":"{new}","role":"manager"}]})",
                 "team:invite", 201),
    on_workspace(verb::get, "/team/invites", "", "team:invite", 200),
    on_workspace(verb::post, "/team/invites/{invite}/resend", "", "team:invite", 202),
    on_workspace(verb::delete_, "/team/invites/{invite}", "", "team:invite", 204),
    open(verb::post, "/invites/preview", R"({"token":"{invite token}"})", 200),
    on(subject::invite, verb::post, "/invites/accept", R"({"token":"{own invite token}"})", "", 200),
    on_workspace(verb::get, "/audit", "", "audit:read", 200),

    // API keys
    on_keys(verb::get, "/usage", "", "api_keys:read", 200),
    on_user(verb::post, "/api-keys", R"({"name":"k","scopes":{own scopes}})", "api_keys:write", 201),
    on_keys(verb::get, "/api-keys", "", "api_keys:read", 200),
    open(verb::post, "/api-keys/report", R"({"key":"no such key"})", 202),
    open(verb::post, "/api-keys/claim", R"({"token":"{claim}"})", 200),
    on_keys(verb::get, "/api-keys/{own key}", "", "api_keys:read", 200),
    on_keys(verb::patch, "/api-keys/{own key}", R"({"name":"renamed"})", "api_keys:write", 200),
    on_keys(verb::delete_, "/api-keys/{own key}", "", "api_keys:write", 204),
    on_keys(verb::post, "/api-keys/{own key}/rotate", "", "api_keys:write", 201),
    at_root(on_user(verb::post, "/api/v1/admin/api-keys", R"({"name":"k","scopes":{own scopes}})",
                    "api_keys:write", 201)),
    at_root(on_keys(verb::get, "/api/v1/admin/api-keys", "", "api_keys:read", 200)),
    at_root(on_keys(verb::delete_, "/api/v1/admin/api-keys/{own key}", "", "api_keys:write", 204)),

    // for other services, and the pages of the site
    on_workspace(verb::get, "/auth", "", "", 200),
    safe(on_workspace(verb::post, "/introspect", "form:token=made-up", "tokens:introspect", 200)),
    open(verb::post, "/revoke", "form:token=made-up", 200),
    at_root(open(verb::get, "/", "", 200)),
    at_root(open(verb::get, "/sign-in", "", 200)),
    at_root(open(verb::post, "/sign-in", "form:email=made-up", 422)),
    at_root(open(verb::get, "/sign-in/google", "", 404)), // no provider is configured
    at_root(open(verb::post, "/sign-in/google", "form:token=none", 404)),
    at_root(open(verb::get, "/sign-in/google/done", "", 400)),
    at_root(open(verb::get, "/sign-up", "", 200)),
    at_root(open(verb::post, "/sign-up", "form:email=made-up", 422)),
    at_root(open(verb::get, "/sign-out", "", 200)),
    at_root(open(verb::post, "/sign-out", "form:token=none", 303)),
    at_root(open(verb::get, "/forgot", "", 200)),
    at_root(open(verb::post, "/forgot", "form:email=made-up", 422)),
    at_root(open(verb::get, "/reset", "", 200)),
    at_root(open(verb::post, "/reset", "form:token=made-up", 422)),
    at_root(open(verb::get, "/check-mail", "", 200)),
    at_root(open(verb::post, "/check-mail", "form:email=made-up", 422)),
    at_root(open(verb::get, "/verify", "", 200)),
    at_root(open(verb::post, "/verify", "form:token=made-up", 422)),
    at_root(open(verb::get, "/email-change", "", 200)),
    at_root(open(verb::post, "/email-change", "form:token=made-up", 422)),
    at_root(open(verb::get, "/invite", "", 200)),
    at_root(open(verb::post, "/invite", "form:token=made-up", 400)),
    at_root(open(verb::get, "/claim", "", 200)),
    at_root(open(verb::post, "/claim", "form:token=made-up", 400)),
    at_root(open(verb::get, "/unsubscribe", "", 200)),
    at_root(open(verb::post, "/unsubscribe/confirm", "form:token=made-up", 400)),
    at_root(open(verb::get, "/done?what=verified", "", 200)),
    at_root(open(verb::post, "/unsubscribe?token={unsubscription}", "", 204)),
    at_root(open(verb::get, "/.well-known/jwks.json", "", 200)),
    at_root(safe(on_workspace(verb::post, "/mcp", R"({"jsonrpc":"2.0","id":1,"method":"ping"})", "", 200))),
    at_root(open(verb::get, "/.well-known/oauth-protected-resource", "", 200)),
    at_root(open(verb::get, "/.well-known/oauth-protected-resource/mcp", "", 200)),
    at_root(open(verb::get, "/openapi.json", "", 200)),
    at_root(open(verb::get, "/docs", "", 200)),
    at_root(open(verb::get, "/console", "", 200)),
    at_root(open(verb::get, "/console/{43 characters}", "", 200)),
    at_root(open(verb::get, "/assets/{digest}/{style.css}", "", 200)),
    at_root(open(verb::get, "/healthz", "", 200)),
    at_root(open(verb::get, "/readyz", "", 200)),
    at_root(open(verb::get, "/metrics", "", 200)),
};

/// The paths open to users without a workspace, pending ones included, besides the open routes.
constexpr std::string_view without_workspace[] = {"/me", "/workspaces", "/invites/accept", "/logout"};

/// Placeholders of objects that belong to a workspace: 404 from any other. Those marked `own` are the
/// caller's.
constexpr std::string_view belongs_to_workspace[] = {"{member}", "{member's key}", "{pending user}",
                                                     "{invite}", "{workspace}"};

enum class caller {
    anonymous,
    member,
    manager,
    admin,
    owner,
    /// Owns another workspace.
    outsider,
    /// A disabled admin.
    disabled,
    without_workspace,
    /// Waits for the approval of a join request.
    pending,
    /// An admin here who calls from another workspace, which they own.
    member_of_both,
};

enum class credential {
    session,
    /// A personal key with all scopes.
    full_key,
    /// A personal key with the required scope only.
    minimal_key,
    /// A personal key with every scope but the required one; with one unrelated scope if none is required.
    insufficient_key,
    /// A workspace key with the caller's role; a member's for a disabled caller.
    workspace_key,
};

/// Whether a row contains a placeholder of an object that belongs to a workspace.
bool names_workspace_object(const row& line);

/// Whether users without a workspace may call a route.
bool is_open_without_workspace(const row& line);

/// The role that a caller acts in.
role role_of(caller who, credential with);

/// The scopes of a credential for a call.
std::vector<std::string> scopes_of(credential with, const row& line);

/// Whether role and scopes together grant the required permission.
bool has_permission(caller who, credential with, const row& line);

/// The status that the matrix demands.
unsigned expected_status(const row& line, caller who, credential with);

} // namespace e2e::authorization_matrix
