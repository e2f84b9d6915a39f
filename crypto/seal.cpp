#include "crypto/seal.hpp"

#include "crypto/encoding.hpp"
#include "crypto/random.hpp"
#include "crypto/xaes.hpp"

#include <openssl/crypto.h>

#include <algorithm>

namespace crypto {

namespace {

constexpr std::uint8_t format_version = 2;
constexpr std::size_t header_size = 1 + xaes_nonce_size;

/// In the order of seal_purpose.
constexpr std::string_view infos[] = {purpose::seal_signing_key,     purpose::seal_outbox_token,
                                      purpose::seal_provider_tokens, purpose::seal_oauth_state,
                                      purpose::seal_oauth_code,      purpose::seal_pending_signup};

/// The format version goes in front, so that it is authenticated too.
std::vector<std::uint8_t> associated_data(std::string_view context)
{
    std::vector<std::uint8_t> out{format_version};
    out.insert(out.end(), context.begin(), context.end());
    return out;
}

} // namespace

sealer::sealer(const keyring& keys)
{
    static_assert(std::size(infos) == std::tuple_size_v<decltype(keys_)>);
    std::ranges::transform(infos, keys_.begin(), [&](std::string_view info) { return keys.derive(info); });
}

sealer::~sealer()
{
    OPENSSL_cleanse(keys_.data(), sizeof keys_);
}

std::vector<std::uint8_t> sealer::seal(seal_purpose purpose, std::span<const std::uint8_t> plain,
                                       std::string_view context) const
{
    xaes_nonce nonce;
    fill_random(nonce);
    auto text = xaes_256_gcm_seal(key_of(purpose), nonce, plain, associated_data(context));
    std::vector<std::uint8_t> out;
    out.reserve(header_size + text.size());
    out.push_back(format_version);
    out.insert(out.end(), nonce.begin(), nonce.end());
    out.insert(out.end(), text.begin(), text.end());
    return out;
}

std::optional<std::vector<std::uint8_t>>
sealer::open(seal_purpose purpose, std::span<const std::uint8_t> sealed, std::string_view context) const
{
    if (sealed.size() < header_size || sealed[0] != format_version)
        return std::nullopt;
    xaes_nonce nonce;
    std::ranges::copy(sealed.subspan(1, xaes_nonce_size), nonce.begin());
    return xaes_256_gcm_open(key_of(purpose), nonce, sealed.subspan(header_size), associated_data(context));
}

} // namespace crypto
