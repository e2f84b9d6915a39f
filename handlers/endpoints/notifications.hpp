// Notification settings: which kinds of email a user receives.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/notifications.hpp"

namespace handlers::notifications {

/// All kinds with their channels.
awaitable<answer<schemas::notifications>> show(call& c);

/// Changes some settings; responds as show() does. 422 for security notices, which cannot be turned off.
awaitable<answer<schemas::notifications>> update(call& c, schemas::notifications_patch body);

/// One-click unsubscription (RFC 8058) by the link in an email: turns its kind off. 400 invalid_token.
awaitable<answer<no_content>> unsubscribe(call& c, query<schemas::unsubscription> link);

inline constexpr operation operations[] = {
    describes<&show>(tags::profile, "showNotifications", "Show the notification settings")
        .fails_with(codes::forbidden, codes::not_found),
    describes<&update>(tags::profile, "updateNotifications", "Change the notification settings",
                       "Security notices cannot be switched off.")
        .fails_with(codes::forbidden, codes::not_found),
    describes<&unsubscribe>(tags::pages, "unsubscribe",
                            "Unsubscribe from a kind of notice with one click (RFC 8058)",
                            "Sent by mail programs themselves, as `List-Unsubscribe-Post` requests.")
        .fails_with(codes::invalid_token),
};

} // namespace handlers::notifications
