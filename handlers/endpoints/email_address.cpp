#include "handlers/endpoints/email_address.hpp"

#include "crypto/encoding.hpp"
#include "db/tables/credential_checks.hpp"
#include "db/tables/users.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/authn/email_token.hpp"
#include "handlers/authn/reauthentication.hpp"
#include "handlers/authn/response_floor.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/mail/queue_mail.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace handlers::emails {

using db::one_time_tokens::purpose;

namespace {

schemas::verified_email to_verified(const db::users::row& user)
{
    schemas::verified_email out;
    out.email = user.email;
    return out;
}

/** The caller, who is a person and whose credential is good, where a route is for anyone. */
awaitable<std::variant<db::users::row, problem>> find_caller(call& c)
{
    auto refused = co_await admit(c, even_unverified);
    if (refused)
        co_return std::move(*refused);
    co_return co_await load_person(c);
}

} // namespace

awaitable<answer<schemas::verified_email>> verify(call& c, schemas::mailed_token body)
{
    auto token = co_await find_mailed_token(c, std::move(body.token.value), purpose::verify_email);
    if (!token)
        co_return problem::spent_token();
    trace from(c);
    auto event = from.event("user.verify_email");
    event.actor_id = token->user_id;
    db::batch work;
    db::one_time_tokens::add_spend(work, token->digest, purpose::verify_email);
    auto joined = from.event("team.join");
    db::users::add_verify_email(work, token->user_id, token->email, joined);
    db::audit::add(work, event);
    db::change what;
    what.users.push_back(token->user_id);
    auto answers = co_await c.cx.changes.commit(c.cx.db, std::move(work), std::move(what));
    auto user = answers[1].as_optional<db::users::row>();
    if (!user) // disabled, or moved to another address
        co_return problem::spent_token();
    co_return to_verified(*user);
}

awaitable<answer<nothing>> resend(call& c, std::optional<schemas::resend_verification> body)
{
    beat pace(mail_beat);
    std::optional<db::users::row> user;
    std::string email;
    if (body && body->email) {
        if (auto over = count(c, limits::mail_address, address_bucket(c.req.client)))
            co_return std::move(*over);
        email = body->email->normalized;
        user = co_await db::users::find_by_email(c.cx.db, email);
    } else {
        auto found = co_await find_caller(c);
        if (auto refused = std::get_if<problem>(&found))
            co_return std::move(*refused);
        user = std::get<db::users::row>(std::move(found));
        email = schemas::normalize_email(user->email);
    }
    bool is_due = user && !user->email_verified_at && !user->disabled_at;
    if (is_due && !count(c, limits::mail_account, crypto::bytes_of(email))) {
        db::batch work;
        add_verification(work, c.cx, user->id, user->email);
        co_await c.cx.db.run(std::move(work));
    }
    co_await pace.next();
    co_return nothing();
}

awaitable<answer<nothing>> change(call& c, schemas::email_change body)
{
    beat pace(mail_beat);
    auto found = co_await load_person(c);
    if (auto refused = std::get_if<problem>(&found))
        co_return std::move(*refused);
    auto& user = std::get<db::users::row>(found);
    std::span<const std::uint8_t> id_bytes(user.id.begin(), user.id.size());
    if (auto over = count(c, limits::email_change_account, id_bytes))
        co_return std::move(*over);
    auto refused = co_await require_reauthentication(c, user, std::move(body.password), "password");
    if (refused)
        co_return std::move(*refused);
    if (body.new_email.normalized == schemas::normalize_email(user.email))
        co_return problem::invalid_field("body", "new_email", "is the address already");

    auto taken = co_await db::users::find_by_email(c.cx.db, body.new_email.normalized);
    bool too_many =
        count(c, limits::email_change_target, crypto::bytes_of(body.new_email.normalized)).has_value();
    trace from(c);
    auto event = from.event("user.change_email");
    event.target = to_string(user.id);
    auto facts = facts_of(c, from);
    facts["new_email"] = body.new_email.text;
    db::batch work;
    db::require_password_version(work, user.id, user.password_version);
    db::require_standing(work, c.caller());
    db::one_time_tokens::add_void(work, user.id, purpose::change_email); // whatever comes of this one
    if (!too_many && taken && taken->email_verified_at)
        db::outbox::add_to_user(work, make_letter(c.cx, db::outbox::kind::address_taken, facts_of(c, from)),
                                taken->id);
    else if (!too_many)
        add_address_change(work, c.cx, user.id, body.new_email.text);
    db::outbox::add_to_user(work, make_letter(c.cx, db::outbox::kind::email_change_notice, facts), user.id);
    db::audit::add(work, event);
    co_await c.cx.db.run(std::move(work));
    co_await pace.next();
    co_return nothing();
}

awaitable<answer<schemas::verified_email>> confirm_change(call& c, schemas::mailed_token body)
{
    auto token = co_await find_mailed_token(c, std::move(body.token.value), purpose::change_email);
    if (!token)
        co_return problem::spent_token();
    auto normalized = schemas::normalize_email(token->email);
    auto other = co_await db::users::find_by_email(c.cx.db, normalized);
    auto before = co_await db::users::find(c.cx.db, token->user_id);
    if (!before)
        co_return problem::spent_token();

    trace from(c);
    auto event = from.event("user.confirm_email");
    event.actor_id = token->user_id;
    auto facts = facts_of(c, from);
    facts["new_email"] = token->email;
    facts["done"] = true;
    db::change what;
    db::batch work;
    db::one_time_tokens::add_spend(work, token->digest, purpose::change_email);
    if (other && other->id != token->user_id) { // it makes room if it has not been verified
        what = co_await db::users::reach_of(c.cx.db, other->id);
        db::users::add_vacate(work, other->id);
    }
    what.users.push_back(token->user_id);
    auto changed_at = work.size();
    db::users::add_change_email(work, token->user_id, token->email, normalized);
    db::one_time_tokens::add_void(work, token->user_id);
    db::outbox::add_to_address(work, make_letter(c.cx, db::outbox::kind::email_change_notice, facts),
                               token->user_id, before->email);
    db::audit::add(work, event);
    try {
        auto answers = co_await c.cx.changes.commit(c.cx.db, std::move(work), std::move(what));
        auto user = answers[changed_at].as_optional<db::users::row>();
        if (!user)
            co_return problem::spent_token();
        co_return to_verified(*user);
    } catch (const db::failure& e) {
        if (e.is_unique_violation("users_email_key"))
            co_return problem::conflict("email_taken", "There is an account with this address.");
        throw;
    }
}

} // namespace handlers::emails
