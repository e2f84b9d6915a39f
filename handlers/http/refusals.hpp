// Refused sign-ins and rights: recorded in the audit trail, off the request path.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"

#include <string_view>

namespace handlers {

/// Counts the request as refused in the usage of its credential, once.
void count_refusal(const call& c);

/** The error of a caller who lacks a permission. Counts it as `access.denied` in the audit trail of the
    credential's workspace, and as a refusal in its usage. Only for a refusal that is returned to the client.
 */
problem deny_permission(const call& c, std::string_view permission);

/** Counts a wrong password as `login.failed` in the audit trail of the caller's workspace, or of the one that
    the account would sign in to. Never for an address without an account, of which no trail exists. */
void record_failed_login(const call& c, const db::uuid& account);

} // namespace handlers
