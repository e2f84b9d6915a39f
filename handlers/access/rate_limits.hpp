// Rate limits: the general ones, with the limit of a setting, and those of single endpoints in addition.
#pragma once

#include "handlers/access/rate_limiter.hpp"

namespace handlers::rate_limits {

/// Requests, of a credential or else of a client address. The limit is the default of the setting.
inline constexpr rate_rule credential{"credential", rate_table::credentials, 1000};
inline constexpr rate_rule address{"ip", rate_table::addresses, 1000};

/// Failed logins; see login_attempt.
inline constexpr rate_rule login_account{"login-account", rate_table::password_guesses, 10};
inline constexpr rate_rule login_device{"login-device", rate_table::password_guesses, 10};
inline constexpr rate_rule login_session{"login-session", rate_table::password_guesses, 10};
inline constexpr rate_rule login_total{"login-total", rate_table::password_guesses_hourly, 100};
inline constexpr rate_rule login_address{"login-ip", rate_table::password_guesses, 100};

inline constexpr rate_rule signup_address{"signup-ip", rate_table::address_actions, 20};
inline constexpr rate_rule mail_address{"mail-ip", rate_table::address_actions, 200};

/// Over it, no email is sent.
inline constexpr rate_rule signup_account{"signup-account", rate_table::email_addresses, 5};
/// Over it, no email is sent.
inline constexpr rate_rule email_change_target{"email-change-target", rate_table::email_addresses, 5};

/// Over it, no email is sent, with the same response.
inline constexpr rate_rule mail_account{"mail-account", rate_table::accounts, 5};
inline constexpr rate_rule email_change_account{"email-change", rate_table::accounts, 5};
/// Over it, no email is sent.
inline constexpr rate_rule key_notice{"key-notice", rate_table::accounts, 20};
inline constexpr rate_rule workspace_account{"workspaces", rate_table::accounts, 20};
inline constexpr rate_rule invite_workspace{"invites", rate_table::accounts, 1000};
/// Per invite.
inline constexpr rate_rule invite_resend{"invite-resend", rate_table::accounts, 5};

/// Per invited address. Over it, no email is sent.
inline constexpr rate_rule invite_target{"invite-target", rate_table::invited_addresses, 20};

/// Every rule: what is not listed here is not covered by the tests.
inline constexpr std::array all{credential,           address,        login_account,       login_device,
                                login_session,        login_total,    login_address,       signup_address,
                                mail_address,         signup_account, email_change_target, mail_account,
                                email_change_account, key_notice,     workspace_account,   invite_workspace,
                                invite_resend,        invite_target};

} // namespace handlers::rate_limits
