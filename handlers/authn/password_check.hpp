// Password checks, and the renewal of outdated hashes.
#pragma once

#include "handlers/http/context.hpp"
#include "schemas/engine/types.hpp"

#include <optional>
#include <string>

namespace handlers {

/** Whether the password is that of a stored hash. Tried in its normalized form first, then as received, since
    older hashes are of unnormalized passwords. A hash that matched as received, or has outdated cost
    parameters, is replaced; if that fails, the next check tries again.

    The number of hashes of a wrong password depends on its text alone, so the time does not tell whether an
    account exists.
    @param user the account of the hash; nothing if there is none
    @param hash empty: no account, or one without a password
    @throw crypto::overloaded */
awaitable<bool> check_password(context& cx, schemas::existing_password password, std::optional<db::uuid> user,
                               std::string hash);

} // namespace handlers
