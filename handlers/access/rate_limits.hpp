// The stricter rate limits, which stand beside the general one.
#pragma once

#include "handlers/access/rate_limiter.hpp"

namespace handlers::limits {

using std::chrono::hours;
using std::chrono::minutes;

inline constexpr rate_rule login_account{"login-account", 10, minutes(1)}; // failures
inline constexpr rate_rule login_address{"login-ip", 100, minutes(1)};     // failures
inline constexpr rate_rule signup_address{"signup-ip", 20, hours(1)};
inline constexpr rate_rule signup_account{"signup-account", 5, hours(1)}; // over it no mail is sent
inline constexpr rate_rule mail_account{"mail-account", 5,
                                        hours(1)}; // over it nothing is sent, and nothing said
inline constexpr rate_rule email_change_account{"email-change", 5, hours(1)};
inline constexpr rate_rule email_change_target{"email-change-target", 5, hours(1)}; // over it no mail is sent
inline constexpr rate_rule key_notice{"key-notice", 20, hours(1)};                  // likewise
inline constexpr rate_rule workspace_account{"workspaces", 20, hours(1)};
inline constexpr rate_rule invite_workspace{"invites", 1000, hours(1)};
inline constexpr rate_rule invite_resend{"invite-resend", 5, hours(1)};   // of one invite
inline constexpr rate_rule invite_target{"invite-target", 20, hours(24)}; // of one address: over it no mail
inline constexpr rate_rule mail_address{"mail-ip", 200, hours(1)};

} // namespace handlers::limits
