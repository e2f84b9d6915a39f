// One-time tokens for email links and redirects. Only their digest is stored.
#pragma once

#include "crypto/hash.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace crypto {

/// 256 random bits, so a plain fast hash is a sufficient stored form: there is nothing to guess.
struct one_time_token {
    /// 43 characters of base64url.
    std::string text;
    crypto::digest digest{};
};

/// @throw failure
one_time_token make_one_time_token();

/// The stored form of a token. @return nothing if the text is not a well-formed token
std::optional<digest> one_time_token_digest(std::string_view text);

} // namespace crypto
