#include "handlers/endpoints/accounts.hpp"

#include "crypto/encoding.hpp"
#include "crypto/password.hpp"
#include "db/tables/users.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/authn/login_attempt.hpp"
#include "handlers/authn/new_account.hpp"
#include "handlers/authn/password_policy.hpp"
#include "handlers/authn/response_floor.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/authn/session_tokens.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "handlers/to_schema.hpp"

namespace handlers::accounts {

namespace {

/** Bring the stored hash to today's costs. Should that fail, the next login will do it. */
awaitable<void> upgrade_hash(call& c, db::uuid user, std::string password, std::string old_hash)
{
    try {
        auto hash = co_await c.cx.hashers.hash(std::move(password));
        co_await db::users::update_password_hash(c.cx.db, user, std::move(old_hash), std::move(hash));
    } catch (const crypto::overloaded&) {
    } catch (const db::failure&) {
    }
}

/** A sign-up on its way. */
struct arrival {
    newcomer who;
    std::optional<db::uuid> evicted; ///< the account that has not verified the same address: it makes room
    bool gets_mail = true;           ///< not if the address has had too many
};

bool was_taken(const db::failure& error)
{
    return error.is_unique_violation("users_email_key");
}

/** The account that makes room, if one has to, then the newcomer: an answer of the first only if so. */
db::batch begin_signup(const arrival& at)
{
    db::batch work;
    if (at.evicted)
        db::users::add_vacate(work, *at.evicted);
    add_newcomer(work, at.who);
    return work;
}

awaitable<db::results> commit_signup(call& c, const arrival& at, db::batch work)
{
    if (!at.evicted)
        co_return co_await c.cx.db.run(std::move(work));
    auto what = co_await db::users::reach_of(c.cx.db, *at.evicted);
    auto ended = [id = *at.evicted, most = what](const db::results& answers) {
        auto done = db::users::reach_of(id, answers.first());
        done.workspaces.insert(done.workspaces.end(), most.workspaces.begin(), most.workspaces.end());
        return done;
    };
    co_return co_await c.cx.changes.commit(c.cx.db, std::move(work), std::move(what), std::move(ended));
}

/** Tell whom an address belongs to that somebody tried to sign up with it. */
awaitable<void> warn_owner(call& c, db::uuid owner)
{
    trace from(c);
    db::batch work;
    db::outbox::add_to_user(work, make_letter(c.cx, db::outbox::kind::address_taken, facts_of(c, from)),
                            owner);
    co_await c.cx.db.run(std::move(work));
}

db::audit::entry signup_event(const trace& from, const newcomer& who)
{
    auto event = from.event("user.signup");
    event.workspace_id = own_workspace(who);
    event.actor_id = who.user;
    return event;
}

/** Where an account may do nothing before its address is verified. @return false if the address is taken */
awaitable<bool> sign_up_unseen(call& c, arrival at)
{
    trace from(c);
    auto work = begin_signup(at);
    if (at.gets_mail)
        add_verification(work, c.cx, at.who.user, at.who.email);
    db::audit::add(work, signup_event(from, at.who));
    try {
        co_await commit_signup(c, at, std::move(work));
    } catch (const db::failure& e) {
        if (was_taken(e))
            co_return false;
        throw;
    }
    co_return true;
}

awaitable<signup_outcome> sign_up_and_in(call& c, arrival at)
{
    trace from(c);
    opening session;
    auto& who = at.who;
    auto draft = draft_of(session, c, from, who.user);
    draft.workspace_id = own_workspace(who);
    auto event = signup_event(from, who);
    event.credential_id = session.id;

    auto work = begin_signup(at);
    if (draft.workspace_id)
        db::users::add_set_last_workspace(work, who.user, *draft.workspace_id);
    db::sessions::add_insert(work, draft);
    add_device(work, c, from, who.user);
    if (at.gets_mail)
        add_verification(work, c.cx, who.user, who.email);
    db::audit::add(work, event);
    db::results made;
    try {
        made = co_await commit_signup(c, at, std::move(work));
    } catch (const db::failure& e) {
        if (was_taken(e))
            co_return problem::conflict("email_taken", "There is an account with this address.");
        throw;
    }

    std::size_t first = at.evicted ? 1 : 0;
    schemas::signup_result out;
    out.user = to_user(c.cx.config, made[first].as_one<db::users::row>());
    std::optional<db::role> role;
    if (draft.workspace_id) {
        out.workspace = to_workspace(made[first + 1].as_one<db::workspaces::row>());
        out.membership = to_membership(made[first + 2].as_one<db::memberships::row>());
        role = db::role::admin;
    }
    issue_tokens(c.cx, {who.user, session.id, draft.workspace_id, role, 0, session.salt}, out);
    co_return out;
}

} // namespace

awaitable<signup_outcome> signup(call& c, schemas::signup body)
{
    beat pace(mail_beat);
    if (auto over = count(c, limits::signup_address, address_bucket(c.req.client)))
        co_return std::move(*over);
    arrival at;
    at.who.email = std::move(body.email.text);
    at.who.email_normalized = std::move(body.email.normalized);
    if (body.name)
        at.who.name = std::move(body.name->value);
    if (body.workspace_name)
        at.who.workspace_name = std::move(body.workspace_name->value);
    auto hashed = co_await hash_new_password(c.cx, std::move(body.password.value), at.who.email,
                                             at.who.name.value_or(""));
    if (auto weak = std::get_if<problem>(&hashed))
        co_return std::move(*weak);
    at.who.password_hash = std::move(std::get<std::string>(hashed));
    at.gets_mail = !count(c, limits::signup_account, crypto::bytes_of(at.who.email_normalized));

    auto email = at.who.email_normalized;
    auto known = co_await db::users::find_by_email(c.cx.db, email);
    bool taken = known && (known->email_verified_at || known->disabled_at);
    if (known && !taken)
        at.evicted = known->id;
    at.who.workspace_to_join = co_await find_workspace_to_join(c.cx, email);
    if (!c.cx.config.verification_required)
        co_return co_await sign_up_and_in(c, std::move(at));

    bool gets_mail = at.gets_mail;
    if (!taken)
        taken = !co_await sign_up_unseen(c, std::move(at));
    if (taken) {
        auto owner = co_await db::users::find_by_email(c.cx.db, std::move(email));
        if (owner && gets_mail && !owner->disabled_at)
            co_await warn_owner(c, owner->id);
    }
    co_await pace.next();
    co_return accepted();
}

awaitable<answer<schemas::login_result>> login(call& c, schemas::login body)
{
    beat pace(refusal_beat);
    guess attempt(c, body.email.normalized);
    if (auto over = attempt.count())
        co_return std::move(*over);

    auto account = co_await db::users::find_for_login(c.cx.db, body.email.normalized);
    std::string hash = account ? account->user.password_hash.value_or("") : ""; // empty: a dummy is hashed
    bool good = co_await c.cx.hashers.verify(body.password.value, hash);
    if (!good || !account) {
        attempt.is_wrong();
        co_await pace.next();
        co_return problem::invalid_credentials();
    }
    if (auto refused = check_account(c.cx.config, account->user))
        co_return std::move(*refused);
    if (crypto::needs_rehash(hash, c.cx.config.password_costs))
        co_await upgrade_hash(c, account->user.id, std::move(body.password.value), std::move(hash));
    co_return co_await open_session(c, std::move(*account));
}

} // namespace handlers::accounts
