// API keys: tnx_<prefix>_<secret>. Creation, syntax check, and the keyed digest that is stored.
#pragma once

#include "crypto/hash.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace crypto {

struct new_api_key {
    /// 8 characters [a-z0-9] that identify the key in lists, requests and logs.
    std::string prefix;
    /// The whole key; shown once.
    std::string text;
};

/** Make a key: `tnx_` + prefix + `_` + 38 characters of base62. 32 of them are random (190 bits); the last 6
    are the CRC-32 of everything before, so that typing errors are rejected without a lookup and secret
    scanners recognize real keys.
    @throw failure */
new_api_key make_api_key();

/** The same with an existing prefix, for a key that gets its secret later.
    @param prefix 8 characters [a-z0-9] */
new_api_key make_api_key(std::string_view prefix);

/** Check a key's syntax and checksum. Some 50 ns, no allocation.
    @return its prefix, or nothing */
std::optional<std::string_view> parse_api_key(std::string_view text);

/** The stored form of a key: HMAC-SHA-256 under a server-side key. 190 random bits cannot be guessed, so a
    fast hash is enough, and makes checking a key at every request affordable. */
class api_key_digester {
public:
    explicit api_key_digester(std::span<const std::uint8_t> key) : mac_(key) {}
    digest operator()(std::string_view text) { return mac_(text); }

private:
    hmac_sha256 mac_;
};

} // namespace crypto
