// Sign-in with an OpenID provider.
#pragma once

#include "schemas/engine/types.hpp"

namespace schemas {

enum class code_challenge_method { S256 };
BOOST_DESCRIBE_ENUM(code_challenge_method, S256)

/// Of OpenID Connect Core, section 3.1.2.1.
enum class oauth_prompt { login };
BOOST_DESCRIBE_ENUM(oauth_prompt, login)

/** The authorization request of a client (RFC 6749, section 4.1.1; RFC 7636, section 4.3). The code challenge
    is SHA-256 in base64url. */
struct oauth_authorization_request {
    text<1, 1024> redirect_uri;
    text<1, 512> state;
    text<43, 43> code_challenge;
    schemas::code_challenge_method code_challenge_method;
    /// The provider is asked to authenticate the person once more.
    omittable<oauth_prompt> prompt;
};
BOOST_DESCRIBE_STRUCT(oauth_authorization_request, (),
                      (redirect_uri, state, code_challenge, code_challenge_method, prompt))

/// The provider's redirect back to the server; other parameters are ignored.
struct oauth_callback {
    text<1, 512> state;
    omittable<text<1, 2048>> code;
    omittable<text<1, 256>> error;
    omittable<text<1, 512>> iss;
};
BOOST_DESCRIBE_STRUCT(oauth_callback, (), (state, code, error, iss))

struct oauth_exchange {
    opaque_token code;
    opaque_token code_verifier;
};
BOOST_DESCRIBE_STRUCT(oauth_exchange, (), (code, code_verifier))

struct oauth_grant {
    std::string provider;
    std::string issuer;
    std::string email;
    timestamp created_at{};
    timestamp last_used_at{};
};
BOOST_DESCRIBE_STRUCT(oauth_grant, (), (provider, issuer, email, created_at, last_used_at))

} // namespace schemas
