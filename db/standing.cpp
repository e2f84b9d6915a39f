#include "db/standing.hpp"

namespace db {

static const statement check_standing{"standing_require", "SELECT require_standing($1, $2, $3, $4)"};

void require_standing(batch& work, const principal& who)
{
    work.add(check_standing, who.credential_id, who.workspace_id, who.user_id, who.role);
}

bool standing_was_lost(const failure& error)
{
    return error.sqlstate() == "LK001";
}

} // namespace db
