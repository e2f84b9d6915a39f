// Workspace roles.
#pragma once

#include <boost/describe/enum.hpp>

#include <cstdint>

namespace db {

/// The labels of the SQL type workspace_role, most to least privileged.
BOOST_DEFINE_FIXED_ENUM_CLASS(role, std::uint8_t, admin, manager, member)

} // namespace db
