// Which notices a person wants.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/notifications.hpp"

namespace handlers::notifications {

/** All kinds with their channels. */
awaitable<answer<schemas::notifications>> show(call& c);

/** Switch some; what is not named stays as it is. Answers as show() does. 422 for a security notice. */
awaitable<answer<schemas::notifications>> update(call& c, schemas::notifications_patch body);

/** What a letter's unsubscription link does, with one click (RFC 8058): its reader gets no more of its kind.
    400 invalid_token. */
awaitable<answer<nothing>> unsubscribe(call& c, query<schemas::unsubscription> link);

/** Whether a kind of letter can be switched off. */
bool can_be_switched_off(std::string_view kind);

/** Such a link. @param signer of context::unsubscriptions' key */
std::string unsubscription_link(crypto::token_signer& signer, std::string_view public_url,
                                const db::uuid& user, std::string_view kind);

} // namespace handlers::notifications
