// Who may do what: one row for every line of the route table, to be read beside the contract.
#pragma once

#include "tests/support/http.hpp"

#include <string>
#include <string_view>

namespace flows::authorisation {

using support::http::verb;

/** Statuses of a call by a member, a manager, an admin, the owner, and the owner of another workspace, each with what
    is theirs to call with. What the call is about belongs to the first four's workspace, or to the caller. */
struct statuses {
    unsigned member, manager, admin, owner, outsider;
};

constexpr statuses all(unsigned status)
{
    return {status, status, status, status, status};
}

/// Of what is the same for everybody in their own workspace, and not there for strangers.
constexpr statuses members(unsigned status)
{
    return {status, status, status, status, 404};
}

constexpr statuses admins(unsigned status, unsigned outsider = 404)
{
    return {403, 403, status, status, outsider};
}

constexpr statuses managers(unsigned status, unsigned outsider = 404)
{
    return {403, status, status, status, outsider};
}

/** One route. Whoever has no credential gets 401, unless it is for anyone; then everybody gets the same. A disabled
    account's credentials get 401, but not the workspace's key that it made: that acts as the member it is made as. */
struct row {
    verb method;
    std::string_view path;
    std::string_view body;  ///< with {marks}, as in the path
    statuses session;       ///< with a JWT
    statuses key;           ///< with a person's key for all that they may
    unsigned narrow;        ///< with a person's key that lacks the permission
    statuses workspace_key; ///< with a key of the workspace, of the same role; the owner's is an admin's
    bool is_open = false;
};

/// A call that needs a credential, and treats a key that may all as the session of its owner.
constexpr row call(verb method, std::string_view path, std::string_view body, statuses person,
                   unsigned narrow, statuses workspace_key)
{
    return {method, path, body, person, person, narrow, workspace_key};
}

/// The same about the caller as a person: a workspace's key is none.
constexpr row personal(verb method, std::string_view path, std::string_view body, unsigned status)
{
    return call(method, path, body, all(status), 403, all(403));
}

/// The same about a person's session: a key has none.
constexpr row of_session(verb method, std::string_view path, statuses session, unsigned key)
{
    return {method, path, "", session, all(key), key, all(key)};
}

/// For anyone, whatever they come with.
constexpr row open(verb method, std::string_view path, std::string_view body, unsigned status)
{
    return {method, path, body, all(status), all(status), status, all(status), true};
}

// clang-format off
constexpr row table[] = {
    // accounts, sign-in, sessions
    open(verb::post, "/api/v1/users/signup", R"({"email":"{new}","password":"long enough"})", 201),
    open(verb::post, "/api/v1/users/login", R"({"email":"{caller}","password":"long enough"})", 200),
    open(verb::post, "/api/v1/users/token/refresh", R"({"refresh_token":"{refresh}"})", 200),
    of_session(verb::post, "/api/v1/users/logout", all(204), 400),
    personal(verb::get, "/api/v1/users/sessions", "", 200),
    personal(verb::delete_, "/api/v1/users/sessions", "", 204),
    personal(verb::delete_, "/api/v1/users/sessions/{own session}", "", 204),
    open(verb::post, "/api/v1/users/email/verify", R"({"token":"{verify}"})", 200),
    open(verb::post, "/api/v1/users/email/verify/resend", R"({"email":"{new}"})", 202),
    personal(verb::post, "/api/v1/users/email/change", R"({"new_email":"{new}","password":"long enough"})", 202),
    open(verb::post, "/api/v1/users/email/change/confirm", R"({"token":"{change}"})", 200),
    open(verb::post, "/api/v1/users/password/forgot", R"({"email":"{caller}"})", 202),
    open(verb::post, "/api/v1/users/password/reset", R"({"token":"{reset}","password":"quite another battery"})", 204),
    personal(verb::post, "/api/v1/users/password/change",
             R"({"current_password":"long enough","new_password":"quite another battery"})", 204),
    open(verb::get, "/api/v1/users/oauth/google/authorize", "", 422), // nothing is asked; and no provider is set up
    open(verb::get, "/api/v1/users/oauth/google/callback", "", 422),
    open(verb::post, "/api/v1/users/oauth/google/exchange", R"({"code":"c","code_verifier":"{verifier}"})", 404),
    personal(verb::get, "/api/v1/users/me/oauth-grants", "", 200),
    personal(verb::delete_, "/api/v1/users/me/oauth-grants/{grant}", "", 204),

    // profile
    call(verb::get, "/api/v1/users/me", "", all(200), 200, all(200)),
    personal(verb::patch, "/api/v1/users/me", R"({"name":"Somebody"})", 200),
    personal(verb::delete_, "/api/v1/users/me", R"({"password":"long enough"})", 204),
    personal(verb::put, "/api/v1/users/me/avatar", "{picture}", 200),
    personal(verb::delete_, "/api/v1/users/me/avatar", "", 204),
    call(verb::get, "/api/v1/users/avatars/{member}", "", members(200), 403, members(200)),
    personal(verb::get, "/api/v1/users/me/notifications", "", 200),
    personal(verb::patch, "/api/v1/users/me/notifications", R"({"key_minted":{"email":false}})", 200),

    // workspaces
    personal(verb::get, "/api/v1/users/workspaces", "", 200),
    personal(verb::post, "/api/v1/users/workspaces", R"({"name":"Another"})", 201),
    of_session(verb::post, "/api/v1/users/workspaces/{workspace}/switch", members(200), 403),
    call(verb::get, "/api/v1/users/workspace", "", all(200), 403, all(200)),
    call(verb::patch, "/api/v1/users/workspace", R"({"name":"Renamed"})", admins(200, 200), 403, admins(200, 200)),

    // team
    call(verb::get, "/api/v1/users/team", "", all(200), 403, all(200)),
    call(verb::patch, "/api/v1/users/team/{member}", R"({"role":"manager"})", admins(200), 403, admins(200)),
    call(verb::delete_, "/api/v1/users/team/{member}", "", admins(204), 403, admins(204)),
    call(verb::get, "/api/v1/users/team/{member}/removal-preview", "", admins(200), 403, admins(200)),
    call(verb::post, "/api/v1/users/team/transfer-ownership", R"({"user_id":"{member}","password":"long enough"})",
         {403, 403, 403, 200, 404}, 403, all(403)),
    call(verb::get, "/api/v1/users/team/api-keys", "", admins(200, 200), 403, admins(200, 200)),
    call(verb::delete_, "/api/v1/users/team/api-keys/{member's key}", "", admins(204), 403, admins(204)),
    call(verb::get, "/api/v1/users/team/requests", "", admins(200, 200), 403, admins(200, 200)),
    call(verb::post, "/api/v1/users/team/requests/{waiting}/approve", "", admins(200), 403, admins(200)),
    call(verb::post, "/api/v1/users/team/requests/{waiting}/reject", "", admins(204), 403, admins(204)),
    call(verb::post, "/api/v1/users/team/invites", R"({"invites":[{"email":"{new}","role":"manager"}]})",
         managers(201, 201), 403, managers(201, 201)),
    call(verb::get, "/api/v1/users/team/invites", "", managers(200, 200), 403, managers(200, 200)),
    call(verb::post, "/api/v1/users/team/invites/{invite}/resend", "", managers(202), 403, managers(202)),
    call(verb::delete_, "/api/v1/users/team/invites/{invite}", "", managers(204), 403, managers(204)),
    open(verb::post, "/api/v1/users/invites/preview", R"({"token":"{invitation}"})", 200),
    // Whoever is signed in has to be who is invited; a key accepts nothing.
    {verb::post, "/api/v1/users/invites/accept", R"({"token":"{caller's invitation}"})",
     {409, 409, 409, 409, 200}, all(403), 403, all(403)},
    call(verb::get, "/api/v1/users/audit", "", admins(200, 200), 403, admins(200, 200)),

    // API keys: one's own; an admin's workspace key reaches all of the workspace
    call(verb::post, "/api/v1/users/api-keys", R"({"name":"k"})", all(201), 403, all(403)),
    call(verb::get, "/api/v1/users/api-keys", "", all(200), 403, admins(200, 200)),
    open(verb::post, "/api/v1/users/api-keys/report", R"({"key":"no such key"})", 202),
    call(verb::get, "/api/v1/users/api-keys/{own key}", "", all(200), 403, admins(200, 404)),
    call(verb::patch, "/api/v1/users/api-keys/{own key}", R"({"name":"renamed"})", all(200), 403, admins(200, 404)),
    call(verb::delete_, "/api/v1/users/api-keys/{own key}", "", all(204), 403, admins(204, 404)),
    call(verb::post, "/api/v1/users/api-keys/{own key}/rotate", "", all(201), 403, admins(201, 404)),
    call(verb::post, "/api/v1/admin/api-keys", R"({"name":"k"})", all(201), 403, all(403)),
    call(verb::get, "/api/v1/admin/api-keys", "", all(200), 403, admins(200, 200)),
    call(verb::delete_, "/api/v1/admin/api-keys/{own key}", "", all(204), 403, admins(204, 404)),

    // for other services, and the site's own pages
    call(verb::get, "/api/v1/users/auth", "", all(200), 200, all(200)),
    open(verb::get, "/verify", "", 200),
    open(verb::get, "/reset", "", 200),
    open(verb::get, "/email-change", "", 200),
    open(verb::get, "/invite", "", 200),
    open(verb::get, "/unsubscribe", "", 200),
    open(verb::post, "/unsubscribe", "", 422),  // the token is in the query
    open(verb::get, "/.well-known/jwks.json", "", 200),
    open(verb::get, "/healthz", "", 200),
    open(verb::get, "/readyz", "", 200),
};
// clang-format on

} // namespace flows::authorisation
