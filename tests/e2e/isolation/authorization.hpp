// Who may do what, on one page: to be read beside the contract, from which it is written, and not from the
// code.
#pragma once

#include "tests/support/http.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace flows::rights {

using support::http::verb;

/// Each grants what the one before grants.
enum class role { none, member, manager, admin };

struct grant {
    std::string_view permission;
    role least; ///< that grants it
};

constexpr grant permissions[] = {
    {"content:read", role::member},    {"content:write", role::member}, {"profile:read", role::member},
    {"profile:write", role::member},   {"api_keys:read", role::member}, {"api_keys:write", role::member},
    {"team:read", role::member},       {"team:invite", role::manager},  {"team:approve", role::admin},
    {"team:remove", role::admin},      {"team:roles", role::admin},     {"resources:delete", role::admin},
    {"settings:manage", role::admin},  {"api_keys:admin", role::admin}, {"audit:read", role::admin},
    {"tokens:introspect", role::admin}};

/// A permission that only an admin with an unlimited credential has.
constexpr std::string_view everything = "*";

/// What a call is about, which says what becomes of it with a key instead of a session.
enum class about {
    anyone,     ///< needs no credential; whatever comes along changes nothing
    workspace,  ///< the caller's workspace and what is in it: any credential will do
    keys,       ///< the caller's own keys: a workspace's key has none, but an admin's reaches all
    person,     ///< the caller: a workspace's key is none, 403
    session,    ///< the caller's session: a key has none, whatever the row says
    ownership,  ///< of the workspace: for its owner alone, in person
    invitation, ///< of the caller: for who is not a member yet, 409; in a session, 403
};

/** One route: as in the contract, the call, the permission that it needs, and what is answered if all is
   well. In path and body stand marks for what the call is about, made for it; see belongs_to_workspace. */
struct row {
    verb method;
    std::string_view path; ///< from the base path, or from the site's root
    std::string_view body;
    std::string_view needs; ///< empty: no permission, only a credential
    unsigned success;
    about what;
    unsigned to_key = 403; ///< where it is about a session
    bool is_at_root = false;
    bool only_asks = false; ///< changes nothing, though it is no GET
};

constexpr row open(verb method, std::string_view path, std::string_view body, unsigned success)
{
    return {method, path, body, "", success, about::anyone};
}

constexpr row site(row line)
{
    line.is_at_root = true;
    return line;
}

/// Of a call that changes nothing, though it is no GET.
constexpr row asking(row line)
{
    line.only_asks = true;
    return line;
}

constexpr row of_session(verb method, std::string_view path, unsigned success, unsigned to_key)
{
    return {method, path, "", "", success, about::session, to_key};
}

constexpr row of(about what, verb method, std::string_view path, std::string_view body,
                 std::string_view needs, unsigned success)
{
    return {method, path, body, needs, success, what};
}

constexpr row of_person(verb method, std::string_view path, std::string_view body, std::string_view needs,
                        unsigned success)
{
    return of(about::person, method, path, body, needs, success);
}

constexpr row of_workspace(verb method, std::string_view path, std::string_view body, std::string_view needs,
                           unsigned success)
{
    return of(about::workspace, method, path, body, needs, success);
}

constexpr row of_keys(verb method, std::string_view path, std::string_view body, std::string_view needs,
                      unsigned success)
{
    return of(about::keys, method, path, body, needs, success);
}

// clang-format off
constexpr row table[] = {
    // accounts, sign-in, sessions
    open(verb::post, "/signup", R"({"email":"{new}","password":"long enough"})", 201),
    open(verb::post, "/login", R"({"email":"{somebody}","password":"long enough"})", 200),
    open(verb::post, "/token/refresh", R"({"refresh_token":"{refresh}"})", 200),
    of_session(verb::post, "/logout", 204, 400),
    of_person(verb::get, "/sessions", "", "profile:read", 200),
    of_person(verb::delete_, "/sessions", "", "profile:write", 204),
    of_person(verb::delete_, "/sessions/{own session}", "", "profile:write", 204),
    open(verb::post, "/email/verify", R"({"token":"{verify}"})", 200),
    open(verb::post, "/email/verify/resend", R"({"email":"{new}"})", 202),
    of_person(verb::post, "/email/change", R"({"new_email":"{new}","password":"long enough"})", "profile:write", 202),
    open(verb::post, "/email/change/confirm", R"({"token":"{change}"})", 200),
    open(verb::post, "/password/forgot", R"({"email":"{somebody}"})", 202),
    open(verb::post, "/password/reset", R"({"token":"{reset}","password":"quite another battery"})", 204),
    of_person(verb::post, "/password/change", R"({"current_password":"long enough","new_password":"quite another battery"})",
              "profile:write", 204),
    // No provider is set up, so there is nothing here.
    open(verb::get, "/oauth/google/authorize?redirect_uri=https://a.example/&state=s&code_challenge={43 characters}"
                    "&code_challenge_method=S256", "", 404),
    open(verb::get, "/oauth/google/callback?state=s&code=c", "", 404),
    open(verb::post, "/oauth/google/exchange", R"({"code":"c","code_verifier":"{43 characters}"})", 404),
    of_person(verb::get, "/me/oauth-grants", "", "profile:read", 200),
    of_person(verb::delete_, "/me/oauth-grants/{own grant}", "", "profile:write", 204),

    // profile
    of_workspace(verb::get, "/me", "", "", 200),
    of_person(verb::patch, "/me", R"({"name":"Somebody"})", "profile:write", 200),
    of_person(verb::delete_, "/me", R"({"password":"long enough"})", "profile:write", 204),
    of_person(verb::put, "/me/avatar", "{picture}", "profile:write", 200),
    of_person(verb::delete_, "/me/avatar", "", "profile:write", 204),
    of_workspace(verb::get, "/avatars/{member}", "", "profile:read", 200),
    of_person(verb::get, "/me/notifications", "", "profile:read", 200),
    of_person(verb::patch, "/me/notifications", R"({"key_minted":{"email":false}})", "profile:write", 200),

    // workspaces
    of_person(verb::get, "/workspaces", "", "profile:read", 200),
    of_person(verb::post, "/workspaces", R"({"name":"Another"})", "profile:write", 201),
    of_session(verb::post, "/workspaces/{workspace}/switch", 200, 403),
    of_workspace(verb::get, "/workspace", "", "team:read", 200),
    of_workspace(verb::patch, "/workspace", R"({"name":"Renamed"})", "settings:manage", 200),

    // team
    of_workspace(verb::get, "/team", "", "team:read", 200),
    of_workspace(verb::patch, "/team/{member}", R"({"role":"manager"})", "team:roles", 200),
    of_workspace(verb::delete_, "/team/{member}", "", "team:remove", 204),
    of_workspace(verb::get, "/team/{member}/removal-preview", "", "team:remove", 200),
    of(about::ownership, verb::post, "/team/transfer-ownership", R"({"user_id":"{member}","password":"long enough"})",
       everything, 200),
    of_workspace(verb::get, "/team/api-keys", "", "api_keys:admin", 200),
    of_workspace(verb::delete_, "/team/api-keys/{member's key}", "", "api_keys:admin", 204),
    of_workspace(verb::get, "/team/requests", "", "team:approve", 200),
    of_workspace(verb::post, "/team/requests/{who waits}/approve", "", "team:approve", 200),
    of_workspace(verb::post, "/team/requests/{who waits}/reject", "", "team:approve", 204),
    of_workspace(verb::post, "/team/invites", R"({"invites":[{"email":"{new}","role":"manager"}]})", "team:invite", 201),
    of_workspace(verb::get, "/team/invites", "", "team:invite", 200),
    of_workspace(verb::post, "/team/invites/{invite}/resend", "", "team:invite", 202),
    of_workspace(verb::delete_, "/team/invites/{invite}", "", "team:invite", 204),
    open(verb::post, "/invites/preview", R"({"token":"{invitation}"})", 200),
    of(about::invitation, verb::post, "/invites/accept", R"({"token":"{own invitation}"})", "", 200),
    of_workspace(verb::get, "/audit", "", "audit:read", 200),

    // API keys
    of_person(verb::post, "/api-keys", R"({"name":"k","scopes":{own scopes}})", "api_keys:write", 201),
    of_keys(verb::get, "/api-keys", "", "api_keys:read", 200),
    open(verb::post, "/api-keys/report", R"({"key":"no such key"})", 202),
    open(verb::post, "/api-keys/claim", R"({"token":"{claim}"})", 200),
    of_keys(verb::get, "/api-keys/{own key}", "", "api_keys:read", 200),
    of_keys(verb::patch, "/api-keys/{own key}", R"({"name":"renamed"})", "api_keys:write", 200),
    of_keys(verb::delete_, "/api-keys/{own key}", "", "api_keys:write", 204),
    of_keys(verb::post, "/api-keys/{own key}/rotate", "", "api_keys:write", 201),
    site(of_person(verb::post, "/api/v1/admin/api-keys", R"({"name":"k","scopes":{own scopes}})", "api_keys:write", 201)),
    site(of_keys(verb::get, "/api/v1/admin/api-keys", "", "api_keys:read", 200)),
    site(of_keys(verb::delete_, "/api/v1/admin/api-keys/{own key}", "", "api_keys:write", 204)),

    // for other services, and the site's own pages
    of_workspace(verb::get, "/auth", "", "", 200),
    asking(of_workspace(verb::post, "/introspect", "form:token=made-up", "tokens:introspect", 200)),
    open(verb::post, "/revoke", "form:token=made-up", 200),
    site(open(verb::get, "/verify", "", 200)),
    site(open(verb::get, "/reset", "", 200)),
    site(open(verb::get, "/email-change", "", 200)),
    site(open(verb::get, "/invite", "", 200)),
    site(open(verb::get, "/unsubscribe", "", 200)),
    site(open(verb::get, "/claim", "", 200)),
    site(open(verb::post, "/unsubscribe?token={unsubscription}", "", 204)),
    site(open(verb::get, "/.well-known/jwks.json", "", 200)),
    site(asking(of_workspace(verb::post, "/mcp", R"({"jsonrpc":"2.0","id":1,"method":"ping"})", "", 200))),
    site(open(verb::get, "/.well-known/oauth-protected-resource", "", 200)),
    site(open(verb::get, "/.well-known/oauth-protected-resource/mcp", "", 200)),
    site(open(verb::get, "/openapi.json", "", 200)),
    site(open(verb::get, "/docs", "", 200)),
    site(open(verb::get, "/docs/{start.js}", "", 200)),
    site(open(verb::get, "/healthz", "", 200)),
    site(open(verb::get, "/readyz", "", 200)),
    site(open(verb::get, "/metrics", "", 200)),
};

/// What a person without any workspace may use, beside what is for anyone; a person who waits to be let in is one.
constexpr std::string_view without_workspace[] = {"/me", "/workspaces", "/invites/accept", "/logout"};

/// Marks for what is a workspace's, and of which others are told that it is not there. What is marked `own` is the
/// caller's.
constexpr std::string_view belongs_to_workspace[] = {"{member}", "{member's key}", "{who waits}", "{invite}",
                                                     "{workspace}"};
// clang-format on

enum class who {
    nobody,
    member,
    manager,
    admin,
    owner,
    outsider, ///< owns another workspace
    disabled, ///< was an admin
    without,  ///< belongs to no workspace
    waiting,  ///< has asked to be let into one
    of_both,  ///< owns another workspace, where they call from, and is an admin here too
};

enum class what {
    session,
    key,           ///< a person's, for all that they may
    sole_key,      ///< a person's, for what the row needs and nothing else
    narrow_key,    ///< a person's, for all but what the row needs, or for little where it needs nothing
    workspace_key, ///< of the caller's role; a disabled person's is a member's
};

inline bool names_what_is_the_workspaces(const row& line)
{
    return std::ranges::any_of(belongs_to_workspace, [&](std::string_view mark) {
        return line.path.find(mark) != line.path.npos || line.body.find(mark) != line.body.npos;
    });
}

inline bool is_for_who_has_no_workspace(const row& line)
{
    if (line.is_at_root)
        return line.path == "/mcp"; // where each tool asks for itself
    return std::ranges::any_of(without_workspace, [&](std::string_view begin) {
        auto rest = line.path.starts_with(begin) ? line.path.substr(begin.size()) : "no";
        return rest.empty() || rest.front() == '/';
    });
}

/// What a caller acts as.
inline role role_of(who caller, what with)
{
    switch (caller) {
    case who::nobody:
    case who::without:
    case who::waiting:
        return role::none;
    case who::member:
        return role::member;
    case who::manager:
        return role::manager;
    case who::disabled:
        return with == what::workspace_key ? role::member : role::admin;
    default:
        return role::admin;
    }
}

/// What a credential for a call is good for.
inline std::vector<std::string> scopes_of(what with, const row& line)
{
    if (with == what::sole_key)
        return {std::string(line.needs)};
    if (with != what::narrow_key)
        return {std::string(everything)};
    if (line.needs.empty())
        return {"content:read"};
    std::vector<std::string> out;
    for (auto& one : permissions)
        if (one.permission != line.needs)
            out.emplace_back(one.permission);
    return out;
}

/// Role and scopes together.
inline bool has_permission(who caller, what with, const row& line)
{
    if (line.needs.empty())
        return true;
    auto found = std::ranges::find(permissions, line.needs, &grant::permission);
    auto least = found == std::end(permissions) ? role::admin : found->least;
    auto scopes = scopes_of(with, line);
    return role_of(caller, with) >= least && std::ranges::any_of(scopes, [&](auto& scope) {
               return scope == everything || scope == line.needs;
           });
}

/// What the rows say.
inline unsigned expected(const row& line, who caller, what with)
{
    bool is_key = with != what::session, is_member = caller != who::outsider && caller != who::of_both;
    if (line.what == about::anyone)
        return line.success;
    if (caller == who::nobody || (caller == who::disabled && with != what::workspace_key))
        return 401;
    if (line.what == about::session && is_key)
        return line.to_key;
    if (line.what == about::invitation && is_key)
        return 403;
    if (caller == who::without || caller == who::waiting) {
        if (!is_for_who_has_no_workspace(line))
            return 403;
        return names_what_is_the_workspaces(line) ? 404 : line.success;
    }
    if (!has_permission(caller, with, line))
        return 403;
    if (with == what::workspace_key && (line.what == about::person || line.what == about::ownership ||
                                        (line.what == about::keys && role_of(caller, with) != role::admin)))
        return 403;
    if (line.what == about::ownership && caller == who::admin)
        return 403;
    if (!is_member && names_what_is_the_workspaces(line))
        return 404;
    return line.what == about::invitation && is_member ? 409 : line.success;
}

} // namespace flows::rights
