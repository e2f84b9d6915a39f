// API key policy: which keys a caller has access to, and the rights that a key may be given.
#pragma once

#include "db/principals/principal.hpp"
#include "db/tables/api_keys.hpp"
#include "handlers/http/fwd.hpp"
#include "handlers/http/problem.hpp"
#include "schemas/api_key.hpp"
#include "schemas/engine/validation_error.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handlers::api_keys {

/// The permission to manage every key of the workspace.
inline constexpr std::string_view manage_all_keys = "api_keys:admin";

/// The keys that the caller has access to: their own, or with api_keys:admin every key of the workspace.
result<db::api_keys::owner_filter> owner_filter_of(const call& c);

/** Reads the filters of a list of keys.
    @param name the list's: gains the filters, since a cursor is valid for these alone
    @return 422 where they contradict each other */
std::optional<problem> read_filters(const schemas::api_key_query& wanted, db::api_keys::query& keys,
                                    std::string& name);

/// Adds an error for each unknown scope.
void check_scopes(const call& c, const std::vector<std::string>& scopes, schemas::validation_errors& errors);

/// Adds an error for an expiry that has passed.
void check_expiry(const call& c, const std::optional<db::timestamp>& expires_at,
                  schemas::validation_errors& errors);

/// 422 with the errors, if there are any.
std::optional<problem> error_of(schemas::validation_errors& errors);

/// A call made with a key must not yield a key with more scopes or a longer life than that key.
std::optional<problem> check_not_wider(const call& c, const std::vector<std::string>& scopes,
                                       const std::optional<db::timestamp>& expires_at);

/// Callers other than admins may mint, rotate or change keys only where the workspace's settings allow it.
std::optional<problem> check_member_minting(const call& c);

/// Whether the caller may mint keys for this owner.
std::optional<problem> check_minter(const call& c, schemas::key_owner owner);

/** The key in the path, if the caller may change it. Admins may see and revoke another user's key but not
    change it: its successor would act as that user. */
awaitable<result<db::api_keys::row>> find_key_to_change(call& c, db::api_keys::owner_filter filter);

} // namespace handlers::api_keys
