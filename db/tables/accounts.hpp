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
                      (id, email, name, title, locale, timezone, email_verified_at, disabled_at,
                       avatar_version, password_hash, password_version, last_workspace_id, created_at))

struct account {
    row user;

    /// The workspace that a login opens; absent if the user is a member of none.
    std::optional<memberships::workspace_membership> login_workspace;
};

} // namespace db::users
