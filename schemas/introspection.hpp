// Token introspection (RFC 7662) and revocation (RFC 7009), and the public keys that verify tokens.
#pragma once

#include "schemas/engine/schema.hpp"
#include "schemas/engine/types.hpp"
#include "schemas/enums.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace schemas {

/// The hint is ignored: the token's syntax determines its type.
struct introspection_request {
    opaque_token token;
    omittable<text<1, 64>> token_type_hint;
};
BOOST_DESCRIBE_STRUCT(introspection_request, (), (token, token_type_hint))

struct revocation_request {
    opaque_token token;
    omittable<text<1, 64>> token_type_hint;
};
BOOST_DESCRIBE_STRUCT(revocation_request, (), (token, token_type_hint))

/** An inactive token has no members but `active`. `sub` is omitted for a workspace-owned key; `sid` is the
    session or the key, `wid` the workspace. `permissions` are those granted by role and scopes together. */
struct introspection {
    bool active = false;
    omittable<std::string> scope;
    omittable<std::string> token_type;
    omittable<std::int64_t> exp;
    omittable<std::int64_t> iat;
    omittable<std::string> jti;
    omittable<std::string> iss;
    omittable<std::string> aud;
    omittable<boost::uuids::uuid> sub;
    omittable<boost::uuids::uuid> sid;
    omittable<boost::uuids::uuid> wid;
    omittable<schemas::role> role;
    omittable<credential_type> credential;
    omittable<std::vector<std::string>> permissions;
};
BOOST_DESCRIBE_STRUCT(introspection, (),
                      (active, scope, token_type, exp, iat, jti, iss, aud, sub, sid, wid, role, credential,
                       permissions))

/// A public key (RFC 7517); `y` only for P-256.
struct json_web_key {
    std::string kty;
    std::string crv;
    std::string x;
    omittable<std::string> y;
    std::string kid;
    std::string alg;
    std::string use;
};
BOOST_DESCRIBE_STRUCT(json_web_key, (), (kty, crv, x, y, kid, alg, use))

struct json_web_key_set {
    std::vector<json_web_key> keys;
};
BOOST_DESCRIBE_STRUCT(json_web_key_set, (), (keys))

} // namespace schemas
