// Join requests: users with an address of the workspace's domain who wait for approval.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/team.hpp"

namespace handlers::join_requests {

awaitable<answer<schemas::page<schemas::join_request>>> list(call& c, query<schemas::page_query> wanted);

/// Makes the user a member. 409 email_not_verified before they have verified the address.
awaitable<answer<schemas::team_row>> approve(call& c);

awaitable<answer<no_content>> reject(call& c);

inline constexpr operation operations[] = {
    describes<&list>(tags::team, "listJoinRequests", "List requests to join",
                     "Of users who signed up with an email address of the workspace's domain."),
    describes<&approve>(tags::team, "approveJoinRequest", "Approve a request to join")
        .fails_with(codes::email_not_verified.with_status(409)),
    describes<&reject>(tags::team, "rejectJoinRequest", "Reject a request to join"),
};

} // namespace handlers::join_requests
