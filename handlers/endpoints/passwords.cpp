#include "handlers/endpoints/passwords.hpp"

#include "crypto/encoding.hpp"
#include "db/tables/api_keys.hpp"
#include "db/tables/sessions.hpp"
#include "db/tables/users.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/authn/account_proof.hpp"
#include "handlers/authn/email_token.hpp"
#include "handlers/authn/password_policy.hpp"
#include "handlers/authn/reauthentication.hpp"
#include "handlers/authn/response_floor.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/request_limits.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "handlers/mail/queue_mail.hpp"

#include <boost/json/array.hpp>

namespace handlers::passwords {

using db::one_time_tokens::purpose;

namespace {

constexpr std::size_t max_listed_keys = 50;

/// Notifies the user of a new password: the request's origin, and the keys that stay valid.
void queue_notice(unit_of_work& tx, const call& c, const db::uuid& user,
                  const std::vector<db::api_keys::row>& live_keys)
{
    boost::json::array keys;
    for (auto& key : live_keys)
        if (keys.size() < max_listed_keys)
            keys.push_back({{"prefix", key.prefix}, {"name", key.name}});
    auto variables = request_variables(c, tx.origin());
    variables["keys"] = std::move(keys);
    variables["key_count"] = live_keys.size();
    queue_mail(tx.batch(), c.cx, db::outbox::kind::password_changed, variables, user);
}

} // namespace

awaitable<answer<no_content>> forgot(call& c, schemas::forgotten_password body)
{
    response_floor floor(mail_response_floor);
    if (auto over = co_await count_client(c, rate_limits::mail_address))
        co_return std::move(*over);
    auto user = co_await db::users::find_by_email(c.cx.db, body.email.normalized);
    bool is_due = user && !user->disabled_at;
    if (is_due)
        is_due =
            co_await is_within_limit(c, rate_limits::mail_account, crypto::bytes_of(body.email.normalized));
    if (is_due) {
        unit_of_work tx(c, credential_check::none);
        queue_reset_mail(tx.batch(), c.cx, *user);
        co_await tx.commit_without_invalidation();
    }
    co_await floor.wait();
    co_return no_content();
}

namespace {

/// Sets the password, and ends the sessions, the links and, if asked for, the keys of the old one.
awaitable<void> replace_password(call& c, const db::users::row& user, const email_token& token,
                                 const std::string& hash, bool revokes_keys)
{
    std::vector<db::api_keys::row> live_keys;
    if (!revokes_keys)
        live_keys = co_await db::api_keys::list_live(c.cx.db, user.id);
    db::row_locks locks{.users = {user.id}, .with_join_requests = true};
    unit_of_work tx(c, credential_check::none, std::move(locks));
    auto event = tx.event("password.reset");
    event.actor_id = user.id;
    auto& work = tx.batch();
    db::one_time_tokens::add_consume(work, token.digest, purpose::reset_password);
    db::users::add_set_password(work, user.id, std::string_view(hash));
    db::users::add_verify_email(work, user.id, token.email, db::users::proof::account, tx.event("team.join"));
    db::sessions::add_revoke_all(work, user.id);
    if (revokes_keys)
        db::api_keys::add_revoke_all_of_user(work, user.id);
    db::one_time_tokens::add_revoke(work, user.id);
    queue_notice(tx, c, user.id, live_keys);
    tx.audit(event);
    tx.affects_user(user.id);
    co_await tx.commit();
}

/// Gives the address, with the new password, to a new account.
awaitable<void> replace_account(call& c, const db::users::row& old, const email_token& token,
                                std::string hash)
{
    new_account account;
    account.email = old.email;
    account.email_normalized = schemas::normalize_email(old.email);
    account.password_hash = std::move(hash);
    account.email_verified = true;
    account.workspace_to_join = co_await find_workspace_to_join(c.cx, account.email_normalized);
    unit_of_work tx(c, credential_check::none, locks_of(account, &old));
    auto event = tx.event("password.reset");
    event.actor_id = account.user_id;
    account.signup_agent = describe_agent(tx.origin().agent());
    db::one_time_tokens::add_consume(tx.batch(), token.digest, purpose::reset_password);
    co_await replace_unproved_account(tx, c, old, account);
    queue_notice(tx, c, account.user_id, {});
    tx.audit(event);
    co_await tx.commit();
}

} // namespace

awaitable<answer<no_content>> reset(call& c, schemas::password_reset body)
{
    auto token = co_await find_email_token(c, std::move(body.token.value), purpose::reset_password);
    if (!token)
        co_return problem::of(codes::invalid_token);
    auto user = co_await db::users::find(c.cx.db, token->user_id);
    if (!user || user->disabled_at)
        co_return problem::of(codes::invalid_token);
    bool keeps_account = db::users::is_proved(*user);
    if (!keeps_account) {
        auto known = co_await knows_account(c, *user, std::move(body.current_password));
        if (!known)
            co_return known.error();
        keeps_account = *known;
    }
    auto name = keeps_account ? user->name.value_or("") : std::string();
    auto hash =
        co_await hash_new_password(c.cx, std::move(body.password.value), user->email, std::move(name));
    if (!hash)
        co_return hash.error();
    if (keeps_account)
        co_await replace_password(c, *user, *token, *hash, body.revoke_api_keys.value_or(false));
    else
        co_await replace_account(c, *user, *token, std::move(*hash));
    co_return no_content();
}

awaitable<answer<no_content>> change(call& c, schemas::password_change body)
{
    auto user = co_await load_user(c);
    if (!user)
        co_return user.error();
    auto refused =
        co_await require_reauthentication(c, *user, std::move(body.current_password), "current_password");
    if (refused)
        co_return std::move(*refused);
    auto hash = co_await hash_new_password(c.cx, std::move(body.new_password.value), user->email,
                                           user->name.value_or(""));
    if (!hash)
        co_return hash.error();

    auto live_keys = co_await db::api_keys::list_live(c.cx.db, user->id);
    auto& caller = c.caller();
    db::row_locks locks{.sessions_of = user->id};
    unit_of_work tx(c, *user, credential_check::shared, std::move(locks));
    auto event = tx.event("password.change");
    auto& work = tx.batch();
    db::users::add_set_password(work, user->id, std::string_view(*hash));
    if (caller.kind == db::principal::kind_type::session)
        db::sessions::add_revoke_others(work, user->id, caller.credential_id);
    else
        db::sessions::add_revoke_all(work, user->id);
    for (auto pending : {purpose::reset_password, purpose::change_email})
        db::one_time_tokens::add_revoke(work, user->id, pending);
    queue_notice(tx, c, user->id, live_keys);
    tx.audit(event);
    tx.affects_user(user->id);
    co_await tx.commit();
    co_return no_content();
}

} // namespace handlers::passwords
