// Notification settings of a user, by kind and channel.
#pragma once

#include "schemas/engine/types.hpp"

namespace schemas {

/// A setting that cannot be turned off, so that an attacker cannot hide a takeover.
struct always_on {
    bool value = true;
};

template <>
struct rule<always_on> {
    static std::optional<always_on> parse(const boost::json::value& in, const path& at,
                                          validation_errors& errors)
    {
        auto on = rule<bool>::parse(in, at, errors);
        if (!on)
            return std::nullopt;
        if (!*on) {
            errors.add(at, "value_error", "security notices cannot be switched off");
            return std::nullopt;
        }
        return always_on();
    }
    static void write(std::string& out, always_on) { out += "true"; }
    static boost::json::object openapi(openapi_context&) { return {{"type", "boolean"}, {"const", true}}; }
};

struct channels {
    bool email = true;
};
BOOST_DESCRIBE_STRUCT(channels, (), (email))

struct security_channels {
    always_on email;
};
BOOST_DESCRIBE_STRUCT(security_channels, (), (email))

/// The members are the kinds of notification emails.
struct notifications {
    security_channels password_changed;
    security_channels email_change_notice;
    security_channels new_sign_in;
    security_channels key_reported;
    security_channels provider_linked;
    channels key_minted;
    channels approval_asked;
    channels approval_given;
    channels approval_refused;
};
BOOST_DESCRIBE_STRUCT(notifications, (),
                      (password_changed, email_change_notice, new_sign_in, key_reported, provider_linked,
                       key_minted, approval_asked, approval_given, approval_refused))

struct channels_patch {
    omittable<bool> email;
};
BOOST_DESCRIBE_STRUCT(channels_patch, (), (email))

struct security_channels_patch {
    omittable<always_on> email;
};
BOOST_DESCRIBE_STRUCT(security_channels_patch, (), (email))

struct notifications_patch {
    omittable<security_channels_patch> password_changed;
    omittable<security_channels_patch> email_change_notice;
    omittable<security_channels_patch> new_sign_in;
    omittable<security_channels_patch> key_reported;
    omittable<security_channels_patch> provider_linked;
    omittable<channels_patch> key_minted;
    omittable<channels_patch> approval_asked;
    omittable<channels_patch> approval_given;
    omittable<channels_patch> approval_refused;
};
BOOST_DESCRIBE_STRUCT(notifications_patch, (),
                      (password_changed, email_change_notice, new_sign_in, key_reported, provider_linked,
                       key_minted, approval_asked, approval_given, approval_refused))

struct unsubscription {
    static constexpr bool accepts_any_text = true;

    opaque_token token;
};
BOOST_DESCRIBE_STRUCT(unsubscription, (), (token))

} // namespace schemas
