#include "handlers/endpoints/api_keys.hpp"

#include "crypto/api_key.hpp"
#include "crypto/random.hpp"
#include "db/tables/api_keys.hpp"
#include "db/tables/credential_checks.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/pagination.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "handlers/to_schema.hpp"

#include <boost/uuid/uuid_io.hpp>

#include <algorithm>

namespace handlers::api_keys {

namespace {

/** A prefix is one of 36^8, so a second try is rare and a fifth unheard of. */
constexpr int most_tries = 5;

constexpr std::string_view everything = "api_keys:admin";

bool is_key(const db::principal& who)
{
    return who.kind == db::principal::kind_type::api_key;
}

/** Whose keys the caller may touch. */
std::variant<db::api_keys::reach, problem> reach_of(const call& c)
{
    auto& who = c.caller();
    if (may(c, everything))
        return db::api_keys::reach{*who.workspace_id, std::nullopt};
    if (auto refusal = require_person(c))
        return std::move(*refusal);
    return db::api_keys::reach{*who.workspace_id, who.user_id};
}

void check_scopes(const call& c, const std::vector<std::string>& scopes, schemas::fault_list& faults)
{
    schemas::path body("body"), list(body, "scopes");
    for (std::size_t i = 0; i < scopes.size(); ++i)
        if (!c.cx.permissions.knows_scope(scopes[i]))
            faults.add(schemas::path(list, i), "value_error", "There is no such scope");
}

void check_expiry(const call& c, const std::optional<db::timestamp>& expires_at, schemas::fault_list& faults)
{
    schemas::path body("body");
    if (expires_at && *expires_at <= c.cx.now())
        faults.add(schemas::path(body, "expires_at"), "value_error", "Input should be in the future");
}

/** 422 with all that was found wrong, if anything was. */
std::optional<problem> refusal_of(schemas::fault_list& faults)
{
    return faults.count() > 0 ? std::optional(problem::validation(faults.take())) : std::nullopt;
}

/** No call made with a key may yield more than that key: neither scopes it lacks nor a longer life. */
std::optional<problem> check_no_wider(const call& c, const std::vector<std::string>& scopes,
                                      const std::optional<db::timestamp>& expires_at)
{
    auto& who = c.caller();
    if (!is_key(who))
        return std::nullopt;
    for (auto& scope : scopes)
        if (!permission_table::is_subset({scope}, who.scopes))
            return problem::forbidden_scope(scope);
    if (who.expires_at && (!expires_at || *expires_at > *who.expires_at)) {
        auto too_long = problem::forbidden_scope("*");
        too_long.detail = "No key may outlive the key that it is made or changed with.";
        return too_long;
    }
    return std::nullopt;
}

/** Members mint for themselves only where the workspace lets them. */
std::optional<problem> check_member_minting(const db::principal& who)
{
    if (who.role == db::role::member && !who.members_can_mint)
        return problem::forbidden_scope(everything);
    return std::nullopt;
}

/** Whether the caller may mint for this owner at all. */
std::optional<problem> check_minter(const call& c, schemas::key_owner owner)
{
    auto& who = c.caller();
    if (owner == schemas::key_owner::workspace)
        return may(c, everything) ? std::nullopt : std::optional(problem::forbidden_scope(everything));
    if (auto refusal = require_person(c))
        return refusal;
    return check_member_minting(who);
}

/** The key that the path names, if the caller may change it. Who may see and revoke any key of the workspace
    may still not change another person's: a successor would act as that person. */
awaitable<std::variant<db::api_keys::row, problem>> find_to_change(call& c, db::api_keys::reach within)
{
    auto key = co_await db::api_keys::find_by_prefix(c.cx.db, within, c.params[0]);
    if (!key)
        co_return problem::not_found();
    if (key->user_id && key->user_id != c.caller().user_id)
        co_return problem::forbidden("forbidden", "A person's key is changed by that person alone.");
    co_return std::move(*key);
}

problem revoked_already()
{
    return problem::conflict("conflict", "The key has been revoked.");
}

/** Make a key and hand it to `attempt`, anew each time its prefix turns out to be taken. */
template <class F>
awaitable<answer<schemas::api_key_created>> with_free_prefix(F& attempt)
{
    for (int tries = 1;; ++tries) {
        auto made = crypto::make_api_key();
        try {
            co_return co_await attempt(std::move(made));
        } catch (const db::failure& e) {
            if (!e.is_unique_violation("api_keys_prefix_key") || tries == most_tries)
                throw;
        }
    }
}

/** @param claim stored in the place of the secret's digest, if the secret is to be made later */
awaitable<answer<schemas::api_key_created>> mint_with(call& c, schemas::api_key_create body,
                                                      std::optional<db::digest> claim)
{
    std::vector<std::string> scopes{"*"};
    if (body.scopes)
        scopes = std::move(body.scopes->items);
    auto owner = body.owner.value_or(schemas::key_owner::user);

    schemas::fault_list faults;
    check_scopes(c, scopes, faults);
    check_expiry(c, body.expires_at, faults);
    if (body.role && owner == schemas::key_owner::user) {
        schemas::path at("body");
        faults.add(schemas::path(at, "role"), "value_error", "Only a workspace's key has a role of its own");
    }
    if (auto refusal = refusal_of(faults))
        co_return std::move(*refusal);
    if (auto refusal = check_minter(c, owner))
        co_return std::move(*refusal);
    if (auto refusal = check_no_wider(c, scopes, body.expires_at))
        co_return std::move(*refusal);

    auto& who = c.caller();
    trace from(c);
    db::api_keys::draft draft;
    draft.name = body.name.value;
    draft.scopes = std::move(scopes);
    draft.workspace_id = *who.workspace_id;
    draft.created_by = who.user_id;
    draft.expires_at = body.expires_at;
    if (owner == schemas::key_owner::workspace)
        draft.role = from_wire(body.role.value_or(schemas::role::member));
    else
        draft.user_id = who.user_id;

    bool too_many_notices = false;
    if (who.user_id) {
        std::span<const std::uint8_t> id(who.user_id->begin(), who.user_id->size());
        too_many_notices = count(c, limits::key_notice, id).has_value();
    }

    auto make = [&](crypto::new_api_key made) -> awaitable<answer<schemas::api_key_created>> {
        draft.id = crypto::make_uuid_v7();
        draft.prefix = made.prefix;
        draft.digest = claim ? *claim : c.cx.key_digest(made.text);
        auto event = from.event("api_key.mint");
        event.target = made.prefix;
        db::batch work;
        work.within(draft.workspace_id);
        db::require_standing(work, who);
        db::api_keys::add_insert(work, draft);
        db::audit::add(work, event);
        if (who.user_id && !too_many_notices) {
            auto facts = facts_of(c, from);
            facts["prefix"] = made.prefix;
            facts["name"] = draft.name;
            db::outbox::add_to_user(work, make_letter(c.cx, db::outbox::kind::key_minted, facts),
                                    *who.user_id);
        }
        db::change news;
        news.digests.push_back(draft.digest);
        auto rows = co_await c.cx.changes.commit(c.cx.db, std::move(work), std::move(news));
        auto secret = claim ? std::string() : std::move(made.text);
        co_return to_new_api_key(rows[1].as_one<db::api_keys::row>(), std::move(secret));
    };
    try {
        co_return co_await with_free_prefix(make);
    } catch (const db::failure& e) {
        if (db::api_keys::was_orphaned(e))
            co_return problem::invalid_token("The credential has been revoked.");
        throw;
    }
}

} // namespace

awaitable<answer<schemas::api_key_created>> mint(call& c, schemas::api_key_create body)
{
    co_return co_await mint_with(c, std::move(body), std::nullopt);
}

awaitable<answer<schemas::api_key_created>> mint_unclaimed(call& c, schemas::api_key_create body,
                                                           db::digest claim)
{
    co_return co_await mint_with(c, std::move(body), claim);
}

awaitable<answer<schemas::api_key_created>> claim(call& c, schemas::mailed_token body)
{
    auto old = crypto::one_time_token_digest(body.token.value);
    if (!old)
        co_return problem::spent_token();
    auto waiting = co_await db::api_keys::find_by_digest(c.cx.db, *old);
    if (!waiting)
        co_return problem::spent_token();
    auto made = crypto::make_api_key(waiting->prefix);
    trace from(c);
    auto event = from.event("api_key.claim");
    event.target = made.prefix;
    auto digest = c.cx.key_digest(made.text);
    auto claimed = co_await db::api_keys::claim(c.cx.changes, c.cx.db, *old, digest, claim_lifetime, event);
    if (!claimed)
        co_return problem::spent_token();
    co_return to_new_api_key(*claimed, std::move(made.text));
}

awaitable<answer<schemas::page<schemas::api_key_row>>> list(call& c, query<schemas::api_key_query> wanted)
{
    auto within = reach_of(c);
    if (auto refusal = std::get_if<problem>(&within))
        co_return std::move(*refusal);
    db::api_keys::query question;
    question.within = std::get<db::api_keys::reach>(within);
    if (c.caller().user_id)
        question.within.user_id = c.caller().user_id; // one's own, also for who may see all
    if (wanted->status)
        question.status = from_wire(*wanted->status);

    std::string name = "api_keys";
    if (wanted->status)
        name.append(":").append(schemas::to_text(*wanted->status));
    page_cursor cursor(c, name);
    auto from = cursor.read(wanted->cursor);
    if (auto refusal = std::get_if<problem>(&from))
        co_return std::move(*refusal);
    question.before = std::get<std::optional<db::uuid>>(from);
    auto limit = wanted->limit.value;
    question.limit = static_cast<int>(limit + 1);
    auto found = co_await db::api_keys::list(c.cx.db, question);
    co_return make_page<schemas::api_key_row>(cursor, found.rows, limit, found.total, &to_api_key);
}

awaitable<answer<schemas::api_key_row>> show(call& c)
{
    auto within = reach_of(c);
    if (auto refusal = std::get_if<problem>(&within))
        co_return std::move(*refusal);
    auto key =
        co_await db::api_keys::find_by_prefix(c.cx.db, std::get<db::api_keys::reach>(within), c.params[0]);
    if (!key)
        co_return problem::not_found();
    co_return to_api_key(*key);
}

awaitable<answer<schemas::api_key_row>> update(call& c, schemas::api_key_patch body)
{
    auto within = reach_of(c);
    if (auto refusal = std::get_if<problem>(&within))
        co_return std::move(*refusal);
    auto reach = std::get<db::api_keys::reach>(within);
    db::api_keys::edit edit;
    schemas::fault_list faults;
    if (body.name)
        edit.name = body.name->value;
    if (body.scopes) {
        check_scopes(c, body.scopes->items, faults);
        edit.scopes = std::move(body.scopes->items);
    }
    if (!body.expires_at.is_absent()) {
        check_expiry(c, body.expires_at.value(), faults);
        edit.expires_at = body.expires_at.value();
    }
    if (auto refusal = refusal_of(faults))
        co_return std::move(*refusal);

    auto found = co_await find_to_change(c, reach);
    if (auto refusal = std::get_if<problem>(&found))
        co_return std::move(*refusal);
    auto& before = std::get<db::api_keys::row>(found);
    if (edit.scopes || edit.expires_at) {
        if (auto refusal = check_member_minting(c.caller()))
            co_return std::move(*refusal);
        auto scopes = edit.scopes.value_or(before.scopes);
        auto expires_at = edit.expires_at.value_or(before.expires_at);
        if (auto refusal = check_no_wider(c, scopes, expires_at))
            co_return std::move(*refusal);
    }

    trace from(c);
    auto event = from.event("api_key.update");
    event.target = c.params[0];
    db::batch work;
    db::require_standing(work, c.caller());
    auto changed = co_await db::api_keys::update(c.cx.changes, c.cx.db, std::move(work), reach, c.params[0],
                                                 std::move(edit), event);
    if (changed.outcome == db::api_keys::outcome::unknown)
        co_return problem::not_found();
    if (changed.outcome != db::api_keys::outcome::done)
        co_return revoked_already();
    co_return to_api_key(*changed.key);
}

awaitable<answer<nothing>> revoke(call& c)
{
    auto within = reach_of(c);
    if (auto refusal = std::get_if<problem>(&within))
        co_return std::move(*refusal);
    trace from(c);
    auto event = from.event("api_key.revoke");
    event.target = c.params[0];
    auto ended = co_await db::api_keys::revoke(c.cx.changes, c.cx.db, std::get<db::api_keys::reach>(within),
                                               c.params[0], event);
    if (!ended)
        co_return problem::not_found();
    co_return nothing();
}

awaitable<answer<schemas::api_key_created>> rotate(call& c, std::optional<schemas::api_key_rotate> body)
{
    auto within = reach_of(c);
    if (auto refusal = std::get_if<problem>(&within))
        co_return std::move(*refusal);
    auto reach = std::get<db::api_keys::reach>(within);
    auto found = co_await find_to_change(c, reach);
    if (auto refusal = std::get_if<problem>(&found))
        co_return std::move(*refusal);
    auto& old = std::get<db::api_keys::row>(found);
    if (auto refusal = check_member_minting(c.caller()))
        co_return std::move(*refusal);
    if (auto refusal = check_no_wider(c, old.scopes, old.expires_at))
        co_return std::move(*refusal);

    std::chrono::seconds grace{0};
    if (body && body->grace_seconds)
        grace = std::chrono::seconds(body->grace_seconds->value);
    trace from(c);
    auto make = [&](crypto::new_api_key made) -> awaitable<answer<schemas::api_key_created>> {
        db::api_keys::successor next;
        next.id = crypto::make_uuid_v7();
        next.prefix = made.prefix;
        next.digest = c.cx.key_digest(made.text);
        next.created_by = c.caller().user_id;
        next.scopes = old.scopes;
        next.expires_at = old.expires_at;
        auto event = from.event("api_key.rotate");
        event.target = c.params[0];
        db::batch work;
        db::require_standing(work, c.caller());
        auto changed = co_await db::api_keys::rotate(c.cx.changes, c.cx.db, std::move(work), reach,
                                                     c.params[0], std::move(next), grace, event);
        switch (changed.outcome) {
        case db::api_keys::outcome::done:
            co_return to_new_api_key(*changed.key, std::move(made.text));
        case db::api_keys::outcome::unknown:
            co_return problem::not_found();
        case db::api_keys::outcome::expired:
            co_return problem::conflict("conflict", "The key has expired.");
        case db::api_keys::outcome::revoked:
            break;
        case db::api_keys::outcome::outdated:
            co_return problem::conflict("conflict", "The key has just been changed; try again.");
        }
        co_return revoked_already();
    };
    co_return co_await with_free_prefix(make);
}

awaitable<answer<nothing>> report(call& c, schemas::api_key_report body)
{
    auto prefix = crypto::parse_api_key(body.key.value);
    if (!prefix)
        co_return nothing();
    trace from(c);
    auto event = from.event("api_key.report");
    event.target = *prefix;
    auto digest = c.cx.key_digest(body.key.value);
    auto facts = facts_of(c, from);
    facts["prefix"] = *prefix;
    auto letter = make_letter(c.cx, db::outbox::kind::key_reported, facts);
    co_await db::api_keys::revoke_by_digest(c.cx.changes, c.cx.db, digest, event, std::move(letter));
    co_return nothing();
}

} // namespace handlers::api_keys
