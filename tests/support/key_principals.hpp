// Whether api_key_principals is what the tables that it is made from say.
#pragma once

#include "tests/support/postgres.hpp"

#include <string>

namespace support {

/// A query for the rows that are missing, wrong or left over, as text; null if there are none.
inline constexpr const char* compare_key_principals = R"(
    WITH stored AS (
        SELECT id, digest, prefix, user_id, workspace_id, membership_id, role, is_owner, email_verified,
               user_disabled, expires_at, scopes
        FROM api_key_principals)
    SELECT string_agg(what || ' ' || found, E'\n')
    FROM (SELECT 'stored:' AS what, only_stored::text AS found
          FROM (TABLE stored EXCEPT TABLE api_key_principal_source) AS only_stored
          UNION ALL
          SELECT 'source:', only_source::text
          FROM (TABLE api_key_principal_source EXCEPT TABLE stored) AS only_source) AS different)";

/// @return what the query above finds
inline std::string stale_key_principals(const std::string& conninfo)
{
    return sql(conninfo, compare_key_principals);
}

} // namespace support
