#include "handlers/endpoints/api_keys.hpp"

#include "crypto/api_key.hpp"
#include "crypto/one_time_token.hpp"
#include "crypto/random.hpp"
#include "db/tables/api_keys.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/endpoints/api_key_policy.hpp"
#include "handlers/http/pagination.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/request_limits.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "handlers/mail/verified_sender.hpp"
#include "handlers/to_schema.hpp"
#include "schemas/engine/utf8.hpp"

namespace handlers::api_keys {

namespace {

/// A prefix is one of 36^8: a second attempt is rare, a fifth practically impossible.
constexpr int max_prefix_attempts = 5;

bool is_prefix_taken(const db::failure& error)
{
    return error.is_unique_violation("api_keys_prefix_key");
}

/// Checks a key against the policy, and drafts its row without id, prefix and digest. The draft refers to the
/// body.
result<db::api_keys::draft> draft_key(const call& c, const schemas::api_key_create& body)
{
    std::vector<std::string> scopes{"*"};
    if (body.scopes)
        scopes = body.scopes->items;
    auto owner = body.owner.value_or(schemas::key_owner::user);

    schemas::validation_errors errors;
    check_scopes(c, scopes, errors);
    check_expiry(c, body.expires_at, errors);
    if (body.role && owner == schemas::key_owner::user) {
        schemas::path at("body");
        errors.add(schemas::path(at, "role"), "value_error", "Only a key of the workspace has its own role");
    }
    if (auto invalid = error_of(errors))
        return std::move(*invalid);
    if (auto refused = check_minter(c, owner))
        return std::move(*refused);
    if (auto refused = check_not_wider(c, scopes, body.expires_at))
        return std::move(*refused);

    auto& caller = c.caller();
    db::api_keys::draft out;
    out.name = body.name.value;
    out.scopes = std::move(scopes);
    out.workspace_id = *caller.workspace_id;
    out.created_by = caller.user_id;
    out.expires_at = body.expires_at;
    if (owner == schemas::key_owner::workspace)
        out.role = from_wire(body.role.value_or(schemas::role::member));
    else
        out.user_id = caller.user_id;
    return out;
}

/// Whether the caller gets a notice of the new key: a user who has not received too many.
awaitable<bool> is_notice_due(call& c)
{
    auto& user = c.caller().user_id;
    if (!user)
        co_return false;
    std::span<const std::uint8_t> user_bytes(user->begin(), user->size());
    co_return co_await is_within_limit(c, rate_limits::key_notice, user_bytes);
}

/// Inserts a key with its prefix and digest already set. @throw db::failure if the prefix is taken
awaitable<db::api_keys::row> insert_key(call& c, db::api_keys::draft key, bool sends_notice)
{
    key.id = crypto::make_uuid_v7();
    unit_of_work tx(c);
    tx.batch().in_workspace(key.workspace_id);
    db::api_keys::add_insert(tx.batch(), key);
    tx.audit("api_key.mint", std::string(key.prefix));
    if (sends_notice) {
        auto variables = request_variables(c, tx.origin());
        variables["prefix"] = key.prefix;
        variables["name"] = key.name;
        queue_mail(tx.batch(), c.cx, db::outbox::kind::key_minted, variables, *c.caller().user_id);
    }
    tx.affects_digest(key.digest);
    auto rows = co_await tx.commit();
    co_return rows[1].as_one<db::api_keys::row>();
}

/// @param claim stored instead of the secret's digest, if the secret is to be created later
awaitable<answer<schemas::api_key_created>> mint_with(call& c, schemas::api_key_create body,
                                                      std::optional<db::digest> claim)
{
    auto draft = draft_key(c, body);
    if (!draft)
        co_return draft.error();
    bool sends_notice = co_await is_notice_due(c);
    for (int attempt = 1;; ++attempt) {
        auto secret = crypto::make_api_key();
        draft->prefix = secret.prefix;
        draft->digest = claim ? *claim : c.cx.key_digest(secret.text);
        try {
            auto row = co_await insert_key(c, *draft, sends_notice);
            co_return to_new_api_key(row, claim ? std::string() : std::move(secret.text));
        } catch (const db::failure& e) {
            if (db::api_keys::owner_left(e))
                co_return problem::rejected_credential("The credential has been revoked.");
            if (!is_prefix_taken(e) || attempt == max_prefix_attempts)
                throw;
        }
    }
}

/// The key, so that two keys that change each other lock both in one order.
db::row_locks locks_to_change(const db::api_keys::row& key)
{
    return {.api_keys = {key.id}};
}

/// Why a key was not changed; nothing if it was.
awaitable<std::optional<problem>> error_of(call& c, db::api_keys::change_result changed)
{
    switch (changed.outcome) {
    case db::api_keys::outcome::done:
        co_return std::nullopt;
    case db::api_keys::outcome::unknown:
        co_return problem::of(codes::not_found);
    case db::api_keys::outcome::expired:
        co_return problem::of(codes::conflict, "The key has expired.");
    case db::api_keys::outcome::outdated:
        co_return problem::of(codes::conflict, "The key was changed concurrently; try again.");
    case db::api_keys::outcome::revoked:
        co_return problem::of(codes::conflict, "The key has been revoked.");
    case db::api_keys::outcome::rotated:
        break;
    }
    auto successor = co_await db::api_keys::find_successor(c.cx.db, std::move(*changed.key));
    co_return problem::already_rotated(std::move(successor).value_or(std::string()));
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

awaitable<answer<schemas::api_key_created>> claim(call& c, schemas::email_token body)
{
    auto claim_digest = crypto::one_time_token_digest(body.token.value);
    if (!claim_digest)
        co_return problem::of(codes::invalid_token);
    auto unclaimed = co_await db::api_keys::find_by_digest(c.cx.db, *claim_digest);
    if (!unclaimed)
        co_return problem::of(codes::invalid_token);
    auto secret = crypto::make_api_key(unclaimed->prefix);
    auto digest = c.cx.key_digest(secret.text);
    unit_of_work tx(c, credential_check::none);
    auto event = tx.event("api_key.claim", std::string(secret.prefix));
    auto claimed =
        co_await db::api_keys::claim(tx.release(), *claim_digest, digest, claim_lifetime, std::move(event));
    if (!claimed)
        co_return problem::of(codes::invalid_token);
    co_return to_new_api_key(*claimed, std::move(secret.text));
}

awaitable<answer<schemas::page<schemas::api_key_row>>> list(call& c, query<schemas::api_key_query> wanted)
{
    auto filter = owner_filter_of(c);
    if (!filter)
        co_return filter.error();
    db::api_keys::query keys;
    keys.owner = *filter;
    if (c.caller().user_id)
        keys.owner.user_id = c.caller().user_id; // the caller's own, also for an admin
    std::string name = "api_keys";
    if (auto refused = read_filters(wanted.value, keys, name))
        co_return std::move(*refused);
    auto fetch = [&c, keys](std::optional<db::uuid> before, int limit) mutable {
        keys.before = before;
        keys.limit = limit;
        return db::api_keys::list(c.cx.db, keys);
    };
    co_return co_await paginate<schemas::api_key_row>(c, wanted.value, name, fetch, &to_api_key);
}

awaitable<answer<schemas::api_key_row>> show(call& c)
{
    auto filter = owner_filter_of(c);
    if (!filter)
        co_return filter.error();
    auto key = co_await db::api_keys::find_by_prefix(c.cx.db, *filter, c.params[0]);
    if (!key)
        co_return problem::of(codes::not_found);
    co_return to_api_key(*key);
}

awaitable<answer<schemas::api_key_row>> update(call& c, schemas::api_key_patch body)
{
    // Validate the patch.
    auto filter = owner_filter_of(c);
    if (!filter)
        co_return filter.error();
    db::api_keys::edit edit;
    schemas::validation_errors errors;
    if (body.name)
        edit.name = body.name->value;
    if (body.scopes) {
        check_scopes(c, body.scopes->items, errors);
        edit.scopes = std::move(body.scopes->items);
    }
    if (!body.expires_at.is_absent()) {
        check_expiry(c, body.expires_at.value(), errors);
        edit.expires_at = body.expires_at.value();
    }
    if (auto invalid = error_of(errors))
        co_return std::move(*invalid);

    // Check the changed key against the policy.
    auto key = co_await find_key_to_change(c, *filter);
    if (!key)
        co_return key.error();
    // Notices to the owner contain the name, as the words of the key's creator.
    if (edit.name && (!c.caller().user_id || key->created_by != c.caller().user_id))
        if (auto refused = co_await require_verified_sender(c))
            co_return std::move(*refused);
    if (edit.scopes || edit.expires_at) {
        if (auto refused = check_member_minting(c))
            co_return std::move(*refused);
        auto scopes = edit.scopes.value_or(key->scopes);
        auto expires_at = edit.expires_at.value_or(key->expires_at);
        if (auto refused = check_not_wider(c, scopes, expires_at))
            co_return std::move(*refused);
    }

    unit_of_work tx(c, credential_check::shared, locks_to_change(*key));
    auto event = tx.event("api_key.update", c.params[0]);
    auto expected = db::api_keys::rights_of(*key);
    auto changed = co_await db::api_keys::update(tx.release(), *filter, c.params[0], std::move(expected),
                                                 std::move(edit), std::move(event));
    if (auto error = co_await error_of(c, changed))
        co_return std::move(*error);
    co_return to_api_key(*changed.key);
}

awaitable<answer<no_content>> revoke(call& c)
{
    auto filter = owner_filter_of(c);
    if (!filter)
        co_return filter.error();
    unit_of_work tx(c, credential_check::none);
    auto event = tx.event("api_key.revoke", c.params[0]);
    auto revoked = co_await db::api_keys::revoke(tx.release(), *filter, c.params[0], std::move(event));
    if (!revoked)
        co_return problem::of(codes::not_found);
    co_return no_content();
}

awaitable<answer<schemas::api_key_created>> rotate(call& c, std::optional<schemas::api_key_rotate> body)
{
    // Check the successor, which gets the rights of the old key, against the policy.
    auto filter = owner_filter_of(c);
    if (!filter)
        co_return filter.error();
    auto old = co_await find_key_to_change(c, *filter);
    if (!old)
        co_return old.error();
    if (auto refused = check_member_minting(c))
        co_return std::move(*refused);
    if (auto refused = check_not_wider(c, old->scopes, old->expires_at))
        co_return std::move(*refused);

    std::chrono::seconds grace{0};
    if (body && body->grace_seconds)
        grace = std::chrono::seconds(body->grace_seconds->value);
    db::api_keys::successor successor;
    successor.created_by = c.caller().user_id;
    auto expected = db::api_keys::rights_of(*old);
    for (int attempt = 1;; ++attempt) {
        auto secret = crypto::make_api_key();
        successor.id = crypto::make_uuid_v7();
        successor.prefix = secret.prefix;
        successor.digest = c.cx.key_digest(secret.text);
        unit_of_work tx(c, credential_check::shared, locks_to_change(*old));
        auto event = tx.event("api_key.rotate", c.params[0]);
        try {
            auto changed = co_await db::api_keys::rotate(tx.release(), *filter, c.params[0], expected,
                                                         successor, grace, std::move(event));
            if (auto error = co_await error_of(c, changed))
                co_return std::move(*error);
            co_return to_new_api_key(*changed.key, std::move(secret.text));
        } catch (const db::failure& e) {
            if (!is_prefix_taken(e) || attempt == max_prefix_attempts)
                throw;
        }
    }
}

awaitable<answer<no_content>> report(call& c, schemas::api_key_report body)
{
    auto key = schemas::trim_blanks(body.key.value);
    auto prefix = crypto::parse_api_key(key);
    if (!prefix)
        co_return no_content();
    unit_of_work tx(c, credential_check::none);
    auto event = tx.event("api_key.report", std::string(*prefix));
    auto variables = request_variables(c, tx.origin());
    variables["prefix"] = *prefix;
    auto mail = make_mail(c.cx, db::outbox::kind::key_reported, variables);
    auto digest = c.cx.key_digest(key);
    co_await db::api_keys::revoke_by_digest(tx.release(), digest, std::move(event), std::move(mail));
    co_return no_content();
}

} // namespace handlers::api_keys
