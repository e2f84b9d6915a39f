// The end of every way to sign in: a session is opened.
#pragma once

#include "db/postgres/batch.hpp"
#include "db/tables/sessions.hpp"
#include "db/tables/users.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/endpoint.hpp"
#include "schemas/auth.hpp"
#include "schemas/workspace.hpp"

#include <array>
#include <cstdint>

namespace handlers {

/** A session about to be opened. Its salt must outlive the batch it is added to. */
struct opening {
    opening();

    db::uuid id;
    std::array<std::uint8_t, 16> salt;
};

/** The session's row, for this call. */
db::sessions::draft draft_of(const opening& session, const call& c, const trace& from, const db::uuid& user);

/** Remember the device, and write to the person if it is one they have never signed in from. */
void add_device(db::batch& work, const call& c, const trace& from, const db::uuid& user);

/** Open a session for who has proved to be `account`.
    @return 401 invalid_credentials if the password or the account is no longer what the proof rested on */
awaitable<answer<schemas::login_result>> open_session(call& c, db::users::account account);

/** Let the caller's own session lead to another of their workspaces, and hand out a token for that.
    @return nothing if they are no member there, or the session has ended */
awaitable<std::optional<schemas::workspace_token>> lead_session(call& c, db::uuid workspace);

/** Why this person may not sign in although they are who they say, if so. */
std::optional<problem> check_account(const settings& config, const db::users::row& user);

} // namespace handlers
