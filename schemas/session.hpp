// Login sessions.
#pragma once

#include "schemas/engine/types.hpp"
#include "schemas/enums.hpp"

namespace schemas {

/// `kind`: renewed by refresh tokens, or by the cookie of a browser.
struct session_row {
    boost::uuids::uuid id{};
    timestamp created_at{};
    timestamp last_seen_at{};
    std::string ip;
    std::string user_agent;
    bool current = false;
    session_kind kind = session_kind::token;
};
BOOST_DESCRIBE_STRUCT(session_row, (), (id, created_at, last_seen_at, ip, user_agent, current, kind))

} // namespace schemas
