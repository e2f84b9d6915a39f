// Session issuing: the last step of every way to sign in.
#pragma once

#include "db/tables/browser_sessions.hpp"
#include "db/tables/row_locks.hpp"
#include "db/tables/sessions.hpp"
#include "db/tables/users.hpp"
#include "handlers/http/handler.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "schemas/auth.hpp"
#include "schemas/workspace.hpp"

#include <array>
#include <cstdint>
#include <optional>

namespace handlers {

/// A session about to be inserted.
struct new_session {
    new_session();

    db::uuid id;
    std::array<std::uint8_t, 16> salt;
};

/** The session's row: of the kind that the call is for, with refresh tokens or for a browser. It refers to
   the session's salt and to the request's origin. */
db::sessions::draft make_draft(const new_session& session, const call& c, const audit_context& origin,
                               const db::uuid& user);

/// Records the user's device, and emails the user if they never signed in from it before.
void record_device(unit_of_work& tx, const call& c, const db::uuid& user);

/// The session of the browser's cookie, which a new one of this browser replaces; nothing for calls that are
/// not for a browser. Its row and its workspace have to be among the locks of the transaction that ends it.
awaitable<std::optional<db::browser_sessions::row>> find_replaced_session(call& c);

/// Adds what end_replaced_session() locks.
void add_locks_of(const std::optional<db::browser_sessions::row>& replaced, db::row_locks& locks);

/// Ends the session, if there is one. @param replaced as find_replaced_session() returned it
void end_replaced_session(unit_of_work& tx, const std::optional<db::browser_sessions::row>& replaced);

/** Opens a session for an account after its owner was authenticated.
    @return without tokens if it is a browser's; 401 invalid_credentials if its password or state has changed
    since */
awaitable<answer<schemas::login_result>> open_session(call& c, db::users::account account);

/** Switches the caller's session to another of the user's workspaces, and issues an access token for it.
    @return nothing if the user is not a member there, or the session has ended */
awaitable<std::optional<schemas::workspace_token>> switch_workspace(call& c, db::uuid workspace);

/// Why an authenticated user may not sign in: account_disabled, email_not_verified; nothing if they may.
std::optional<problem> check_account(const settings& config, const db::users::row& user);

} // namespace handlers
