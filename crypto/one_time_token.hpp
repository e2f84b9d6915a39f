// Tokens that travel by mail or through a browser and are kept as a digest alone.
#pragma once

#include "crypto/hash.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace crypto {

/** 256 random bits, so a plain fast hash is all that its stored form needs: there is nothing to guess. */
struct one_time_token {
    std::string text; // base64url, 43 characters
    crypto::digest digest{};
};

/** @throw failure */
one_time_token make_one_time_token();

/** What such a token is stored as. @return nothing if the text cannot be one */
std::optional<digest> one_time_token_digest(std::string_view text);

} // namespace crypto
