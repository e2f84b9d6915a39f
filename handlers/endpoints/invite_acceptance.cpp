#include "handlers/endpoints/invite_acceptance.hpp"

#include "crypto/one_time_token.hpp"
#include "db/tables/invites.hpp"
#include "db/tables/memberships.hpp"
#include "db/tables/users.hpp"
#include "handlers/authn/invitee.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/to_schema.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace handlers::invite_acceptance {

namespace {

using reason = schemas::invite_closed_reason;

invite_closed closed(reason why, std::string_view detail)
{
    invite_closed out;
    out.status = 400;
    out.body.detail = detail;
    out.body.reason = why;
    return out;
}

/// Why an invite cannot be accepted any more; nothing if it is open.
std::optional<invite_closed> find_closure(const db::invites::preview& invite)
{
    switch (invite.status) {
    case db::invites::status::accepted:
        return closed(reason::accepted, "The invite has been accepted; sign in.");
    case db::invites::status::cancelled:
        return closed(reason::cancelled, "The invite has been cancelled.");
    case db::invites::status::expired:
    case db::invites::status::pending:
        break;
    }
    if (invite.is_replaced)
        return closed(reason::replaced, "The link has been replaced by one in a newer email.");
    if (invite.status == db::invites::status::expired)
        return closed(reason::expired, "The invite has expired; ask for a new one.");
    return std::nullopt;
}

struct found_invite {
    db::invites::preview invite;
    db::digest token_digest{};
};

awaitable<result<found_invite>> find_invite(call& c, std::string token)
{
    auto digest = crypto::one_time_token_digest(token);
    if (!digest)
        co_return problem::of(codes::invalid_token);
    auto invite = co_await db::invites::find_by_digest(c.cx.db, *digest);
    if (!invite)
        co_return problem::of(codes::invalid_token);
    co_return found_invite{std::move(*invite), *digest};
}

/// Adds the membership to the invitee's transaction and commits it. @return the error, if it fails
awaitable<std::optional<problem>> join_workspace(invitee& member, const found_invite& found)
{
    auto& tx = member.tx;
    auto& workspace = found.invite.workspace_id;
    auto signup = tx.event("user.signup"); // before the join event: ids order the trail
    auto join = tx.event("team.join", to_string(member.user_id));
    join.workspace_id = signup.workspace_id = workspace;
    join.actor_id = signup.actor_id = member.user_id;
    join.details = "{\"invite\":\"" + to_string(found.invite.id) + "\"}";
    db::invites::add_accept(tx.batch(), found.token_digest, member.user_id);
    tx.audit(join);
    if (member.is_new)
        tx.audit(signup); // after the acceptance, which locks the workspace
    // Last, so that a pending request to join the same workspace does not decide first.
    if (member.verified_email)
        db::users::add_verify_email(tx.batch(), member.user_id, *member.verified_email,
                                    db::users::proof::account, tx.event("team.join"));
    tx.affects_user(member.user_id);
    try {
        co_await tx.commit();
    } catch (const db::failure& e) {
        if (db::invites::was_already_member(e))
            co_return problem::of(codes::already_member);
        if (e.is_unique_violation("users_email_key"))
            co_return problem::of(codes::conflict, "The account was just created; sign in to it.");
        throw;
    }
    co_return std::nullopt;
}

/// Keeps the caller's session, and switches it to the workspace.
awaitable<result<schemas::invite_accepted>> switch_existing_session(call& c, db::users::row user,
                                                                    db::uuid workspace)
{
    auto switched = co_await switch_workspace(c, workspace);
    if (!switched)
        co_return problem::rejected_credential("The credential has been revoked.");
    schemas::invite_accepted out;
    out.access_token = std::move(switched->access_token);
    out.expires_in = switched->expires_in;
    out.user = to_user(c.cx.config, user);
    out.workspace = std::move(switched->workspace);
    out.membership = switched->membership;
    co_return std::move(out);
}

awaitable<result<schemas::invite_accepted>> open_new_session(call& c, db::users::row user, db::uuid workspace)
{
    auto found = co_await db::memberships::find(c.cx.db, workspace, user.id);
    if (!found)
        co_return problem::of(codes::invalid_credentials);
    auto membership = to_membership(found->membership);
    db::users::account account{std::move(user), std::move(found)};
    auto opened = co_await open_session(c, std::move(account));
    if (auto refused = std::get_if<problem>(&opened))
        co_return std::move(*refused);
    auto& session = std::get<schemas::login_result>(opened);
    schemas::invite_accepted out;
    out.access_token = std::move(session.access_token);
    out.expires_in = session.expires_in;
    out.refresh_token = std::move(session.refresh_token);
    out.user = std::move(session.user);
    out.workspace = std::move(*session.workspace);
    out.membership = membership;
    co_return std::move(out);
}

} // namespace

awaitable<std::variant<schemas::invite_preview, invite_closed, problem>> preview(call& c,
                                                                                 schemas::email_token body)
{
    auto found = co_await find_invite(c, std::move(body.token.value));
    if (!found)
        co_return found.error();
    auto& invite = found->invite;
    if (auto closure = find_closure(invite))
        co_return std::move(*closure);
    schemas::invite_preview out;
    out.email = std::move(invite.email);
    out.role = to_wire(invite.role);
    out.workspace_name = std::move(invite.workspace);
    out.invited_by = std::move(invite.invited_by);
    out.expires_at = invite.expires_at;
    out.has_account = invite.has_account;
    if (invite.has_unproved_account)
        out.has_unproved_account.emplace(true);
    co_return out;
}

awaitable<std::variant<schemas::invite_accepted, invite_closed, problem>> accept(call& c,
                                                                                 schemas::invite_accept body)
{
    auto found = co_await find_invite(c, std::move(body.token.value));
    if (!found)
        co_return found.error();
    if (auto closure = find_closure(found->invite))
        co_return std::move(*closure);
    auto member = co_await authenticate_invitee(c, found->invite, std::move(body));
    if (!member)
        co_return member.error();
    auto refused = co_await join_workspace(*member, *found);
    if (refused)
        co_return std::move(*refused);

    auto user = co_await db::users::find(c.cx.db, member->user_id);
    if (!user)
        co_return problem::of(codes::invalid_token);
    auto workspace = found->invite.workspace_id;
    result<schemas::invite_accepted> out = problem::of(codes::invalid_token);
    if (member->has_session)
        out = co_await switch_existing_session(c, std::move(*user), workspace);
    else
        out = co_await open_new_session(c, std::move(*user), workspace);
    if (!out)
        co_return out.error();
    co_return std::move(*out);
}

} // namespace handlers::invite_acceptance
