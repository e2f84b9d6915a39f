// Rate limits: the general ones, with the limit of a setting, and those of single endpoints in addition.
#pragma once

#include "handlers/access/rate_limiter.hpp"

namespace handlers::rate_limits {

/** A rule for client addresses. An IPv6 customer has many /64, up to all of a /56 or a /48, so the networks
    around the address are limited too: one customer then can neither act as thousands of clients nor fill the
    table. Each is limited to more than any that it contains, so that one customer does not shut out its
    neighbours. */
struct address_rule {
    /// An IPv4 address, or a /64.
    rate_rule address;
    /// The /56, /48 and /32 of an IPv6 address.
    std::array<rate_rule, 3> networks;
};

/// Requests, of a credential or else of a client address. The limit is the default of the setting.
inline constexpr rate_rule credential{"credential", rate_table::credentials, 1000};
inline constexpr rate_rule address{"ip", rate_table::addresses, 1000};

/// Failed logins; see login_attempt.
inline constexpr rate_rule login_account{"login-account", rate_table::password_guesses, 10, 0, true};
/// The same count, of an account that is being attacked from many networks.
inline constexpr rate_rule login_account_attacked{"login-account", rate_table::password_guesses, 1, 1, true};
inline constexpr rate_rule login_device{"login-device", rate_table::password_guesses, 10, 2, true};
inline constexpr rate_rule login_session{"login-session", rate_table::password_guesses, 10, 3, true};
inline constexpr rate_rule login_total{"login-total", rate_table::password_guesses_hourly, 100, 0, true};
inline constexpr address_rule login_address{
    {"login-ip", rate_table::password_guesses, 100, 4, true},
    {{{"login-ip56", rate_table::password_guesses, 400, 5, true},
      {"login-ip48", rate_table::password_guesses, 1600, 6, true},
      {"login-ip32", rate_table::password_guesses, 12'800, 7, true}}}};

inline constexpr address_rule signup_address{{"signup-ip", rate_table::address_actions, 20, 0},
                                             {{{"signup-ip56", rate_table::address_actions, 80, 1},
                                               {"signup-ip48", rate_table::address_actions, 320, 2},
                                               {"signup-ip32", rate_table::address_actions, 2560, 3}}}};
inline constexpr address_rule mail_address{{"mail-ip", rate_table::address_actions, 200, 4},
                                           {{{"mail-ip56", rate_table::address_actions, 800, 5},
                                             {"mail-ip48", rate_table::address_actions, 3200, 6},
                                             {"mail-ip32", rate_table::address_actions, 25'600, 7}}}};

/// Over it, no email is sent.
inline constexpr rate_rule signup_account{"signup-account", rate_table::email_addresses, 5, 0};
/// Over it, no email is sent.
inline constexpr rate_rule email_change_target{"email-change-target", rate_table::email_addresses, 5, 1};

/// Over it, no email is sent, with the same response.
inline constexpr rate_rule mail_account{"mail-account", rate_table::accounts, 5, 0};
inline constexpr rate_rule email_change_account{"email-change", rate_table::accounts, 5, 1};
/// Over it, no email is sent.
inline constexpr rate_rule key_notice{"key-notice", rate_table::accounts, 20, 2};
inline constexpr rate_rule workspace_account{"workspaces", rate_table::accounts, 20, 3};
inline constexpr rate_rule invite_workspace{"invites", rate_table::accounts, 1000, 4};
/// Per invite.
inline constexpr rate_rule invite_resend{"invite-resend", rate_table::accounts, 5, 5};

/// Per invited address. Over it, no email is sent.
inline constexpr rate_rule invite_target{"invite-target", rate_table::invited_addresses, 20};

/// Every rule with a name of its own: what is not listed here is not covered by the tests.
inline constexpr std::array all{credential,
                                address,
                                login_account,
                                login_device,
                                login_session,
                                login_total,
                                login_address.address,
                                login_address.networks[0],
                                login_address.networks[1],
                                login_address.networks[2],
                                signup_address.address,
                                signup_address.networks[0],
                                signup_address.networks[1],
                                signup_address.networks[2],
                                mail_address.address,
                                mail_address.networks[0],
                                mail_address.networks[1],
                                mail_address.networks[2],
                                signup_account,
                                email_change_target,
                                mail_account,
                                email_change_account,
                                key_notice,
                                workspace_account,
                                invite_workspace,
                                invite_resend,
                                invite_target};

/// Whether each limit has overflow counters of its own.
consteval bool have_lanes_of_their_own()
{
    auto is_taken = [](const rate_rule& a, const rate_rule& b) {
        return a.table == b.table && a.lane == b.lane;
    };
    for (std::size_t i = 0; i < all.size(); ++i) {
        if (all[i].lane >= rate_tables[static_cast<std::size_t>(all[i].table)].lanes ||
            is_taken(all[i], login_account_attacked))
            return false;
        for (std::size_t j = 0; j < i; ++j)
            if (is_taken(all[i], all[j]))
                return false;
    }
    return true;
}
static_assert(have_lanes_of_their_own());

} // namespace handlers::rate_limits
