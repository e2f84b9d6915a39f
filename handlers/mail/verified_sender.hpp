// Verified senders: who may have emails sent to other people.
#pragma once

#include "db/postgres/async.hpp"
#include "handlers/http/fwd.hpp"
#include "handlers/http/problem.hpp"

#include <optional>

namespace handlers {

/** 403 email_not_verified unless the caller has a verified address; for an API key of a workspace, unless its
    creator has, or the workspace's owner once the creator's account is deleted. Independent of
    LATCHKEY_EMAIL_VERIFICATION: the server sends no email to others on the word of an unverified account. */
awaitable<std::optional<problem>> require_verified_sender(call& c);

} // namespace handlers
