#include "handlers/authn/password_policy.hpp"

#include "crypto/password_strength.hpp"

namespace handlers {

awaitable<std::variant<std::string, problem>> hash_new_password(context& cx, std::string password,
                                                                std::string email, std::string name)
{
    auto hash =
        co_await cx.hashers.hash_unless_guessable(std::move(password), crypto::own_words(email, name));
    if (!hash)
        co_return problem::weak_password();
    co_return std::move(*hash);
}

} // namespace handlers
