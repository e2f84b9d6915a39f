// Notification settings: which kinds of email a user receives.
#pragma once

#include "handlers/http/handler.hpp"
#include "schemas/notifications.hpp"

namespace handlers::notifications {

/// All kinds with their channels.
awaitable<answer<schemas::notifications>> show(call& c);

/// Changes some settings; responds as show() does. 422 for security notices, which cannot be turned off.
awaitable<answer<schemas::notifications>> update(call& c, schemas::notifications_patch body);

/// One-click unsubscription (RFC 8058) by the link in an email: turns its kind off. 400 invalid_token.
awaitable<answer<no_content>> unsubscribe(call& c, query<schemas::unsubscription> link);

} // namespace handlers::notifications
