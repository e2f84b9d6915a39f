// Route guards: authentication, permission checks, and the caller as a user.
#pragma once

#include "db/principals/principal.hpp"
#include "handlers/http/fwd.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/route.hpp"

#include <functional>
#include <optional>
#include <string_view>
#include <variant>

namespace db::users {
struct row;
}

namespace handlers {

/** Checks a call against a guard and returns the error of a rejected one. Sets `c.principal` unless the guard
    admits anyone.

    The credential is the one `Authorization: Bearer` header, a JWT or an API key. Permissions are evaluated
    against the current state at every request. A cached credential costs neither a lock nor a system call;
    another costs one lookup, shared by concurrent requests.
    Counts the request against the rate limit of the credential or, without a valid one, of the client
    address.
    @throw db::failure if the credential must be looked up and the database is unavailable */
awaitable<std::optional<problem>> authorize(call& c, const guard& required);

/** Checks an authorized call against its guard again, with the credential as it is now. Counts nothing.
    @throw db::failure as `authorize` */
awaitable<std::optional<problem>> reauthorize(call& c, const guard& required);

/** Runs the handler of a call that passed the guard. If the caller's rights change before the handler's
    transaction locks them, the transaction has no effect: the guard and the handler then run again, with the
    rights of now.
    @return the handler's reply, or why the call is not permitted any more */
awaitable<std::variant<reply, problem>> run_with_current_rights(call& c, const guard& required,
                                                                std::function<awaitable<reply>()> handler);

/** `authorize` from memory alone. @return nothing on a cache miss, or without a share of the rate limit: call
    `authorize` then, which starts over. The request is counted once either way */
std::optional<std::optional<problem>> authorize_cached(call& c, const guard& required);

/** The principal of a token that is not the credential of the call; null if it would be rejected.
    Counts no request, and does not record a use of the token.
    @throw db::failure as `authorize` */
awaitable<db::principal_ref> find_bearer_principal(call& c, std::string_view token);

/// The session that a correctly signed access token names, whether or not the token or the session has ended.
std::optional<db::uuid> find_signed_session(const call& c, std::string_view token);

/// Whether the caller must verify the email address first.
bool is_unverified(const call& c, const db::principal& caller);

/// Checks an authenticated caller against another guard. A refusal is for the client: it is recorded.
std::optional<problem> check_permission(const call& c, const guard& required);

/// For a permission that depends on the object, such as another user's key.
bool has_permission(const call& c, std::string_view permission);

/// Rejects API keys of a workspace, which have no user.
std::optional<problem> require_user(const call& c);

/// The caller's user row. 403 for an API key of a workspace, 404 for a user just deleted.
awaitable<result<db::users::row>> load_user(call& c);

} // namespace handlers
