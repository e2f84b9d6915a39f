// What a member may be in a workspace.
#pragma once

#include <boost/describe/enum.hpp>

namespace db {

/// The labels of workspace_role; from the mightiest down.
BOOST_DEFINE_ENUM_CLASS(role, admin, manager, member)

} // namespace db
