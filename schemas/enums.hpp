// Enums shared by several schemas.
#pragma once

#include <boost/describe/enum.hpp>

namespace schemas {

enum class role { admin, manager, member };
BOOST_DESCRIBE_ENUM(role, admin, manager, member)

enum class key_owner { user, workspace };
BOOST_DESCRIBE_ENUM(key_owner, user, workspace)

enum class key_status { active, revoked, expired };
BOOST_DESCRIBE_ENUM(key_status, active, revoked, expired)

enum class credential_type { session, api_key };
BOOST_DESCRIBE_ENUM(credential_type, session, api_key)

enum class session_kind { token, browser };
BOOST_DESCRIBE_ENUM(session_kind, token, browser)

enum class token_type { bearer };
BOOST_DESCRIBE_ENUM(token_type, bearer)

} // namespace schemas
