// The master key, and the keys that derive from it: one for each purpose, so that none serves two.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace crypto {

/** What a derived key is for. A name, once in use, is never changed: what it protects would be lost. */
namespace purpose {
inline constexpr std::string_view api_key_digest = "latchkey/api-key-digest/1";
inline constexpr std::string_view refresh_token = "latchkey/refresh-token/1";
inline constexpr std::string_view cursor = "latchkey/cursor/1";
inline constexpr std::string_view unsubscription = "latchkey/unsubscription/1";
inline constexpr std::string_view seal = "latchkey/seal/1";
} // namespace purpose

using key = std::array<std::uint8_t, 32>;

/** The master key. Wiped when it goes. */
class keyring {
public:
    explicit keyring(const key& master) : master_(master) {}
    keyring(const keyring&) = default;
    keyring& operator=(const keyring&) = default;
    ~keyring();

    /** @return nothing unless the text is 32 bytes in base64 */
    static std::optional<keyring> from_base64(std::string_view text);

    /** The key of a purpose, by HKDF-SHA-256 (RFC 5869) without salt: the master key is uniformly random.
        @throw failure */
    key derive(std::string_view purpose) const;

private:
    key master_;
};

/** HKDF-SHA-256, extract and expand. @throw failure */
void hkdf_sha256(std::span<const std::uint8_t> secret, std::span<const std::uint8_t> salt,
                 std::span<const std::uint8_t> info, std::span<std::uint8_t> out);

} // namespace crypto
