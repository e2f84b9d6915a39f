// Invites into the workspace: created, resent, cancelled.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/invite.hpp"

#include <variant>

namespace handlers::invites {

/** Invites several people at once, each by an email with a link. 201 if any was invited; else 409, or 403 if
    the caller may grant none of the roles. */
awaitable<std::variant<schemas::invite_outcomes, with_status<schemas::invites_refused>, problem>>
create(call& c, schemas::invite_batch body);

/// Open invites, oldest first.
awaitable<answer<schemas::page<schemas::invite_row>>> list(call& c, query<schemas::page_query> wanted);

/// Emails a new link. Earlier links become invalid.
awaitable<answer<no_content>> resend(call& c);

awaitable<answer<no_content>> cancel(call& c);

inline constexpr operation operations[] = {
    describes<&create>(
        tags::invites, "createInvites", "Invite users by email",
        "The caller's email address must be verified. Each row of the batch has its own result. 201 if "
        "at least one invite was created.")
        .fails_with(own_body(codes::conflict), own_body(codes::already_member),
                    own_body(codes::forbidden_scope)),
    describes<&list>(tags::invites, "listInvites", "List open invites"),
    describes<&resend>(
        tags::invites, "resendInvite", "Send an invite again",
        "With a new token; the previous one is no longer valid. The caller's email address must be "
        "verified.")
        .fails_with(codes::forbidden_scope),
    describes<&cancel>(tags::invites, "cancelInvite", "Cancel an invite").fails_with(codes::forbidden_scope),
};

} // namespace handlers::invites
