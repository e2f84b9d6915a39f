// Somebody who is about to have an account, and a workspace of which they are the owner.
#pragma once

#include "db/batch.hpp"
#include "handlers/context.hpp"

#include <optional>
#include <string>

namespace handlers {

struct newcomer {
    newcomer();

    db::uuid user, workspace;
    std::string email, email_normalized;
    std::optional<std::string> password_hash; ///< nothing: signs in otherwise
    std::optional<std::string> name;
    std::optional<std::string> workspace_name; ///< nothing: after the person
    bool email_verified = false;
};

/** Person, workspace and membership: three answers, in this order. The batch fails on users_email_key if the address
    has an account. */
void add_newcomer(db::batch& work, const newcomer& who);

} // namespace handlers
