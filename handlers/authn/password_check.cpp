#include "handlers/authn/password_check.hpp"

#include "crypto/hash_pool.hpp"
#include "crypto/password.hpp"
#include "crypto/wipe.hpp"
#include "db/postgres/error.hpp"
#include "db/tables/users.hpp"
#include "handlers/http/settings.hpp"

namespace handlers {

namespace {

/// Stores a hash with the current parameters of the normalized password.
awaitable<void> renew_hash(context& cx, db::uuid user, std::string password, std::string old_hash)
{
    try {
        auto hash = co_await cx.hash_pool.hash(std::move(password));
        co_await db::users::update_password_hash(cx.db, user, std::move(old_hash), std::move(hash));
    } catch (const crypto::overloaded&) {
    } catch (const db::failure&) {
    }
}

} // namespace

awaitable<bool> check_password(context& cx, schemas::existing_password password, std::optional<db::uuid> user,
                               std::string hash)
{
    crypto::secret_text normalized(std::move(password.value));
    std::string candidate(normalized.view());
    bool matches = co_await cx.hash_pool.verify(std::move(candidate), hash);
    bool is_outdated = crypto::needs_rehash(hash, cx.config.password_costs);
    if (password.as_received && matches) {
        crypto::wipe(*password.as_received);
    } else if (password.as_received) {
        matches = co_await cx.hash_pool.verify(std::move(*password.as_received), hash);
        is_outdated = true;
    }
    if (matches && is_outdated && user) {
        std::string renewed(normalized.view());
        co_await renew_hash(cx, *user, std::move(renewed), std::move(hash));
    }
    co_return matches;
}

} // namespace handlers
