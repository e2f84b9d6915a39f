#include "db/postgres/row_security.hpp"

namespace db {

// Both settings last as long as the transaction, which the batch is.
const statement enter_workspace{"wall_enter", R"(
    SELECT set_config('role', 'latchkey_workspace', true), set_config('latchkey.workspace', $1, true))"};

const statement ask_for_wall{"wall_ask", "SELECT wall_stands()"};

awaitable<bool> wall_stands(pool& db)
{
    auto answer = co_await db.run(ask_for_wall);
    co_return answer.scalar<bool>();
}

} // namespace db
