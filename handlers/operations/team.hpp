// Operations of workspaces, team members, join requests, the audit trail and invites.
#pragma once

#include "handlers/endpoints/api_keys.hpp"
#include "handlers/endpoints/audit.hpp"
#include "handlers/endpoints/invite_acceptance.hpp"
#include "handlers/endpoints/invites.hpp"
#include "handlers/endpoints/join_requests.hpp"
#include "handlers/endpoints/team.hpp"
#include "handlers/endpoints/workspaces.hpp"
#include "handlers/openapi/operation.hpp"

namespace handlers::operations {

inline constexpr operation team[] = {
    describes<&workspaces::list>(tags::workspaces, "listWorkspaces", "List the caller's workspaces")
        .fails_with(codes::forbidden),
    describes<&workspaces::create>(tags::workspaces, "createWorkspace", "Create a workspace",
                                   "The caller is its owner.")
        .fails_with(codes::forbidden, codes::not_found),
    describes<&workspaces::switch_to>(
        tags::workspaces, "switchWorkspace", "Get an access token for another workspace",
        "The session and its refresh token stay the same. Not available to API keys: a key belongs to one "
        "workspace.")
        .fails_with(codes::forbidden),
    describes<&workspaces::show>(tags::workspaces, "showWorkspace", "Show the workspace of the credential")
        .fails_with(codes::not_found),
    describes<&workspaces::update>(tags::workspaces, "updateWorkspace", "Change the workspace's settings")
        .fails_with(codes::not_found),

    describes<&team::list>(tags::team, "listTeam", "List members and pending invites"),
    describes<&team::set_role>(tags::team, "setRole", "Change a member's role",
                               "Takes effect with the member's next request, on every node.")
        .fails_with(codes::last_admin, codes::owner_protected),
    describes<&team::remove>(
        tags::team, "removeMember", "Remove a member, or leave",
        "Needs `team:remove`, except for the caller's own membership. Ends the member's sessions and API "
        "keys for this workspace.")
        .fails_with(codes::forbidden_scope, codes::last_admin, codes::owner_protected),
    describes<&team::preview_removal>(
        tags::team, "previewRemoval", "List the API keys that a removal would revoke",
        "The keys that the member holds for this workspace. Needs `team:remove`, except for the caller's own "
        "membership.")
        .fails_with(codes::forbidden_scope),
    describes<&team::transfer_ownership>(tags::team, "transferOwnership",
                                         "Transfer the ownership of the workspace", "Only for its owner.")
        .fails_with(codes::forbidden, codes::invalid_credentials.with_status(403),
                    codes::reauthentication_required, codes::not_found, codes::conflict),
    describes<&team::list_keys>(tags::team, "listTeamApiKeys", "List all API keys of the workspace"),
    describes<&api_keys::revoke>(tags::team, "revokeTeamApiKey", "Revoke any API key of the workspace"),
    describes<&join_requests::list>(
        tags::team, "listJoinRequests", "List requests to join",
        "Of users who signed up with an email address of the workspace's domain."),
    describes<&join_requests::approve>(tags::team, "approveJoinRequest", "Approve a request to join")
        .fails_with(codes::email_not_verified.with_status(409)),
    describes<&join_requests::reject>(tags::team, "rejectJoinRequest", "Reject a request to join"),
    describes<&audit::list>(
        tags::team, "listAudit", "List audit events",
        "Newest first. Actions: `user.signup`, `user.verify_email`, `user.change_email`, "
        "`user.confirm_email`, `user.disable`, `user.restore`, `password.change`, `password.reset`, "
        "`session.open`, `session.switch`, `session.logout`, `session.end`, `session.end_others`, "
        "`session.revoke`, `oauth.link`, `oauth.unlink`, `api_key.mint`, `api_key.update`, "
        "`api_key.rotate`, `api_key.revoke`, `api_key.report`, `api_key.claim`, `workspace.create`, "
        "`workspace.update`, `workspace.transfer`, `team.join`, `team.set_role`, `team.remove`, "
        "`team.leave`, `invite.create`, `invite.resend`, `invite.cancel`, `request.approve`, "
        "`request.reject`."),

    describes<&invites::create>(
        tags::invites, "createInvites", "Invite users by email",
        "Each row of the batch has its own result. 201 if at least one invite was created.")
        .fails_with(own_body(codes::conflict), own_body(codes::already_member),
                    own_body(codes::forbidden_scope)),
    describes<&invites::list>(tags::invites, "listInvites", "List open invites"),
    describes<&invites::resend>(tags::invites, "resendInvite", "Send an invite again",
                                "With a new token; the previous one is no longer valid.")
        .fails_with(codes::forbidden_scope),
    describes<&invites::cancel>(tags::invites, "cancelInvite", "Cancel an invite")
        .fails_with(codes::forbidden_scope),
    describes<&invite_acceptance::preview>(
        tags::invites, "previewInvite", "Show an invite",
        "Shows the bearer of the link the workspace to join. Does not use up the token.")
        .fails_with(codes::invalid_token, own_body(codes::invalid_token)),
    describes<&invite_acceptance::accept>(
        tags::invites, "acceptInvite", "Accept an invite",
        "A new user sets a password. An existing user authenticates, by password or by the credential of a "
        "session.")
        .fails_with(codes::invalid_token, own_body(codes::invalid_token), codes::bad_request,
                    codes::unauthorized, codes::token_expired, codes::invalid_credentials, codes::forbidden,
                    codes::wrong_account, codes::account_disabled, codes::email_not_verified,
                    codes::already_member, codes::conflict, codes::weak_password),
};

} // namespace handlers::operations
