// Accounts: a user with the workspace of the next sign-in.
#pragma once

#include "db/postgres/async.hpp"
#include "db/tables/memberships.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace db::users {

struct row {
    uuid id{};
    std::string email;
    std::optional<std::string> name;
    std::optional<std::string> title;
    std::string locale;
    std::string timezone;
    std::optional<timestamp> email_verified_at;

    /// The address was verified by the link alone, with neither the session nor the password of the account.
    bool verified_by_link_only = false;

    /// The program that signed up: known names only ("Firefox on Linux"), or empty.
    std::string signup_agent;
    std::optional<timestamp> disabled_at;
    std::optional<std::int32_t> avatar_version;

    /// Absent: the user has no password and signs in with a provider.
    std::optional<std::string> password_hash;

    /// Incremented when the password changes.
    std::int32_t password_version = 0;
    std::optional<uuid> last_workspace_id;
    timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(row, (),
                      (id, email, name, title, locale, timezone, email_verified_at, verified_by_link_only,
                       signup_agent, disabled_at, avatar_version, password_hash, password_version,
                       last_workspace_id, created_at))

/// Whether the person who chose the account's password is known to read the mail of its address. Until then
/// it may be planted (account pre-hijacking).
inline bool is_proved(const row& user)
{
    return user.email_verified_at && !user.verified_by_link_only;
}

struct account {
    row user;

    /// The workspace that a login opens; absent if the user is a member of none.
    std::optional<memberships::workspace_membership> login_workspace;
};

} // namespace db::users
