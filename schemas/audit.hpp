// Audit events, and the query for them.
#pragma once

#include "schemas/engine/types.hpp"
#include "schemas/page.hpp"

namespace schemas {

/// Both are null for events without an actor, or a deleted one; a workspace-owned key has no user.
struct audit_actor {
    std::optional<boost::uuids::uuid> user_id;
    std::optional<boost::uuids::uuid> credential;
};
BOOST_DESCRIBE_STRUCT(audit_actor, (), (user_id, credential))

struct audit_row {
    boost::uuids::uuid id{};
    timestamp at{};
    std::string action;
    audit_actor actor;
    std::optional<std::string> target;
    std::string ip;
    std::string user_agent;
    std::string request_id;
    raw_json details;
};
BOOST_DESCRIBE_STRUCT(audit_row, (), (id, at, action, actor, target, ip, user_agent, request_id, details))

/// `since` is inclusive, `until` exclusive.
struct audit_query {
    page_limit limit;
    omittable<std::string> cursor;
    omittable<text<1, 64>> action;
    omittable<boost::uuids::uuid> actor;
    omittable<boost::uuids::uuid> credential;
    omittable<text<1, 128>> target;
    omittable<timestamp> since;
    omittable<timestamp> until;
};
BOOST_DESCRIBE_STRUCT(audit_query, (), (limit, cursor, action, actor, credential, target, since, until))

} // namespace schemas
