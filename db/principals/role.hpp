// What a member may be in a workspace.
#pragma once

#include <boost/describe/enum.hpp>

#include <cstdint>

namespace db {

/// The labels of workspace_role; from the mightiest down.
BOOST_DEFINE_FIXED_ENUM_CLASS(role, std::uint8_t, admin, manager, member)

} // namespace db
