// Invitees: authentication of the person who accepts an invite.
#pragma once

#include "db/tables/invites.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "schemas/invite.hpp"

#include <optional>
#include <string>

namespace handlers {

/// An authenticated invitee, and the transaction that will make them a member.
struct invitee {
    /// Begins with the checks and changes that the authentication calls for.
    unit_of_work tx;
    db::uuid user_id{};
    /// The invite's address, if the link in its email is what verifies it.
    std::optional<std::string> verified_email{};
    /// Authenticated by a session, which is kept.
    bool has_session = false;
    /// The account is inserted by the transaction.
    bool is_new = false;
};

/** Authenticates the invitee in the first way that applies: by the session of the request; as a new account;
    by the account's password; or, where the account was never proved, by the link itself, which
    then replaces the account.
    @return 401, 403, 422 or 429 if that fails */
awaitable<result<invitee>> authenticate_invitee(call& c, const db::invites::preview& invite,
                                                schemas::invite_accept body);

} // namespace handlers
