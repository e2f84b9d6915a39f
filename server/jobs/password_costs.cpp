#include "server/jobs/password_costs.hpp"

#include "db/tables/users.hpp"

namespace server {

db::awaitable<bool> adopt_common_password_costs(db::pool& db, crypto::hash_pool& hashes)
{
    auto common = co_await db::users::find_common_password_costs(db);
    auto costs = common ? crypto::password_costs::parse(*common) : std::nullopt;
    if (costs)
        hashes.imitate(*costs);
    co_return costs.has_value();
}

} // namespace server
