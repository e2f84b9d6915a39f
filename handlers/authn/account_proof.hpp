// Account proof: whether the reader of an address's mail is also the person who made its account.
#pragma once

#include "db/tables/users.hpp"
#include "handlers/authn/new_account.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "schemas/engine/types.hpp"

#include <optional>

namespace handlers {

/** Whether the request comes from the person who made the account: it carries a live session of the account,
    or its password. Any other credential counts as none. A wrong password counts against the login limits.
    @return false if the request carries neither; 403 invalid_credentials for a wrong password, or 429 */
awaitable<result<bool>> knows_account(call& c, const db::users::row& user,
                                      std::optional<schemas::existing_password> password);

/// What the functions below lock, for the unit of work that they are added to.
/// @param replaced null: no account has the address
db::row_locks locks_of(const new_account& account, const db::users::row* replaced);

/// Adds a new account with a verified address, and resolves its join request if it is proved.
void add_verified_account(unit_of_work& tx, const new_account& account);

/** Adds the replacement of an unproved account by a new one with the same, verified address, which shares
    nothing with the old one (account pre-hijacking). Commit with the default commit(): the principals
    of the old account are added to the invalidation. */
awaitable<void> replace_unproved_account(unit_of_work& tx, call& c, const db::users::row& old,
                                         const new_account& account);

} // namespace handlers
