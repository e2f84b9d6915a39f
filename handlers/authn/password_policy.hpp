// Password policy: a new password is checked for strength, then hashed.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"

#include <string>

namespace handlers {

/** The hash of a new password, for storage. Waits for a hash worker, which checks the strength as well.
    @param email, name of the account; a password made of these is weak. May be empty
    @return 422 weak_password if it is too easy to guess
    @throw crypto::overloaded */
awaitable<result<std::string>> hash_new_password(context& cx, std::string password, std::string email,
                                                 std::string name);

} // namespace handlers
