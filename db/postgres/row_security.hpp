// Tenant isolation by PostgreSQL row-level security, in addition to every statement's WHERE clause.
#pragma once

#include "db/postgres/statement.hpp"

#include <string_view>

namespace db {

/* A batch with in_workspace() runs as the role latchkey_workspace, which row-level security policies confine
   to the rows of that workspace (migrations/0005_row_security.sql): a missing condition in a statement leaks
   nothing. Statements about no single workspace, above all credential lookups, run as the owner of the
   tables, who is exempt from the policies.

   Creating the role takes a privilege that the database's owner may lack. Without it row-level security is
   off and the WHERE clauses are the only isolation. Each connection checks once, when it is made;
   row_security_enabled() in db/postgres/pool.hpp checks on demand. */

/// Ahead of the statements of a batch in a workspace. $1 is the workspace. Ends with the transaction.
extern const statement set_workspace_role;

/// Sent instead where row-level security is off: the same parameter and number of results, without an effect.
extern const statement keep_role;

/// Returns one boolean: whether row-level security is in effect for the current user.
extern const statement check_row_security;

/// The remedy to show an operator where it is not.
inline constexpr std::string_view how_to_enable_row_security =
    "as a superuser: CREATE ROLE latchkey_workspace NOLOGIN; GRANT latchkey_workspace TO <the role of "
    "LATCHKEY_DATABASE_URL>; then run `latchkey migrate` and restart";

} // namespace db
