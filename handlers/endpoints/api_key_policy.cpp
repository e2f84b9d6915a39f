#include "handlers/endpoints/api_key_policy.hpp"

#include "handlers/access/permissions.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/refusals.hpp"
#include "handlers/to_schema.hpp"
#include "schemas/engine/timestamp.hpp"

namespace handlers::api_keys {

result<db::api_keys::owner_filter> owner_filter_of(const call& c)
{
    auto& caller = c.caller();
    if (has_permission(c, manage_all_keys))
        return db::api_keys::owner_filter{*caller.workspace_id, std::nullopt};
    if (auto refused = require_user(c))
        return std::move(*refused);
    return db::api_keys::owner_filter{*caller.workspace_id, caller.user_id};
}

std::optional<problem> read_filters(const schemas::api_key_query& wanted, db::api_keys::query& keys,
                                    std::string& name)
{
    if (wanted.status) {
        keys.status = from_wire(*wanted.status);
        name.append(":").append(schemas::to_text(*wanted.status));
    }
    if (wanted.expires_before) {
        if (wanted.status && *keys.status != db::api_keys::status::active)
            return problem::invalid_field("query", "expires_before", "is for active keys");
        keys.expires_before = *wanted.expires_before;
        name.append(":before ");
        schemas::append_timestamp(name, *wanted.expires_before);
    }
    return std::nullopt;
}

void check_scopes(const call& c, const std::vector<std::string>& scopes, schemas::validation_errors& errors)
{
    schemas::path body("body"), list(body, "scopes");
    for (std::size_t i = 0; i < scopes.size(); ++i)
        if (!c.cx.permissions.knows_scope(scopes[i]))
            errors.add(schemas::path(list, i), "value_error", "is not a known scope");
}

void check_expiry(const call& c, const std::optional<db::timestamp>& expires_at,
                  schemas::validation_errors& errors)
{
    schemas::path body("body");
    if (expires_at && *expires_at <= c.cx.now())
        errors.add(schemas::path(body, "expires_at"), "value_error", "Input should be in the future");
}

std::optional<problem> error_of(schemas::validation_errors& errors)
{
    return errors.count() > 0 ? std::optional(problem::validation_error(errors.take())) : std::nullopt;
}

std::optional<problem> check_not_wider(const call& c, const std::vector<std::string>& scopes,
                                       const std::optional<db::timestamp>& expires_at)
{
    auto& caller = c.caller();
    if (caller.kind != db::principal::kind_type::api_key)
        return std::nullopt;
    for (auto& scope : scopes)
        if (!permission_table::is_subset({scope}, caller.scopes))
            return deny_permission(c, scope);
    if (caller.expires_at && (!expires_at || *expires_at > *caller.expires_at)) {
        auto too_long = deny_permission(c, "*");
        too_long.detail = "A key cannot outlive the API key that mints or changes it.";
        return too_long;
    }
    return std::nullopt;
}

std::optional<problem> check_member_minting(const call& c)
{
    auto& caller = c.caller();
    if (caller.role != db::role::admin && !caller.members_can_mint)
        return deny_permission(c, manage_all_keys);
    return std::nullopt;
}

std::optional<problem> check_minter(const call& c, schemas::key_owner owner)
{
    if (owner == schemas::key_owner::workspace)
        return has_permission(c, manage_all_keys) ? std::nullopt
                                                  : std::optional(deny_permission(c, manage_all_keys));
    if (auto refused = require_user(c))
        return refused;
    return check_member_minting(c);
}

awaitable<result<db::api_keys::row>> find_key_to_change(call& c, db::api_keys::owner_filter filter)
{
    auto key = co_await db::api_keys::find_by_prefix(c.cx.db, filter, c.params[0]);
    if (!key)
        co_return problem::of(codes::not_found);
    if (key->user_id && key->user_id != c.caller().user_id)
        co_return problem::of(codes::forbidden, "Only its owner can change a personal API key.");
    co_return std::move(*key);
}

} // namespace handlers::api_keys
