#include "db/tables/credential_checks.hpp"

namespace db {

static const statement check_standing{"standing_require", "SELECT require_standing($1, $2, $3, $4, $5)"};

static void add_check(batch& work, const principal& who, bool alone)
{
    work.add(check_standing, who.credential_id, who.workspace_id, who.user_id, who.role, alone);
}

void require_standing(batch& work, const principal& who)
{
    add_check(work, who, false);
}

void require_sole_standing(batch& work, const principal& who)
{
    add_check(work, who, true);
}

static const statement check_password_version{"standing_password", "SELECT require_password_version($1, $2)"};

void require_password_version(batch& work, const uuid& user_id, std::int32_t version)
{
    work.add(check_password_version, user_id, version);
}

bool standing_was_lost(const failure& error)
{
    return error.sqlstate() == "LK001";
}

} // namespace db
