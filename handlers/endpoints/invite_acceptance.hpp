// Invites as the invited person sees them: previewed and accepted.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/account.hpp"
#include "schemas/invite.hpp"

#include <variant>

namespace handlers::invite_acceptance {

using invite_closed = with_status<schemas::invite_closed>;

/// The workspace, role and inviter of an invite. Does not consume its token.
awaitable<std::variant<schemas::invite_preview, invite_closed, problem>> preview(call& c,
                                                                                 schemas::email_token body);

/** Makes the invitee a member, and signs them in to the workspace. A new user chooses a password and is
    verified by the link; the owner of an existing account authenticates by a session or by the password:
    membership is never granted without their action. */
awaitable<std::variant<schemas::invite_accepted, invite_closed, problem>> accept(call& c,
                                                                                 schemas::invite_accept body);

inline constexpr operation operations[] = {
    describes<&preview>(tags::invites, "previewInvite", "Show an invite",
                        "Shows the bearer of the link the workspace to join. Does not use up the token.")
        .fails_with(codes::invalid_token, own_body(codes::invalid_token)),
    describes<&accept>(
        tags::invites, "acceptInvite", "Accept an invite",
        "A new user sets a password. An existing user authenticates, by password or by the credential of a "
        "session.")
        .fails_with(codes::invalid_token, own_body(codes::invalid_token), codes::bad_request,
                    codes::unauthorized, codes::token_expired, codes::invalid_credentials, codes::forbidden,
                    codes::wrong_account, codes::account_disabled, codes::email_not_verified,
                    codes::already_member, codes::conflict, codes::weak_password),
};

} // namespace handlers::invite_acceptance
