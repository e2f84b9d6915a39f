#include "db/tables/credential_checks.hpp"

#include "db/postgres/sqlstate.hpp"

#include <optional>
#include <string>
#include <vector>

namespace db {

static const statement check_credential{
    "credential_checks_require_valid",
    "SELECT require_valid_credential($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"};

static void add_check(batch& work, const principal& caller, bool exclusive)
{
    std::optional<std::vector<std::string>> scopes;
    std::optional<timestamp> expires_at;
    if (caller.kind == principal::kind_type::api_key) {
        scopes = caller.scopes.names();
        expires_at = caller.expires_at;
    }
    work.add(check_credential, caller.credential_id, caller.workspace_id, caller.user_id,
             caller.membership_id, caller.role, caller.is_owner, caller.members_can_mint, scopes, expires_at,
             exclusive);
}

void require_valid_credential(batch& work, const principal& caller)
{
    add_check(work, caller, false);
}

void require_valid_credential_exclusive(batch& work, const principal& caller)
{
    add_check(work, caller, true);
}

static const statement check_password{"credential_checks_require_password",
                                      "SELECT require_unchanged_password($1, $2)"};

void require_unchanged_password(batch& work, const uuid& user_id, std::int32_t version)
{
    work.add(check_password, user_id, version);
}

bool credential_was_revoked(const failure& error)
{
    return error.sqlstate() == sqlstate::credential_revoked;
}

bool rights_have_changed(const failure& error)
{
    return error.sqlstate() == sqlstate::rights_changed;
}

} // namespace db
