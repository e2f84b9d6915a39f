#include "handlers/endpoints/invite_acceptance.hpp"

#include "crypto/one_time_token.hpp"
#include "crypto/random.hpp"
#include "db/tables/credential_checks.hpp"
#include "db/tables/invites.hpp"
#include "db/tables/memberships.hpp"
#include "db/tables/sessions.hpp"
#include "db/tables/users.hpp"
#include "handlers/authn/login_attempt.hpp"
#include "handlers/authn/password_policy.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/authn/session_tokens.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "handlers/to_schema.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace handlers::acceptances {

namespace {

over is_over(schemas::invite_end reason, std::string_view detail)
{
    over out;
    out.status = 400;
    out.body.detail = detail;
    out.body.reason = reason;
    return out;
}

/** The end of an invite, if it has come to one. */
std::optional<over> judge(const db::invites::preview& invite)
{
    switch (invite.status) {
    case db::invites::status::accepted:
        return is_over(schemas::invite_end::accepted, "The invite has been accepted: sign in.");
    case db::invites::status::cancelled:
        return is_over(schemas::invite_end::cancelled, "The invite has been withdrawn.");
    case db::invites::status::expired:
    case db::invites::status::pending:
        break;
    }
    if (invite.is_replaced)
        return is_over(schemas::invite_end::replaced, "There is a newer mail with another link: use that.");
    if (invite.status == db::invites::status::expired)
        return is_over(schemas::invite_end::expired, "The invite has expired: ask for another.");
    return std::nullopt;
}

/** An invite that is open, and what its token is known by. */
struct opened {
    db::invites::preview invite;
    db::digest digest{};
};

awaitable<std::variant<opened, over, problem>> open(call& c, std::string token)
{
    auto digest = crypto::one_time_token_digest(token);
    if (!digest)
        co_return problem::spent_token();
    auto invite = co_await db::invites::find_by_digest(c.cx.db, *digest);
    if (!invite)
        co_return problem::spent_token();
    if (auto end = judge(*invite))
        co_return std::move(*end);
    opened out;
    out.invite = std::move(*invite);
    out.digest = *digest;
    co_return out;
}

} // namespace

awaitable<std::variant<schemas::invite_preview, over, problem>> preview(call& c, schemas::mailed_token body)
{
    auto found = co_await open(c, std::move(body.token.value));
    if (auto end = std::get_if<over>(&found))
        co_return std::move(*end);
    if (auto refused = std::get_if<problem>(&found))
        co_return std::move(*refused);
    auto& invite = std::get<opened>(found).invite;
    schemas::invite_preview out;
    out.email = std::move(invite.email);
    out.role = to_wire(invite.role);
    out.workspace_name = std::move(invite.workspace);
    out.invited_by = std::move(invite.invited_by);
    out.expires_at = invite.expires_at;
    out.has_account = invite.has_account;
    co_return out;
}

namespace {

/** Who accepts, as it has been proved; a session that proved it goes on. */
struct invitee {
    db::uuid user{};
    db::batch work; ///< what makes them ready to be a member
    db::change what;
    std::optional<std::string> proved; ///< the address, if the link is what proves it
    bool is_signed_in = false;
    bool is_new = false;
};

/** The owner of the credential that came along. */
awaitable<std::variant<invitee, problem>> prove_by_session(call& c, db::invites::preview invite)
{
    auto refused = co_await admit(c, even_unverified);
    if (refused)
        co_return std::move(*refused);
    auto& who = c.caller();
    if (who.kind != db::principal::kind_type::session)
        co_return problem::forbidden("forbidden",
                                     "An invite is accepted by a person who is signed in, not by a key.");
    auto found = co_await load_person(c);
    if (auto gone = std::get_if<problem>(&found))
        co_return std::move(*gone);
    auto& user = std::get<db::users::row>(found);
    if (schemas::normalize_email(user.email) != invite.email_normalized)
        co_return problem::forbidden("wrong_account",
                                     "The invite is for another address than this account's.");
    invitee out;
    out.user = user.id;
    out.is_signed_in = true;
    db::require_password_version(out.work, user.id,
                                 user.password_version); // for its lock, which accepting takes
    db::require_standing(out.work, who);
    if (!user.email_verified_at)
        out.proved = std::move(user.email);
    co_return std::move(out);
}

problem sign_in_first()
{
    auto out = problem::unauthorized();
    out.detail = "There is an account with this address: sign in to it, or send its password.";
    return out;
}

/** A password for an account that has none, as far as anybody has proved. */
awaitable<std::variant<std::string, problem>>
hash_chosen(call& c, std::optional<schemas::existing_password> chosen, std::string email, std::string name)
{
    if (!chosen)
        co_return problem::invalid_field("body", "password", "Field required", "missing");
    schemas::fault_list faults;
    schemas::path body("body");
    auto password = schemas::new_password::read(chosen->value, schemas::path(body, "password"), faults);
    if (!password)
        co_return problem::validation(faults.take());
    co_return co_await hash_new_password(c.cx, std::move(password->value), std::move(email), std::move(name));
}

/** The account of the invite's address, whose password came along. */
awaitable<std::variant<invitee, problem>> prove_by_password(call& c, db::users::row user,
                                                            schemas::invite_accept body)
{
    if (!body.password)
        co_return sign_in_first();
    auto email = schemas::normalize_email(user.email);
    guess attempt(c, email);
    if (auto over = attempt.count())
        co_return std::move(*over);
    bool good =
        co_await c.cx.hashers.verify(std::move(body.password->value), user.password_hash.value_or(""));
    if (!good) {
        attempt.is_wrong();
        co_return problem::invalid_credentials();
    }
    if (auto refused = check_account(c.cx.config, user))
        co_return std::move(*refused);
    invitee out;
    out.user = user.id;
    db::require_password_version(out.work, user.id, user.password_version);
    co_return std::move(out);
}

/** An account whose address nobody has proved before. The link does now, and makes whoever opened it the
   owner: with the password they keep all of it, else they choose one, and what somebody may have planted is
   gone. */
awaitable<std::variant<invitee, problem>> claim(call& c, db::users::row user, schemas::invite_accept body,
                                                trace from)
{
    invitee out;
    out.user = user.id;
    bool knows_password = false;
    if (body.password && user.password_hash) {
        auto email = schemas::normalize_email(user.email);
        guess attempt(c, email);
        if (auto over = attempt.count())
            co_return std::move(*over);
        knows_password = co_await c.cx.hashers.verify(body.password->value, *user.password_hash);
        if (!knows_password)
            attempt.is_wrong();
    }
    if (knows_password) {
        db::require_password_version(out.work, user.id, user.password_version);
    } else {
        auto hash = co_await hash_chosen(c, std::move(body.password), user.email, user.name.value_or(""));
        if (auto refused = std::get_if<problem>(&hash))
            co_return std::move(*refused);
        out.what = co_await db::users::reach_of(c.cx.db, user.id);
        db::users::add_dispossess(out.work, user.id);
        db::users::add_set_password(out.work, user.id, std::get<std::string>(hash));
        if (body.name)
            db::users::add_set_name(out.work, user.id, body.name->value);
        auto letter = make_letter(c.cx, db::outbox::kind::password_changed, facts_of(c, from));
        db::outbox::add_to_user(out.work, letter, user.id);
        auto event = from.event("password.reset");
        event.actor_id = user.id;
        db::audit::add(out.work, event);
    }
    out.proved = std::move(user.email);
    co_return std::move(out);
}

/** Somebody new, with the address of the invite and no workspace of their own. */
awaitable<std::variant<invitee, problem>> welcome(call& c, db::invites::preview invite,
                                                  schemas::invite_accept body)
{
    std::optional<std::string> name;
    if (body.name)
        name = std::move(body.name->value);
    auto hash = co_await hash_chosen(c, std::move(body.password), invite.email, name.value_or(""));
    if (auto refused = std::get_if<problem>(&hash))
        co_return std::move(*refused);
    invitee out;
    out.user = crypto::make_uuid_v7();
    db::users::draft user;
    user.id = out.user;
    user.email = invite.email;
    user.email_normalized = invite.email_normalized;
    user.password_hash = std::get<std::string>(hash);
    user.name = name;
    user.email_verified = true;
    db::users::add_insert(out.work, user);
    out.is_new = true;
    co_return std::move(out);
}

awaitable<std::variant<invitee, problem>> identify(call& c, const db::invites::preview& invite,
                                                   schemas::invite_accept body, trace from)
{
    if (c.req.message.count(http::field::authorization) > 0)
        co_return co_await prove_by_session(c, invite);
    auto user = co_await db::users::find_by_email(c.cx.db, invite.email_normalized);
    if (!user)
        co_return co_await welcome(c, invite, std::move(body));
    if (user->disabled_at)
        co_return problem::forbidden("account_disabled", "The account has been disabled.");
    if (user->email_verified_at)
        co_return co_await prove_by_password(c, std::move(*user), std::move(body));
    co_return co_await claim(c, std::move(*user), std::move(body), std::move(from));
}

/** Make the invitee a member. @return why not, if so */
awaitable<std::optional<problem>> admit_invitee(call& c, invitee who, opened invite, trace from)
{
    auto signup =
        from.event("user.signup"); // the earlier of the two, written when the workspace is sure to be there
    auto event = from.event("team.join");
    event.workspace_id = invite.invite.workspace_id;
    event.actor_id = who.user;
    event.target = to_string(who.user);
    event.details = "{\"invite\":\"" + to_string(invite.invite.id) + "\"}";
    db::invites::add_accept(who.work, invite.digest, who.user);
    db::audit::add(who.work, event);
    if (who.is_new) {
        signup.workspace_id = invite.invite.workspace_id;
        signup.actor_id = who.user;
        db::audit::add(who.work, signup);
    }
    if (who.proved) { // after that, so that no request to join the same workspace is settled in another way
        auto joined = from.event("team.join");
        db::users::add_verify_email(who.work, who.user, *who.proved, joined);
    }
    who.what.users.push_back(who.user);
    try {
        co_await c.cx.changes.commit(c.cx.db, std::move(who.work), std::move(who.what));
    } catch (const db::failure& e) {
        if (db::invites::was_member_already(e))
            co_return problem::conflict("already_member", "You are a member of the workspace already.");
        if (e.is_unique_violation("users_email_key"))
            co_return problem::conflict("conflict", "The account has just been made; sign in to it.");
        throw;
    }
    co_return std::nullopt;
}

/** The caller's own session goes on, and leads to the new workspace. */
awaitable<answer<schemas::invite_accepted>> go_on(call& c, db::users::row user, db::uuid workspace)
{
    auto led = co_await lead_session(c, workspace);
    if (!led)
        co_return problem::invalid_token("The credential has been revoked.");
    schemas::invite_accepted out;
    out.access_token = std::move(led->access_token);
    out.expires_in = led->expires_in;
    out.user = to_user(c.cx.config, user);
    out.workspace = std::move(led->workspace);
    out.membership = led->membership;
    co_return out;
}

awaitable<answer<schemas::invite_accepted>> sign_in(call& c, db::users::row user, db::uuid workspace)
{
    auto place = co_await db::memberships::find(c.cx.db, workspace, user.id);
    if (!place)
        co_return problem::invalid_credentials();
    auto membership = to_membership(place->membership);
    db::users::account account{std::move(user), std::move(place)};
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
    co_return out;
}

} // namespace

awaitable<std::variant<schemas::invite_accepted, over, problem>> accept(call& c, schemas::invite_accept body)
{
    auto found = co_await open(c, std::move(body.token.value));
    if (auto end = std::get_if<over>(&found))
        co_return std::move(*end);
    if (auto refused = std::get_if<problem>(&found))
        co_return std::move(*refused);
    auto& invite = std::get<opened>(found);
    auto workspace = invite.invite.workspace_id;
    trace before(c);
    auto identified = co_await identify(c, invite.invite, std::move(body), before);
    if (auto refused = std::get_if<problem>(&identified))
        co_return std::move(*refused);
    auto& who = std::get<invitee>(identified);
    auto id = who.user;
    trace from(c); // with the credential, if one has proved who it is
    bool is_signed_in = who.is_signed_in;
    auto refused = co_await admit_invitee(c, std::move(who), std::move(invite), from);
    if (refused)
        co_return std::move(*refused);

    auto user = co_await db::users::find(c.cx.db, id);
    if (!user)
        co_return problem::spent_token();
    answer<schemas::invite_accepted> out = problem::spent_token();
    if (is_signed_in)
        out = co_await go_on(c, std::move(*user), workspace);
    else
        out = co_await sign_in(c, std::move(*user), workspace);
    if (auto failed = std::get_if<problem>(&out))
        co_return std::move(*failed);
    co_return std::get<schemas::invite_accepted>(std::move(out));
}

} // namespace handlers::acceptances
