#include "handlers/endpoints/passwords.hpp"

#include "crypto/encoding.hpp"
#include "db/tables/api_keys.hpp"
#include "db/tables/credential_checks.hpp"
#include "db/tables/sessions.hpp"
#include "db/tables/users.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/authn/email_token.hpp"
#include "handlers/authn/password_policy.hpp"
#include "handlers/authn/reauthentication.hpp"
#include "handlers/authn/response_floor.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/mail/queue_mail.hpp"

#include <boost/json/array.hpp>

namespace handlers::passwords {

using db::one_time_tokens::purpose;

namespace {

constexpr std::size_t most_keys_told = 50;

/** What the notice of a new password tells: from where it was set, and which keys go on working. */
boost::json::object facts_with_keys(const call& c, const trace& from,
                                    const std::vector<db::api_keys::row>& live)
{
    boost::json::array keys;
    for (auto& key : live)
        if (keys.size() < most_keys_told)
            keys.push_back({{"prefix", key.prefix}, {"name", key.name}});
    auto facts = facts_of(c, from);
    facts["keys"] = std::move(keys);
    facts["keys_in_all"] = live.size();
    return facts;
}

} // namespace

awaitable<answer<nothing>> forgot(call& c, schemas::forgotten_password body)
{
    beat pace(mail_beat);
    if (auto over = count(c, limits::mail_address, address_bucket(c.req.client)))
        co_return std::move(*over);
    auto user = co_await db::users::find_by_email(c.cx.db, body.email.normalized);
    bool is_due = user && !user->disabled_at;
    if (is_due && !count(c, limits::mail_account, crypto::bytes_of(body.email.normalized))) {
        db::batch work;
        add_reset(work, c.cx, user->id, user->email);
        co_await c.cx.db.run(std::move(work));
    }
    co_await pace.next();
    co_return nothing();
}

awaitable<answer<nothing>> reset(call& c, schemas::password_reset body)
{
    auto token = co_await find_mailed_token(c, std::move(body.token.value), purpose::reset_password);
    if (!token)
        co_return problem::spent_token();
    auto user = co_await db::users::find(c.cx.db, token->user_id);
    if (!user || user->disabled_at)
        co_return problem::spent_token();
    auto made = co_await hash_new_password(c.cx, std::move(body.password.value), user->email,
                                           user->name.value_or(""));
    if (auto refused = std::get_if<problem>(&made))
        co_return std::move(*refused);
    auto& hash = std::get<std::string>(made);

    bool is_unproved = !user->email_verified_at;
    bool ends_keys = is_unproved || body.revoke_api_keys.value_or(false);
    std::vector<db::api_keys::row> live;
    if (!ends_keys)
        live = co_await db::api_keys::list_live(c.cx.db, user->id);
    trace from(c);
    auto event = from.event("password.reset");
    event.actor_id = user->id;
    auto letter = make_letter(c.cx, db::outbox::kind::password_changed, facts_with_keys(c, from, live));
    db::change what;
    what.users.push_back(user->id);
    db::batch work;
    db::one_time_tokens::add_spend(work, token->digest, purpose::reset_password);
    if (is_unproved) { // whoever used the account so far need not have been the address's owner
        what = co_await db::users::reach_of(c.cx.db, user->id);
        db::users::add_dispossess(work, user->id);
    }
    db::users::add_set_password(work, user->id, std::string_view(hash));
    auto joined = from.event("team.join");
    db::users::add_verify_email(work, user->id, token->email, joined);
    db::sessions::add_revoke_all(work, user->id);
    if (ends_keys)
        db::api_keys::add_revoke_all_of_user(work, user->id);
    db::one_time_tokens::add_void(work, user->id);
    db::outbox::add_to_user(work, letter, user->id);
    db::audit::add(work, event);
    co_await c.cx.changes.commit(c.cx.db, std::move(work), std::move(what));
    co_return nothing();
}

awaitable<answer<nothing>> change(call& c, schemas::password_change body)
{
    auto found = co_await load_person(c);
    if (auto refused = std::get_if<problem>(&found))
        co_return std::move(*refused);
    auto* user = &std::get<db::users::row>(found);
    auto& who = c.caller();
    auto refused =
        co_await require_reauthentication(c, *user, std::move(body.current_password), "current_password");
    if (refused)
        co_return std::move(*refused);
    auto made = co_await hash_new_password(c.cx, std::move(body.new_password.value), user->email,
                                           user->name.value_or(""));
    if (auto weak = std::get_if<problem>(&made))
        co_return std::move(*weak);
    auto& hash = std::get<std::string>(made);

    auto live = co_await db::api_keys::list_live(c.cx.db, user->id);
    trace from(c);
    auto event = from.event("password.change");
    auto letter = make_letter(c.cx, db::outbox::kind::password_changed, facts_with_keys(c, from, live));
    db::batch work;
    db::require_password_version(work, user->id, user->password_version);
    db::require_standing(work, who);
    db::users::add_set_password(work, user->id, std::string_view(hash));
    if (who.kind == db::principal::kind_type::session)
        db::sessions::add_revoke_others(work, user->id, who.credential_id);
    else
        db::sessions::add_revoke_all(work, user->id);
    for (auto what_was_begun : {purpose::reset_password, purpose::change_email})
        db::one_time_tokens::add_void(work, user->id, what_was_begun);
    db::outbox::add_to_user(work, letter, user->id);
    db::audit::add(work, event);
    db::change what;
    what.users.push_back(user->id);
    co_await c.cx.changes.commit(c.cx.db, std::move(work), std::move(what));
    co_return nothing();
}

} // namespace handlers::passwords
