// Rate limits of single endpoints, in addition to the general limit.
#pragma once

#include "handlers/access/rate_limiter.hpp"

namespace handlers::rate_limits {

using std::chrono::hours;
using std::chrono::minutes;

/// Failed logins.
inline constexpr rate_rule login_account{"login-account", 10, minutes(1)};
inline constexpr rate_rule login_address{"login-ip", 100, minutes(1)};
inline constexpr rate_rule signup_address{"signup-ip", 20, hours(1)};
/// Over it, no email is sent.
inline constexpr rate_rule signup_account{"signup-account", 5, hours(1)};
/// Over it, no email is sent, with the same response.
inline constexpr rate_rule mail_account{"mail-account", 5, hours(1)};
inline constexpr rate_rule email_change_account{"email-change", 5, hours(1)};
/// Over it, no email is sent.
inline constexpr rate_rule email_change_target{"email-change-target", 5, hours(1)};
/// Over it, no email is sent.
inline constexpr rate_rule key_notice{"key-notice", 20, hours(1)};
inline constexpr rate_rule workspace_account{"workspaces", 20, hours(1)};
inline constexpr rate_rule invite_workspace{"invites", 1000, hours(1)};
/// Per invite.
inline constexpr rate_rule invite_resend{"invite-resend", 5, hours(1)};
/// Per invited address. Over it, no email is sent.
inline constexpr rate_rule invite_target{"invite-target", 20, hours(24)};
inline constexpr rate_rule mail_address{"mail-ip", 200, hours(1)};

} // namespace handlers::rate_limits
