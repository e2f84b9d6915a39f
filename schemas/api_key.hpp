// API keys: create, list, change, rotate, report.
#pragma once

#include "schemas/engine/types.hpp"
#include "schemas/enums.hpp"
#include "schemas/page.hpp"

namespace schemas {

struct api_key_create {
    name_text<1, 100> name;
    /// Absent means all scopes, so null is rejected rather than taken for absent.
    omittable<scope_list> scopes;
    std::optional<timestamp> expires_at;
    std::optional<key_owner> owner;
    std::optional<schemas::role> role;
};
BOOST_DESCRIBE_STRUCT(api_key_create, (), (name, scopes, expires_at, owner, role))

/// The only schema with a key's secret.
struct api_key_created {
    boost::uuids::uuid id{};
    std::string prefix;
    std::string name;
    std::string secret;
    std::vector<std::string> scopes;
    key_owner owner = key_owner::user;
    timestamp created_at{};
    std::optional<timestamp> expires_at;
};
BOOST_DESCRIBE_STRUCT(api_key_created, (), (id, prefix, name, secret, scopes, owner, created_at, expires_at))

struct api_key_row {
    boost::uuids::uuid id{};
    std::string prefix;
    std::string name;
    std::vector<std::string> scopes;
    key_owner owner = key_owner::user;
    timestamp created_at{};
    std::optional<timestamp> expires_at;
    std::optional<timestamp> last_used_at;
    std::optional<timestamp> revoked_at;
};
BOOST_DESCRIBE_STRUCT(api_key_row, (),
                      (id, prefix, name, scopes, owner, created_at, expires_at, last_used_at, revoked_at))

/// Null removes the expiry; name and scopes cannot be removed.
struct api_key_patch {
    omittable<name_text<1, 100>> name;
    omittable<scope_list> scopes;
    clearable<timestamp> expires_at;
};
BOOST_DESCRIBE_STRUCT(api_key_patch, (), (name, scopes, expires_at))

/// `grace_seconds`: how long the replaced key stays valid, at most a week.
struct api_key_rotate {
    std::optional<integer<0, 604800>> grace_seconds;
};
BOOST_DESCRIBE_STRUCT(api_key_rotate, (), (grace_seconds))

struct api_key_report {
    opaque_token key;
};
BOOST_DESCRIBE_STRUCT(api_key_report, (), (key))

/// `expires_before`: of the active keys those that end before it.
struct api_key_query {
    page_limit limit;
    omittable<std::string> cursor;
    omittable<key_status> status;
    omittable<timestamp> expires_before;
};
BOOST_DESCRIBE_STRUCT(api_key_query, (), (limit, cursor, status, expires_before))

} // namespace schemas
