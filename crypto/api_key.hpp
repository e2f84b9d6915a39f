// API keys: tnx_<prefix>_<secret>, made here, checked here for shape, and stored as a keyed digest.
#pragma once

#include "crypto/hash.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace crypto {

struct new_api_key {
    std::string prefix; // 8 characters [a-z0-9]: names the key in lists, calls and logs
    std::string text;   // the whole key; shown once
};

/** `tnx_` + prefix + `_` + 38 characters of base62: 32 random ones (190 bits), then 6 that are the CRC-32 of
    all before them, so that a typing error is refused without a look-up and scanners know a real key.
    @throw failure */
new_api_key make_api_key();

/** The same with a prefix that was made before: for a key that gets its secret later.
    @param prefix 8 characters [a-z0-9] */
new_api_key make_api_key(std::string_view prefix);

/** Whether a text has a key's shape and checksum. Some 50 ns, no allocation.
    @return its prefix, or nothing */
std::optional<std::string_view> parse_api_key(std::string_view text);

/** What is stored instead of a key: HMAC-SHA-256 under a server-side key. A key's 190 random bits leave
    nothing to guess, so a fast hash is enough, and it is what lets a key be checked at every request. */
class api_key_digester {
public:
    explicit api_key_digester(std::span<const std::uint8_t> key) : mac_(key) {}
    digest operator()(std::string_view text) { return mac_(text); }

private:
    hmac_sha256 mac_;
};

} // namespace crypto
