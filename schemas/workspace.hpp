// A workspace and a person's place in it.
#pragma once

#include "schemas/roles.hpp"
#include "schemas/types.hpp"

namespace schemas {

struct workspace {
    boost::uuids::uuid id{};
    std::string name;
    boost::uuids::uuid owner_id{};
    timestamp created_at{};
};
BOOST_DESCRIBE_STRUCT(workspace, (), (id, name, owner_id, created_at))

struct membership {
    schemas::role role = schemas::role::member;
    bool is_owner = false;
    timestamp joined_at{};
};
BOOST_DESCRIBE_STRUCT(membership, (), (role, is_owner, joined_at))

} // namespace schemas
