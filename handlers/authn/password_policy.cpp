#include "handlers/authn/password_policy.hpp"

#include "crypto/hash_pool.hpp"
#include "crypto/password_strength.hpp"
#include "db/postgres/pool.hpp"

namespace handlers {

awaitable<result<std::string>> hash_new_password(context& cx, std::string password, std::string email,
                                                 std::string name)
{
    auto hash = co_await cx.hash_pool.hash_if_strong(std::move(password), crypto::user_inputs(email, name));
    if (!hash)
        co_return problem::of(codes::weak_password);
    co_return std::move(*hash);
}

} // namespace handlers
