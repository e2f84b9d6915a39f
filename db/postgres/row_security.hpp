// A second wall between workspaces, behind the conditions of the statements: PostgreSQL's row security.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/postgres/statement.hpp"

#include <string_view>

namespace db {

/* A batch that is within() a workspace runs as a role whose rows PostgreSQL confines to that workspace
   (migrations/0005_row_security.sql): a condition that a statement lacks leaks nothing. What is not about one
   workspace, the look-ups of credentials before all, runs as the owner of the tables, whom row security does
   not concern.

   Making that role takes a privilege that the database's owner may lack. Without it the wall does not stand,
   and the conditions of the statements are all there is. Every connection asks once, when it is made. */

/// Sent in front of a batch within a workspace. $1 is the workspace. Its effect ends with the batch.
extern const statement enter_workspace;

/// Answers one boolean: whether the wall stands, for whoever asks.
extern const statement ask_for_wall;

/// What to do where it does not.
inline constexpr std::string_view how_to_raise_wall =
    "as a superuser: CREATE ROLE latchkey_workspace NOLOGIN; GRANT latchkey_workspace TO <the role of "
    "LATCHKEY_DATABASE_URL>; then run `latchkey migrate` and restart";

/** Whether batches within a workspace are held to it by PostgreSQL. @throw failure as pool::run */
awaitable<bool> wall_stands(pool& db);

} // namespace db
