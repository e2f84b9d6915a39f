#include "handlers/authn/invitee.hpp"

#include "crypto/random.hpp"
#include "db/tables/users.hpp"
#include "handlers/authn/account_proof.hpp"
#include "handlers/authn/login_attempt.hpp"
#include "handlers/authn/password_policy.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/http/authenticate.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/mail/queue_mail.hpp"

#include <utility>

namespace handlers {

namespace {

/// What the acceptance locks. FOR SHARE, so that a removal from the workspace waits.
db::row_locks locks_to_accept(const db::invites::preview& invite)
{
    return {.workspaces = {invite.workspace_id},
            .workspace_strength = db::lock_strength::share,
            .with_join_requests = true};
}

/// The owner of the session that the request is authorized by.
awaitable<result<invitee>> authenticate_by_session(call& c, const db::invites::preview& invite)
{
    auto refused = co_await authorize(c, allow_unverified);
    if (refused)
        co_return std::move(*refused);
    if (c.caller().kind != db::principal::kind_type::session)
        co_return problem::of(codes::forbidden,
                              "Only a signed-in user can accept an invite, not an API key.");
    auto user = co_await load_user(c);
    if (!user)
        co_return user.error();
    if (schemas::normalize_email(user->email) != invite.email_normalized)
        co_return problem::of(codes::wrong_account);
    invitee out{unit_of_work(c, *user, credential_check::shared, locks_to_accept(invite)), user->id};
    out.has_session = true;
    if (!db::users::is_proved(*user))
        out.verified_email = std::move(user->email);
    co_return std::move(out);
}

/// The hash of a password that becomes the account's.
awaitable<result<std::string>> hash_chosen_password(call& c, std::optional<schemas::existing_password> chosen,
                                                    std::string email, std::string name)
{
    if (!chosen)
        co_return problem::invalid_field("body", "password", "Field required", "missing");
    schemas::validation_errors errors;
    schemas::path body("body");
    auto password = schemas::new_password::read(chosen->value, schemas::path(body, "password"), errors);
    if (!password)
        co_return problem::validation_error(errors.take());
    co_return co_await hash_new_password(c.cx, std::move(password->value), std::move(email), std::move(name));
}

/// A new account with the invite's address and no workspace of its own.
awaitable<result<invitee>> create_account(call& c, const db::invites::preview& invite,
                                          schemas::invite_accept body)
{
    std::optional<std::string> name;
    if (body.name)
        name = std::move(body.name->value);
    auto hash = co_await hash_chosen_password(c, std::move(body.password), invite.email, name.value_or(""));
    if (!hash)
        co_return hash.error();
    invitee out{unit_of_work(c, credential_check::none, locks_to_accept(invite)), crypto::make_uuid_v7()};
    out.is_new = true;
    db::users::draft user;
    user.id = out.user_id;
    user.email = invite.email;
    user.email_normalized = invite.email_normalized;
    user.password_hash = *hash;
    user.name = name;
    user.email_verified = true;
    db::users::add_insert(out.tx.batch(), user);
    co_return std::move(out);
}

/// The owner of a verified account, by its password.
awaitable<result<invitee>> authenticate_by_password(call& c, const db::invites::preview& invite,
                                                    db::users::row user, schemas::invite_accept body)
{
    if (!body.password)
        co_return problem::of(
            codes::unauthorized,
            "An account with this email address exists: sign in to it, or send its password.");
    login_attempt attempt(c, schemas::normalize_email(user.email));
    auto over = co_await attempt.count();
    if (over)
        co_return std::move(*over);
    auto hash = user.password_hash.value_or("");
    auto matches = co_await attempt.check(std::move(*body.password), user.id, std::move(hash));
    if (!matches)
        co_return matches.error();
    if (!*matches)
        co_return problem::of(codes::invalid_credentials);
    if (auto refused = check_account(c.cx.config, user))
        co_return std::move(*refused);
    co_return invitee{unit_of_work(c, user, credential_check::none, locks_to_accept(invite)), user.id};
}

/// Whether the password in the body is the account's. A missing one is not counted as a failed attempt.
awaitable<result<bool>> knows_password(call& c, const db::users::row& user,
                                       const schemas::invite_accept& body)
{
    if (!body.password || !user.password_hash)
        co_return false;
    login_attempt attempt(c, schemas::normalize_email(user.email));
    auto over = co_await attempt.count();
    if (over)
        co_return std::move(*over);
    // A failure is not written to the audit log of another person's account.
    co_return co_await attempt.check(*body.password, std::nullopt, *user.password_hash);
}

/** The owner of the address of an unproved account. With the account's password they keep all of it. Without
    it, they choose a password for a new account, and the old one is retired (account pre-hijacking). */
awaitable<result<invitee>> authenticate_by_link(call& c, const db::invites::preview& invite,
                                                db::users::row user, schemas::invite_accept body)
{
    auto is_owner = co_await knows_password(c, user, body);
    if (!is_owner)
        co_return is_owner.error();
    if (*is_owner) {
        invitee out{unit_of_work(c, user, credential_check::none, locks_to_accept(invite)), user.id};
        out.verified_email = std::move(user.email);
        co_return std::move(out);
    }

    std::string name = body.name ? body.name->value : std::string();
    auto hash = co_await hash_chosen_password(c, std::move(body.password), user.email, name);
    if (!hash)
        co_return hash.error();
    new_account account;
    account.email = user.email;
    account.email_normalized = schemas::normalize_email(user.email);
    account.password_hash = std::move(*hash);
    account.email_verified = true;
    if (body.name)
        account.name = std::move(body.name->value);
    auto locks = locks_to_accept(invite);
    locks.users.push_back(user.id);
    locks.user_strength = db::lock_strength::update;
    invitee out{unit_of_work(c, credential_check::none, std::move(locks)), account.user_id};
    account.signup_agent = describe_agent(out.tx.origin().agent());
    co_await replace_unproved_account(out.tx, c, user, account);
    co_return std::move(out);
}

} // namespace

awaitable<result<invitee>> authenticate_invitee(call& c, const db::invites::preview& invite,
                                                schemas::invite_accept body)
{
    auto token = read_bearer_token(c);
    if (!token || !token->empty()) // a malformed one is refused
        co_return co_await authenticate_by_session(c, invite);
    auto user = co_await db::users::find_by_email(c.cx.db, invite.email_normalized);
    if (!user)
        co_return co_await create_account(c, invite, std::move(body));
    if (user->disabled_at)
        co_return problem::of(codes::account_disabled);
    if (db::users::is_proved(*user))
        co_return co_await authenticate_by_password(c, invite, std::move(*user), std::move(body));
    co_return co_await authenticate_by_link(c, invite, std::move(*user), std::move(body));
}

} // namespace handlers
