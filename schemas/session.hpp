// Login sessions.
#pragma once

#include "schemas/engine/types.hpp"

namespace schemas {

struct session_row {
    boost::uuids::uuid id{};
    timestamp created_at{};
    timestamp last_seen_at{};
    std::string ip;
    std::string user_agent;
    bool current = false;
};
BOOST_DESCRIBE_STRUCT(session_row, (), (id, created_at, last_seen_at, ip, user_agent, current))

} // namespace schemas
