#include "handlers/endpoints/email_address.hpp"

#include "crypto/encoding.hpp"
#include "db/tables/oauth.hpp"
#include "db/tables/users.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/authn/account_proof.hpp"
#include "handlers/authn/email_token.hpp"
#include "handlers/authn/pending_signup.hpp"
#include "handlers/authn/provider_login.hpp"
#include "handlers/authn/reauthentication.hpp"
#include "handlers/authn/response_floor.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/request_limits.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "handlers/mail/queue_mail.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace handlers::email_address {

using db::one_time_tokens::purpose;

namespace {

schemas::verified_email to_verified(const db::users::row& user)
{
    schemas::verified_email out;
    out.email = user.email;
    return out;
}

/// The sign-in through a provider that the body refers to, if any. Consumes its code.
awaitable<result<std::optional<provider_login>>> take_provider_proof(call& c,
                                                                     const schemas::email_verification& body)
{
    if (!body.provider_code)
        co_return std::optional<provider_login>();
    auto verifier = body.code_verifier ? body.code_verifier->value : std::string();
    auto login = co_await take_login(c, body.provider_code->value, std::move(verifier));
    if (!login)
        co_return problem::of(codes::invalid_token, "The sign-in with the provider has expired; try again.");
    co_return std::move(login);
}

/// Whether the request comes from the person who made the account: knows_account(), or a sign-in with an
/// identity that is linked to it.
awaitable<result<bool>> is_maker(call& c, const db::users::row& user,
                                 std::optional<schemas::existing_password> password,
                                 const std::optional<provider_login>& login)
{
    if (!login)
        co_return co_await knows_account(c, user, std::move(password));
    auto linked = co_await db::oauth::find_account(c.cx.db, login->issuer, login->subject);
    if (linked && linked->user.id == user.id)
        co_return true;
    co_return problem::of(codes::invalid_credentials.with_status(403), std::string(other_identity));
}

/// The caller of a route that is open to anyone, from an optional credential.
awaitable<result<db::users::row>> load_optional_caller(call& c)
{
    auto refused = co_await authorize(c, allow_unverified);
    if (refused)
        co_return std::move(*refused);
    co_return co_await load_user(c);
}

} // namespace

awaitable<answer<schemas::verified_email>> verify(call& c, schemas::email_verification body)
{
    auto proof = co_await take_provider_proof(c, body);
    if (!proof)
        co_return proof.error();
    auto token = co_await find_email_token(c, body.token.value, purpose::verify_email);
    if (!token) {
        auto completed =
            co_await complete_pending_signup(c, body.token.value, std::move(body.password), *proof);
        if (!completed)
            co_return completed.error();
        schemas::verified_email out;
        out.email = std::move(*completed);
        co_return out;
    }
    auto user = co_await db::users::find(c.cx.db, token->user_id);
    if (!user || user->disabled_at)
        co_return problem::of(codes::invalid_token);
    auto known = co_await is_maker(c, *user, std::move(body.password), *proof);
    if (!known)
        co_return known.error();

    db::row_locks locks{.users = {user->id}, .with_join_requests = true};
    unit_of_work tx(c, credential_check::none, std::move(locks));
    auto event = tx.event("user.verify_email");
    event.actor_id = user->id;
    auto& work = tx.batch();
    db::one_time_tokens::add_consume(work, token->digest, purpose::verify_email);
    auto verified_at = work.size();
    db::users::add_verify_email(work, user->id, token->email,
                                *known ? db::users::proof::account : db::users::proof::link,
                                tx.event("team.join"));
    tx.audit(event);
    tx.affects_user(user->id);
    auto rows = co_await tx.commit();
    auto verified = rows[verified_at].as_optional<db::users::row>();
    if (!verified) // disabled, or has another address by now
        co_return problem::of(codes::invalid_token);
    co_return to_verified(*verified);
}

awaitable<answer<no_content>> disown(call& c, schemas::email_token body)
{
    auto token = co_await find_email_token(c, body.token.value, purpose::verify_email);
    if (!token) {
        auto removed = co_await remove_pending_signup(c, body.token.value);
        if (!removed)
            co_return problem::of(codes::invalid_token);
        co_return no_content();
    }
    db::row_locks locks{.users = {token->user_id}, .user_strength = db::lock_strength::update};
    unit_of_work tx(c, credential_check::none, std::move(locks));
    tx.affects(co_await db::users::affected_by(c.cx.db, token->user_id));
    db::one_time_tokens::add_consume(tx.batch(), token->digest, purpose::verify_email);
    db::users::add_retire(tx.batch(), token->user_id);
    tx.audit("user.disown_email", to_string(token->user_id));
    co_await tx.commit();
    co_return no_content();
}

awaitable<answer<no_content>> resend(call& c, std::optional<schemas::resend_verification> body)
{
    response_floor floor(mail_response_floor);
    std::optional<db::users::row> user;
    std::vector<db::pending_signups::row> signups;
    std::string email;
    if (body && body->email) {
        if (auto over = co_await count_client(c, rate_limits::mail_address))
            co_return std::move(*over);
        email = body->email->normalized;
        user = co_await db::users::find_by_email(c.cx.db, email);
        signups = co_await db::pending_signups::find_recent(c.cx.db, email);
    } else {
        auto caller = co_await load_optional_caller(c);
        if (!caller)
            co_return caller.error();
        user = std::move(*caller);
        email = schemas::normalize_email(user->email);
    }
    bool is_due = (user && !db::users::is_proved(*user) && !user->disabled_at) || !signups.empty();
    if (is_due)
        is_due = co_await is_within_limit(c, rate_limits::mail_account, crypto::bytes_of(email));
    if (is_due) {
        // The client knows which of them it made, but the server does not.
        for (auto& signup : signups)
            co_await resend_pending_signup(c, signup);
        if (signups.empty()) {
            unit_of_work tx(c, credential_check::none);
            queue_verification_mail(tx.batch(), c.cx, user->id, user->email);
            co_await tx.commit_without_invalidation();
        }
    }
    co_await floor.wait();
    co_return no_content();
}

awaitable<answer<no_content>> change(call& c, schemas::email_change body)
{
    // Authenticate the caller once more, and check the new address.
    response_floor floor(mail_response_floor);
    auto user = co_await load_user(c);
    if (!user)
        co_return user.error();
    std::span<const std::uint8_t> user_id(user->id.begin(), user->id.size());
    if (auto over = co_await count_request(c, rate_limits::email_change_account, user_id))
        co_return std::move(*over);
    auto refused = co_await require_reauthentication(c, *user, std::move(body.password), "password");
    if (refused)
        co_return std::move(*refused);
    auto& [new_email, normalized] = body.new_email;
    if (new_email == user->email) // another spelling of it, such as other capitals, may be chosen
        co_return problem::invalid_field("body", "new_email", "is already the account's email address");

    // Decide which email the new address gets.
    auto owner = co_await db::users::find_by_email(c.cx.db, normalized);
    bool is_taken = owner && db::users::is_proved(*owner) && owner->id != user->id;
    bool sends_mail =
        co_await is_within_limit(c, rate_limits::email_change_target, crypto::bytes_of(normalized));
    unit_of_work tx(c, *user);
    auto event = tx.event("user.change_email", to_string(user->id));
    auto variables = request_variables(c, tx.origin());
    auto& work = tx.batch();
    db::one_time_tokens::add_revoke(work, user->id, purpose::change_email);
    if (sends_mail && is_taken)
        queue_mail(work, c.cx, db::outbox::kind::address_taken, variables, owner->id);
    else if (sends_mail)
        queue_email_change_mail(work, c.cx, user->id, new_email);
    variables["new_email"] = new_email;
    queue_mail(work, c.cx, db::outbox::kind::email_change_notice, variables, user->id);
    tx.audit(event);
    co_await tx.commit_without_invalidation();
    co_await floor.wait();
    co_return no_content();
}

awaitable<answer<schemas::verified_email>> confirm_change(call& c, schemas::email_verification body)
{
    auto proof = co_await take_provider_proof(c, body);
    if (!proof)
        co_return proof.error();
    auto token = co_await find_email_token(c, std::move(body.token.value), purpose::change_email);
    if (!token)
        co_return problem::of(codes::invalid_token);
    auto normalized = schemas::normalize_email(token->email);
    auto owner = co_await db::users::find_by_email(c.cx.db, normalized);
    auto user = co_await db::users::find(c.cx.db, token->user_id);
    if (!user || user->disabled_at)
        co_return problem::of(codes::invalid_token);
    auto known = co_await is_maker(c, *user, std::move(body.password), *proof);
    if (!known)
        co_return known.error();
    auto by = *known ? db::users::proof::account : db::users::proof::link;

    db::row_locks locks{.users = {user->id}, .user_strength = db::lock_strength::update};
    if (owner)
        locks.users.push_back(owner->id);
    unit_of_work tx(c, credential_check::none, std::move(locks));
    auto event = tx.event("user.confirm_email");
    event.actor_id = user->id;
    auto variables = request_variables(c, tx.origin());
    variables["new_email"] = token->email;
    variables["done"] = true;
    auto& work = tx.batch();
    db::one_time_tokens::add_consume(work, token->digest, purpose::change_email);
    if (owner && owner->id != user->id) {
        // Another account has the address. The stronger proof gets it, and of two by the link the older one.
        bool keeps_it = db::users::is_proved(*owner) || owner->disabled_at ||
                        (owner->email_verified_at && by == db::users::proof::link);
        if (keeps_it)
            co_return problem::of(codes::email_taken);
        tx.affects(co_await db::users::affected_by(c.cx.db, owner->id));
        db::users::add_retire(work, owner->id);
    }
    tx.affects_user(user->id);
    // Before the change: the notice goes to the old address, if that was verified.
    queue_mail(work, c.cx, db::outbox::kind::email_change_notice, variables, user->id);
    auto changed_at = work.size();
    db::users::add_change_email(work, user->id, token->email, normalized, by);
    db::one_time_tokens::add_revoke(work, user->id);
    tx.audit(event);
    try {
        auto rows = co_await tx.commit();
        auto changed = rows[changed_at].as_optional<db::users::row>();
        if (!changed)
            co_return problem::of(codes::invalid_token);
        co_return to_verified(*changed);
    } catch (const db::failure& e) {
        if (e.is_unique_violation("users_email_key"))
            co_return problem::of(codes::email_taken);
        throw;
    }
}

} // namespace handlers::email_address
