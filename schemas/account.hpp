// Account management: email address, password, deletion.
#pragma once

#include "schemas/engine/types.hpp"

namespace schemas {

/// The one-time token of an email link.
struct email_token {
    opaque_token token;
};
BOOST_DESCRIBE_STRUCT(email_token, (), (token))

/// The token of a link that verifies an address. The account's password proves the account as well, and so
/// does a sign-in through the provider that the account was made with: its code, and the verifier of that
/// code.
struct email_verification {
    opaque_token token;
    std::optional<existing_password> password;
    std::optional<opaque_token> provider_code;
    std::optional<opaque_token> code_verifier;
};
BOOST_DESCRIBE_STRUCT(email_verification, (), (token, password, provider_code, code_verifier))

struct verified_email {
    std::string email;
    bool email_verified = true;
};
BOOST_DESCRIBE_STRUCT(verified_email, (), (email, email_verified))

/// Without an email address: the caller's own.
struct resend_verification {
    std::optional<email_address> email;
};
BOOST_DESCRIBE_STRUCT(resend_verification, (), (email))

struct email_change {
    email_address new_email;
    std::optional<existing_password> password;
};
BOOST_DESCRIBE_STRUCT(email_change, (), (new_email, password))

struct forgotten_password {
    email_address email;
};
BOOST_DESCRIBE_STRUCT(forgotten_password, (), (email))

/// The current password proves an account that was never proved, which is otherwise replaced by a new one.
struct password_reset {
    opaque_token token;
    new_password password;
    std::optional<existing_password> current_password;
    std::optional<bool> revoke_api_keys;
};
BOOST_DESCRIBE_STRUCT(password_reset, (), (token, password, current_password, revoke_api_keys))

/// The current password may be absent only if the account has none.
struct password_change {
    std::optional<existing_password> current_password;
    schemas::new_password new_password;
};
BOOST_DESCRIBE_STRUCT(password_change, (), (current_password, new_password))

struct account_deletion {
    std::optional<existing_password> password;
};
BOOST_DESCRIBE_STRUCT(account_deletion, (), (password))

} // namespace schemas
