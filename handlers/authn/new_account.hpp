// Somebody who is about to have an account: with a workspace of their own, or asking to join another's.
#pragma once

#include "db/postgres/batch.hpp"
#include "handlers/http/context.hpp"

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
    std::optional<db::uuid>
        workspace_to_join; ///< the workspace of their address's domain, instead of one of their own
    bool email_verified = false;
};

/** Person, workspace and membership: three answers, in this order; or the person and a request to join. The
   batch fails on users_email_key if the address has an account. */
void add_newcomer(db::batch& work, const newcomer& who);

/** The workspace that people with an address of this domain ask to join, if there is one. */
awaitable<std::optional<db::uuid>> find_workspace_to_join(context& cx, std::string_view email_normalized);

/** The workspace that they own, if they own one. */
std::optional<db::uuid> own_workspace(const newcomer& who);

} // namespace handlers
