#include "db/postgres/row_security.hpp"

namespace db {

// Both settings are local to the transaction, and so to the batch.
const statement set_workspace_role{"row_security_set_role", R"(
    SELECT set_config('role', 'latchkey_workspace', true), set_config('latchkey.workspace', $1, true))"};

const statement keep_role{"row_security_keep_role", "SELECT $1::uuid"};

const statement check_row_security{"row_security_check", "SELECT row_security_enabled()"};

} // namespace db
