#include "db/tables/row_locks.hpp"

#include <string_view>

namespace db {

static const statement lock_account_for_deletion{"row_locks_for_deletion",
                                                 "SELECT lock_account_for_deletion($1)"};

static const statement lock_all_rows{"row_locks_all", "SELECT lock_rows($1, $2, $3, $4, $5, $6, $7, $8)"};

namespace {

std::string_view name_of(lock_strength strength)
{
    switch (strength) {
    case lock_strength::key_share:
        return "key share";
    case lock_strength::share:
        return "share";
    case lock_strength::no_key_update:
        return "no key update";
    case lock_strength::update:
        break;
    }
    return "update";
}

} // namespace

const statement& lock_rows_statement()
{
    return lock_all_rows;
}

void add_locks(batch& work, const row_locks& rows)
{
    if (rows.empty())
        return;
    if (rows.deleted_user)
        work.add(lock_account_for_deletion, *rows.deleted_user);
    work.add(lock_all_rows, rows.workspaces, name_of(rows.workspace_strength), rows.users,
             name_of(rows.user_strength), rows.with_join_requests, rows.sessions, rows.sessions_of,
             rows.api_keys);
}

} // namespace db
