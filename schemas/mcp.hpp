// Arguments and results of Model Context Protocol tools, where they differ from the REST schemas.
#pragma once

#include "schemas/api_key.hpp"
#include "schemas/invite.hpp"
#include "schemas/team.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace schemas {

struct no_arguments {};
BOOST_DESCRIBE_STRUCT(no_arguments, (), ())

/** How the secret of a new key is delivered: in the result, or by a link that shows it once to the first
    visitor. */
enum class key_delivery { secret, claim_url };
BOOST_DESCRIBE_ENUM(key_delivery, secret, claim_url)

struct mint_key_arguments {
    name_text<1, 100> name;
    omittable<scope_list> scopes;
    std::optional<timestamp> expires_at;
    omittable<key_delivery> delivery;
};
BOOST_DESCRIBE_STRUCT(mint_key_arguments, (), (name, scopes, expires_at, delivery))

/// Has either `secret` or `claim_url`.
struct minted_key {
    boost::uuids::uuid id{};
    std::string prefix;
    std::string name;
    omittable<std::string> secret;
    omittable<std::string> claim_url;
    omittable<timestamp> claim_expires_at;
    std::vector<std::string> scopes;
    key_owner owner = key_owner::user;
    timestamp created_at{};
    std::optional<timestamp> expires_at;
};
BOOST_DESCRIBE_STRUCT(minted_key, (),
                      (id, prefix, name, secret, claim_url, claim_expires_at, scopes, owner, created_at,
                       expires_at))

struct key_reference {
    text<1, 64> prefix;
};
BOOST_DESCRIBE_STRUCT(key_reference, (), (prefix))

struct key_revoked {
    std::string prefix;
    bool revoked = true;
};
BOOST_DESCRIBE_STRUCT(key_revoked, (), (prefix, revoked))

struct member_role {
    boost::uuids::uuid user_id{};
    schemas::role role = schemas::role::member;
};
BOOST_DESCRIBE_STRUCT(member_role, (), (user_id, role))

struct member_reference {
    boost::uuids::uuid user_id{};
};
BOOST_DESCRIBE_STRUCT(member_reference, (), (user_id))

struct member_removed {
    boost::uuids::uuid user_id{};
    bool removed = true;
};
BOOST_DESCRIBE_STRUCT(member_removed, (), (user_id, removed))

/** A JSON-RPC 2.0 error. The id of its response is that of the request, or null if none could be read. */
struct rpc_error {
    std::int64_t code = 0;
    std::string message;
    omittable<raw_json> data;
};
BOOST_DESCRIBE_STRUCT(rpc_error, (), (code, message, data))

struct rpc_error_response {
    std::string jsonrpc = "2.0";
    raw_json id;
    rpc_error error;
};
BOOST_DESCRIBE_STRUCT(rpc_error_response, (), (jsonrpc, id, error))

/// Protected resource metadata (RFC 9728).
struct protected_resource {
    std::string resource;
    std::string resource_name;
    std::vector<std::string> bearer_methods_supported;
    std::vector<std::string> scopes_supported;
    std::string resource_documentation;
};
BOOST_DESCRIBE_STRUCT(protected_resource, (),
                      (resource, resource_name, bearer_methods_supported, scopes_supported,
                       resource_documentation))

} // namespace schemas
