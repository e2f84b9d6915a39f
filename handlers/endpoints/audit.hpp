// The audit trail of the workspace.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/audit.hpp"

namespace handlers::audit {

/// Events that match all filters, newest first.
awaitable<answer<schemas::page<schemas::audit_row>>> list(call& c, query<schemas::audit_query> wanted);

inline constexpr operation operations[] = {
    describes<&list>(
        tags::team, "listAudit", "List audit events",
        "Newest first. Actions: `user.signup`, `user.verify_email`, `user.disown_email`, "
        "`user.change_email`, `user.confirm_email`, `user.disable`, `user.restore`, `password.change`, "
        "`password.reset`, `session.open`, `session.switch`, `session.logout`, `session.end`, "
        "`session.end_others`, `session.revoke`, `session.replace`, `login.failed`, `access.denied`, "
        "`oauth.link`, `oauth.unlink`, `api_key.mint`, `api_key.update`, `api_key.rotate`, `api_key.revoke`, "
        "`api_key.report`, `api_key.claim`, `workspace.create`, `workspace.update`, `workspace.transfer`, "
        "`team.join`, `team.set_role`, `team.remove`, `team.leave`, `invite.create`, `invite.resend`, "
        "`invite.cancel`, `request.approve`, `request.reject`. A wrong password "
        "(`login.failed`, the account is the target) and a 403 "
        "`forbidden_scope` (`access.denied`) are aggregated: one event for an account or a credential within "
        "ten minutes, which describes the first and has the number as `details.count`. It appears a few "
        "seconds later. What identifies a person is erased with the account: events remain without actor, "
        "address and client."),
};

} // namespace handlers::audit
