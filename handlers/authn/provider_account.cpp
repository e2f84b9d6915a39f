#include "handlers/authn/provider_account.hpp"

#include "crypto/encoding.hpp"
#include "db/postgres/error.hpp"
#include "db/tables/oauth.hpp"
#include "db/tables/users.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/authn/account_proof.hpp"
#include "handlers/authn/new_account.hpp"
#include "handlers/authn/pending_signup.hpp"
#include "handlers/authn/reauthentication.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/request_limits.hpp"
#include "handlers/mail/queue_mail.hpp"

namespace handlers {

namespace {

/// Of a user who gets an identity, or signs in with one.
db::row_locks locks_to_link(const db::uuid& user, bool with_join_requests = false)
{
    return {.users = {user},
            .user_strength = db::lock_strength::update,
            .with_join_requests = with_join_requests};
}

problem changed_concurrently()
{
    return problem::of(codes::conflict, "The account was changed concurrently; sign in again.");
}

/// Commits a transaction with a grant. @return the error, if it fails
awaitable<std::optional<problem>> commit_grant(unit_of_work& tx)
{
    try {
        co_await tx.commit();
    } catch (const db::failure& e) {
        if (db::oauth::was_linked_elsewhere(e))
            co_return problem::of(codes::conflict,
                                  "The account is linked to another account of the provider.");
        if (db::oauth::was_outdated(e) || e.is_unique_violation("users_email_key"))
            co_return changed_concurrently();
        throw;
    }
    co_return std::nullopt;
}

/// An account without a password. It may join a workspace by its domain once the address is proved.
awaitable<new_account> prepare_account(call& c, const provider_login& login)
{
    new_account account;
    account.email = login.email;
    account.email_normalized = schemas::normalize_email(login.email);
    account.name = valid_name(login);
    account.workspace_to_join = co_await find_workspace_to_join(c.cx, account.email_normalized);
    co_return account;
}

/// Signs up a new user with a verified address.
/// @param unproved the account that has the address, and is replaced
awaitable<std::optional<problem>> create_verified_account(call& c, const provider_login& login,
                                                          const db::users::row* unproved)
{
    auto account = co_await prepare_account(c, login);
    account.email_verified = true;
    unit_of_work tx(c, credential_check::none, locks_of(account, unproved));
    account.signup_agent = describe_agent(tx.origin().agent());
    if (unproved)
        co_await replace_unproved_account(tx, c, *unproved, account);
    else
        add_verified_account(tx, account);
    add_grant(tx, c.cx, account.user_id, login);
    co_return co_await commit_grant(tx);
}

/// Signs up a new user as a sign-up with a password does: a link verifies the address.
awaitable<std::optional<problem>> create_unverified_account(call& c, const provider_login& login)
{
    auto account = co_await prepare_account(c, login);
    bool sends_mail =
        co_await is_within_limit(c, rate_limits::signup_account, signup_bucket(c, account.email_normalized));
    if (c.cx.config.verification_required) {
        if (sends_mail)
            co_await add_pending_signup(c, account, seal_pending_login(c.cx, login));
        co_return problem::of(codes::email_not_verified,
                              "Open the link that was emailed to you, and then sign in again.");
    }
    unit_of_work tx(c, credential_check::none);
    account.signup_agent = describe_agent(tx.origin().agent());
    auto signup = tx.event("user.signup");
    signup.actor_id = account.user_id;
    signup.workspace_id = owned_workspace(account);
    add_account(tx.batch(), account);
    if (sends_mail)
        queue_verification_mail(tx.batch(), c.cx, account.user_id, account.email);
    add_grant(tx, c.cx, account.user_id, login);
    tx.audit(signup);
    tx.affects_user(account.user_id);
    co_return co_await commit_grant(tx);
}

/// Adds the link, its audit event and the notice to the owner, and commits.
awaitable<std::optional<problem>> commit_link(call& c, unit_of_work& tx, const db::users::row& user,
                                              const provider_login& login)
{
    auto event = tx.event("oauth.link", std::string(provider_id));
    event.actor_id = user.id;
    auto variables = request_variables(c, tx.origin());
    variables["provider"] = provider_name(login.issuer);
    tx.affects_user(user.id);
    add_grant(tx, c.cx, user.id, login);
    queue_mail(tx.batch(), c.cx, db::outbox::kind::provider_linked, variables, user.id);
    tx.audit(event);
    co_return co_await commit_grant(tx);
}

/// Links the proved account with an address that the provider is authoritative for.
awaitable<std::optional<problem>> link_account(call& c, const db::users::row& user,
                                               const provider_login& login)
{
    unit_of_work tx(c, credential_check::none, locks_to_link(user.id));
    co_return co_await commit_link(c, tx, user, login);
}

/// Links the account of the request's session, which is checked once more in the transaction.
awaitable<std::optional<problem>> link_to_session(call& c, const db::users::row& user,
                                                  const provider_login& login, bool is_proof)
{
    auto refused = co_await authorize(c, allow_unverified);
    if (refused)
        co_return refused;
    if (!is_proof) {
        bool is_fresh = co_await has_fresh_session(c);
        if (!is_fresh)
            co_return problem::of(codes::reauthentication_required);
    }
    unit_of_work tx(c, user, credential_check::shared, locks_to_link(user.id, is_proof));
    if (is_proof) {
        auto verified = tx.event("user.verify_email");
        verified.actor_id = user.id;
        db::users::add_verify_email(tx.batch(), user.id, user.email, db::users::proof::account,
                                    tx.event("team.join"));
        tx.audit(verified);
    }
    co_return co_await commit_link(c, tx, user, login);
}

/// Records a sign-in through an existing grant, with the provider's new tokens.
awaitable<std::optional<problem>> renew_grant(call& c, const db::uuid& user, const provider_login& login)
{
    unit_of_work tx(c, credential_check::none, locks_to_link(user));
    add_grant(tx, c.cx, user, login);
    co_return co_await commit_grant(tx);
}

address_owner state_of(const std::optional<db::users::row>& user)
{
    if (!user)
        return address_owner::none;
    return db::users::is_proved(*user) ? address_owner::proved : address_owner::unproved;
}

/// Whether a sign-in may lead to an account. @param user nothing for one that is still to be created
bool is_expected(const expected_account& expected, const std::optional<db::uuid>& user,
                 std::string_view email)
{
    if (expected.user && expected.user != user)
        return false;
    return expected.email.empty() || schemas::normalize_email(email) == expected.email;
}

/// Links an identity for the first time.
awaitable<std::optional<problem>> add_identity(call& c, const provider_login& login,
                                               const expected_account& expected)
{
    if (login.email.empty())
        co_return problem::of(codes::email_not_verified);
    auto user = co_await db::users::find_by_email(c.cx.db, schemas::normalize_email(login.email));
    if (user && user->disabled_at)
        co_return problem::of(codes::account_disabled);
    if (!is_expected(expected, user ? std::optional(user->id) : std::nullopt, login.email))
        co_return problem::of(codes::wrong_account);
    bool has_session = false;
    if (user) {
        auto known = co_await knows_account(c, *user, std::nullopt);
        has_session = known && *known;
    }
    bool is_trusted = is_authoritative(identity_of(login), c.cx.config.authoritative_domains);
    switch (next_step(is_trusted, state_of(user), has_session)) {
    case identity_step::create_verified_account:
        co_return co_await create_verified_account(c, login, nullptr);
    case identity_step::create_unverified_account:
        co_return co_await create_unverified_account(c, login);
    case identity_step::replace_account:
        if (user->id == expected.user || user->id == expected.signed_in)
            break; // who is signed in links it deliberately
        co_return co_await create_verified_account(c, login, &*user);
    case identity_step::link:
        co_return co_await link_account(c, *user, login);
    case identity_step::link_and_prove:
        co_return co_await link_to_session(c, *user, login, true);
    case identity_step::link_to_session:
        co_return co_await link_to_session(c, *user, login, false);
    case identity_step::require_link:
        break;
    }
    co_return problem::of(codes::link_required);
}

} // namespace

awaitable<result<db::users::account>> find_or_create_account(call& c, provider_login login,
                                                             expected_account expected)
{
    auto account = co_await db::oauth::find_account(c.cx.db, login.issuer, login.subject);
    if (account && account->user.disabled_at)
        co_return problem::of(codes::account_disabled);
    if (account && !is_expected(expected, account->user.id, account->user.email))
        co_return problem::of(codes::wrong_account);
    std::optional<problem> refused;
    if (account)
        refused = co_await renew_grant(c, account->user.id, login);
    else
        refused = co_await add_identity(c, login, expected);
    if (refused)
        co_return std::move(*refused);
    if (!account)
        account = co_await db::oauth::find_account(c.cx.db, login.issuer, login.subject);
    if (!account)
        co_return changed_concurrently();
    co_return std::move(*account);
}

} // namespace handlers
