// A user, and the profile changes that they may make.
#pragma once

#include "schemas/engine/types.hpp"

namespace schemas {

struct user {
    boost::uuids::uuid id{};
    std::string email;
    std::optional<std::string> name;
    std::optional<std::string> title;
    bool email_verified = false;
    std::optional<std::string> avatar_url;
    std::string locale;
    std::string timezone;
    timestamp created_at{};
};
BOOST_DESCRIBE_STRUCT(user, (),
                      (id, email, name, title, email_verified, avatar_url, locale, timezone, created_at))

/// Null clears a name or title; locale and time zone are always set.
struct patch_me {
    clearable<name_text<1, 100>> name;
    clearable<name_text<1, 100>> title;
    omittable<locale_tag> locale;
    omittable<time_zone_name> timezone;
};
BOOST_DESCRIBE_STRUCT(patch_me, (), (name, title, locale, timezone))

} // namespace schemas
