#include "handlers/endpoints/accounts.hpp"

#include "crypto/encoding.hpp"
#include "db/postgres/error.hpp"
#include "db/postgres/pool.hpp"
#include "db/tables/users.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/authn/account_proof.hpp"
#include "handlers/authn/login_attempt.hpp"
#include "handlers/authn/new_account.hpp"
#include "handlers/authn/password_policy.hpp"
#include "handlers/authn/pending_signup.hpp"
#include "handlers/authn/response_floor.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/authn/session_tokens.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/request_limits.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "handlers/to_schema.hpp"

namespace handlers::accounts {

namespace {

/// A sign-up before its transaction.
struct signup_input {
    new_account account;
    /// False: the address has received too many emails.
    bool sends_mail = true;
};

/// Hashes the password, and looks up the workspace that the address refers to.
awaitable<result<signup_input>> prepare_signup(call& c, schemas::signup body)
{
    signup_input out;
    auto& account = out.account;
    account.email = std::move(body.email.text);
    account.email_normalized = std::move(body.email.normalized);
    if (body.name)
        account.name = std::move(body.name->value);
    if (body.workspace_name)
        account.workspace_name = std::move(body.workspace_name->value);
    auto hash = co_await hash_new_password(c.cx, std::move(body.password.value), account.email,
                                           account.name.value_or(""));
    if (!hash)
        co_return hash.error();
    account.password_hash = std::move(*hash);
    out.sends_mail =
        co_await is_within_limit(c, rate_limits::signup_account, signup_bucket(c, account.email_normalized));

    account.workspace_to_join = co_await find_workspace_to_join(c.cx, account.email_normalized);
    co_return std::move(out);
}

/// Commits a sign-up. @return nothing if a concurrent one has taken the address
awaitable<std::optional<db::results>> commit_signup(unit_of_work& tx)
{
    try {
        co_return co_await tx.commit_new_session();
    } catch (const db::failure& e) {
        if (!e.is_unique_violation("users_email_key"))
            throw;
    }
    co_return std::nullopt;
}

db::audit::entry signup_event(const unit_of_work& tx, const new_account& account)
{
    auto event = tx.event("user.signup");
    event.workspace_id = owned_workspace(account);
    event.actor_id = account.user_id;
    return event;
}

/// Inserts the account, with a session for it.
awaitable<signup_outcome> sign_up_and_in(call& c, signup_input input)
{
    auto& account = input.account;
    auto replaced = co_await find_replaced_session(c);
    auto locks = locks_of(account, nullptr);
    add_locks_of(replaced, locks);
    unit_of_work tx(c, credential_check::none, std::move(locks));
    new_session session;
    auto draft = make_draft(session, c, tx.origin(), account.user_id);
    draft.workspace_id = owned_workspace(account);
    auto event = signup_event(tx, account);
    event.credential_id = session.id;

    account.signup_agent = describe_agent(tx.origin().agent());
    auto at = tx.batch().size();
    add_account(tx.batch(), account);
    if (draft.workspace_id)
        db::users::add_set_last_workspace(tx.batch(), account.user_id, *draft.workspace_id);
    db::sessions::add_insert(tx.batch(), draft);
    record_device(tx, c, account.user_id);
    if (input.sends_mail)
        queue_verification_mail(tx.batch(), c.cx, account.user_id, account.email);
    tx.audit(event);
    end_replaced_session(tx, replaced);
    auto rows = co_await commit_signup(tx);
    if (!rows)
        co_return problem::of(codes::email_taken);

    schemas::signup_result out;
    out.user = to_user(c.cx.config, (*rows)[at].as_one<db::users::row>());
    std::optional<token_workspace> workspace;
    if (draft.workspace_id) {
        auto membership = (*rows)[at + 2].as_one<db::memberships::row>();
        out.workspace = to_workspace((*rows)[at + 1].as_one<db::workspaces::row>());
        out.membership = to_membership(membership);
        workspace = token_workspace{*draft.workspace_id, membership.membership_id, membership.role};
    }
    if (!c.new_cookie)
        issue_tokens(c.cx, {account.user_id, session.id, workspace, draft.expires_at, 0, session.salt}, out);
    co_return out;
}

/// Notifies the owner of an address of a sign-up with it.
awaitable<void> warn_owner(call& c, db::uuid owner)
{
    unit_of_work tx(c, credential_check::none);
    auto variables = request_variables(c, tx.origin());
    queue_mail(tx.batch(), c.cx, db::outbox::kind::address_taken, variables, owner);
    co_await tx.commit_without_invalidation();
}

/// Signs up where the address has to be verified first. The response is the same if a verified account has
/// it; its owner gets an email. An unverified account is no obstacle: the proof of the address decides.
awaitable<void> sign_up_pending(call& c, signup_input input)
{
    if (!input.sends_mail)
        co_return;
    auto owner = co_await db::users::find_by_email(c.cx.db, input.account.email_normalized);
    if (!owner || (!owner->email_verified_at && !owner->disabled_at))
        co_await add_pending_signup(c, input.account);
    else if (!owner->disabled_at)
        co_await warn_owner(c, owner->id);
}

} // namespace

awaitable<signup_outcome> signup(call& c, schemas::signup body)
{
    response_floor floor(mail_response_floor);
    if (auto over = co_await count_client(c, rate_limits::signup_address))
        co_return std::move(*over);
    auto input = co_await prepare_signup(c, std::move(body));
    if (!input)
        co_return input.error();
    if (!c.cx.config.verification_required)
        co_return co_await sign_up_and_in(c, std::move(*input));
    co_await sign_up_pending(c, std::move(*input));
    co_await floor.wait();
    co_return accepted();
}

awaitable<answer<schemas::login_result>> login(call& c, schemas::login body)
{
    response_floor floor(login_failure_floor);
    login_attempt attempt(c, body.email.normalized);
    auto over = co_await attempt.count();
    if (over)
        co_return std::move(*over);

    auto account = co_await db::users::find_for_login(c.cx.db, body.email.normalized);
    std::string hash = account ? account->user.password_hash.value_or("") : ""; // empty: a dummy is hashed
    auto owner = account ? std::optional(account->user.id) : std::nullopt;
    auto matches = co_await attempt.check(std::move(body.password), owner, std::move(hash));
    if (!matches)
        co_return matches.error();
    if (!*matches || !account) {
        co_await floor.wait();
        co_return problem::of(codes::invalid_credentials);
    }
    if (auto refused = check_account(c.cx.config, account->user))
        co_return std::move(*refused);
    co_return co_await open_session(c, std::move(*account));
}

} // namespace handlers::accounts
