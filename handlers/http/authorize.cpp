#include "db/postgres/error.hpp"
#include "db/principals/last_used.hpp"
#include "db/principals/principals.hpp"
#include "db/tables/credential_checks.hpp"
#include "db/tables/users.hpp"
#include "handlers/access/permissions.hpp"
#include "handlers/http/authenticate.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/refusals.hpp"
#include "handlers/http/request_limits.hpp"
#include "handlers/http/same_origin.hpp"

#include <algorithm>

namespace handlers {

namespace {

/// Whether the caller has the role admin: by a session, or by an API key with all scopes.
bool acts_as_admin(const db::principal& caller)
{
    bool has_all_scopes =
        caller.kind == db::principal::kind_type::session || std::ranges::count(caller.scopes, "*") > 0;
    return caller.role == db::role::admin && has_all_scopes;
}

decision check_role_and_scopes(const call& c, const guard& required)
{
    switch (required.kind) {
    case guard_kind::unlimited:
    case guard_kind::anyone:
    case guard_kind::browser_session:
    case guard_kind::allow_unverified:
    case guard_kind::signed_in:
        return std::nullopt;
    case guard_kind::permission:
        // Without a workspace the caller is a session, which has all permissions of its user.
        if (!required.needs_workspace && !c.caller().workspace_id)
            return std::nullopt;
        if (!has_permission(c, required.permission))
            return deny_permission(c, required.permission);
        return std::nullopt;
    case guard_kind::company_admin:
        if (!acts_as_admin(c.caller()))
            return deny_permission(c, "*");
        return std::nullopt;
    }
    return std::nullopt;
}

decision check_workspace(const call& c, const guard& required)
{
    if (!required.needs_workspace || c.caller().workspace_id)
        return std::nullopt;
    if (c.caller().has_pending_join_request)
        return problem::of(codes::pending_approval);
    if (required.kind == guard_kind::permission)
        return deny_permission(c, required.permission);
    return problem::of(codes::forbidden, "This requires a workspace; the credential has none.");
}

/// Why the caller's credential is not accepted now by a guard.
decision state_error(const call& c, const guard& required, db::timestamp now)
{
    bool may_have_ended = required.accepts_ended_token && !c.caller().user_disabled &&
                          c.caller().kind == db::principal::kind_type::session;
    auto error = credential_state_error(c.caller(), now);
    return may_have_ended ? std::nullopt : std::move(error);
}

token_expiry expiry_check(const guard& required)
{
    return required.accepts_ended_token ? token_expiry::ignored : token_expiry::enforced;
}

/** Admits or rejects a call with the principal that its credential was resolved to, or null.
    @return nothing if the call cannot be counted yet */
std::optional<decision> decide(call& c, const guard& required, db::principal_ref found)
{
    if (!found)
        return try_reject(c, problem::rejected_credential("The credential is unknown or has been revoked."));
    c.principal = std::move(found);
    auto now = c.cx.coarse_now();
    if (auto error = state_error(c, required, now)) {
        auto rejected = try_reject(c, std::move(*error));
        if (rejected) {
            c.cx.last_used.count_rejection(c.caller(), now);
            c.is_counted_refused = true;
        }
        return rejected;
    }
    auto counted = try_count_credential(c);
    if (!counted)
        return counted;
    if (*counted) {
        c.cx.last_used.count_rate_limited(c.caller(), now);
        return counted;
    }
    c.cx.last_used.record(c.caller(), now);
    return check_permission(c, required);
}

/** Decides by the header and the credential cache.
    @param presented set on a cache miss
    @return nothing on a cache miss, or if the call cannot be counted yet */
std::optional<decision> decide_cached(call& c, const guard& required, credential& presented)
{
    if (required.needs_same_origin)
        if (auto error = check_same_origin(c.cx.config, c.req))
            return try_reject(c, std::move(*error));
    if (required.kind == guard_kind::unlimited || required.kind == guard_kind::browser_session)
        return decision();
    if (required.kind == guard_kind::anyone)
        return try_count_address(c);

    auto token = read_bearer_token(c);
    if (!token)
        return try_reject(c, token.error());
    if (token->empty())
        return try_reject(c, problem::of(codes::unauthorized));
    auto cached = find_cached(c, *token, presented);
    if (!cached)
        return try_reject(c, cached.error());
    if (cached->state == db::principals::state::miss)
        return std::nullopt;
    return decide(c, required, std::move(cached->principal));
}

} // namespace

std::optional<std::optional<problem>> authorize_cached(call& c, const guard& required)
{
    credential presented;
    return decide_cached(c, required, presented);
}

awaitable<std::optional<problem>> authorize(call& c, const guard& required)
{
    credential presented;
    for (;;) {
        if (auto decided = decide_cached(c, required, presented))
            co_return std::move(*decided);
        if (!c.needed_share)
            break;
        co_await take_needed_share(c);
    }

    auto place = enter_lookup(c);
    if (!place)
        co_return place.error();
    auto loaded = co_await load_principal(c, presented, expiry_check(required));
    place->reset();
    if (!loaded)
        co_return co_await reject_counted(c, loaded.error());
    for (;;) {
        if (auto decided = decide(c, required, *loaded))
            co_return std::move(*decided);
        co_await take_needed_share(c);
    }
}

awaitable<std::optional<problem>> reauthorize(call& c, const guard& required)
{
    if (!c.principal)
        co_return std::nullopt;
    auto presented = read_credential(c);
    if (!presented)
        co_return presented.error();
    auto cached = c.cx.principals.cached(presented->digest);
    auto found = std::move(cached.principal);
    if (cached.state == db::principals::state::miss) {
        auto loaded = co_await load_principal(c, *presented, expiry_check(required));
        if (!loaded)
            co_return loaded.error();
        found = std::move(*loaded);
    }
    if (!found)
        co_return problem::rejected_credential("The credential has been revoked.");
    c.principal = std::move(found);
    if (auto error = state_error(c, required, c.cx.now()))
        co_return error;
    co_return check_permission(c, required);
}

namespace {

/// The guard's decision about the caller's credential as it is in the database now.
awaitable<decision> authorize_again(call& c, const guard& required)
{
    auto presented = read_credential(c);
    if (!presented)
        co_return presented.error();
    db::invalidation outdated;
    outdated.digests.push_back(presented->digest);
    c.cx.principals.evict(outdated); // no lookup that began earlier is shared either
    co_return co_await reauthorize(c, required);
}

/// Runs a handler. @return nothing if the caller's rights changed during the call
awaitable<std::optional<reply>> try_handler(std::function<awaitable<reply>()> handler)
{
    try {
        co_return co_await handler();
    } catch (const db::failure& e) {
        if (!db::rights_have_changed(e))
            throw;
    }
    co_return std::nullopt;
}

/// A second change within one call is rare.
constexpr int max_attempts = 3;

} // namespace

awaitable<std::variant<reply, problem>> run_with_current_rights(call& c, const guard& required,
                                                                std::function<awaitable<reply>()> handler)
{
    for (int attempt = 1;; ++attempt) {
        if (auto done = co_await try_handler(handler))
            co_return std::move(*done);
        if (attempt == max_attempts || !c.principal)
            co_return problem::of(codes::conflict, "The caller's rights are changing; try again.");
        if (auto error = co_await authorize_again(c, required))
            co_return std::move(*error);
    }
}

bool is_unverified(const call& c, const db::principal& caller)
{
    return c.cx.config.verification_required && caller.user_id && !caller.email_verified;
}

std::optional<problem> check_permission(const call& c, const guard& required)
{
    if (is_unverified(c, c.caller()) && required.kind != guard_kind::allow_unverified)
        return problem::of(codes::email_not_verified);
    if (auto error = check_workspace(c, required))
        return error;
    return check_role_and_scopes(c, required);
}

bool has_permission(const call& c, std::string_view permission)
{
    return c.cx.permissions.allows(c.caller(), permission);
}

std::optional<problem> require_user(const call& c)
{
    if (c.caller().user_id)
        return std::nullopt;
    return problem::of(codes::forbidden,
                       "This requires a user; the credential is an API key of a workspace.");
}

awaitable<result<db::users::row>> load_user(call& c)
{
    if (auto error = require_user(c))
        co_return std::move(*error);
    auto user = co_await db::users::find(c.cx.db, *c.caller().user_id);
    if (!user)
        co_return problem::of(codes::not_found);
    co_return std::move(*user);
}

} // namespace handlers
