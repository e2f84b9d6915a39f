// A password about to be set: judged, then hashed.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"

#include <string>
#include <variant>

namespace handlers {

/** The hash to store of a new password. Waits for a hasher, which judges it too.
    @param email, name the person's own, which count as known to whoever guesses; may be empty
    @return 422 weak_password instead if it is too easy to guess
    @throw crypto::overloaded */
awaitable<std::variant<std::string, problem>> hash_new_password(context& cx, std::string password,
                                                                std::string email, std::string name);

} // namespace handlers
