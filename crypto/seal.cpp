#include "crypto/seal.hpp"

#include "crypto/encoding.hpp"
#include "crypto/openssl_ptr.hpp"
#include "crypto/random.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

namespace crypto {

namespace {

constexpr std::uint8_t format_version = 1;
constexpr std::size_t nonce_size = 12;
constexpr std::size_t tag_size = 16;
constexpr std::size_t header_size = 1 + nonce_size;

using cipher_context = openssl_ptr<EVP_CIPHER_CTX, &EVP_CIPHER_CTX_free>;

/// Fetched once for the process, never freed.
const EVP_CIPHER* aes_256_gcm()
{
    static const EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
    if (!algorithm)
        throw failure("AES-256-GCM is not available");
    return algorithm;
}

int length(std::size_t size)
{
    return static_cast<int>(size);
}

} // namespace

sealer::~sealer()
{
    OPENSSL_cleanse(key_.data(), key_.size());
}

std::vector<std::uint8_t> sealer::seal(std::span<const std::uint8_t> plain, std::string_view context) const
{
    std::vector<std::uint8_t> out(header_size + plain.size() + tag_size);
    out[0] = format_version;
    auto nonce = std::span(out).subspan(1, nonce_size);
    fill_random(nonce);
    auto* text = out.data() + header_size;

    cipher_context cipher(EVP_CIPHER_CTX_new());
    auto c = cipher.get();
    auto aad = bytes_of(context);
    int n = 0;
    bool succeeded = c && EVP_EncryptInit_ex2(c, aes_256_gcm(), key_.data(), nonce.data(), nullptr) == 1 &&
                     EVP_EncryptUpdate(c, nullptr, &n, &format_version, 1) == 1 &&
                     EVP_EncryptUpdate(c, nullptr, &n, aad.data(), length(aad.size())) == 1 &&
                     EVP_EncryptUpdate(c, text, &n, plain.data(), length(plain.size())) == 1 &&
                     EVP_EncryptFinal_ex(c, text + n, &n) == 1 &&
                     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, length(tag_size), text + plain.size()) == 1;
    if (!succeeded)
        throw failure("encryption failed");
    return out;
}

std::optional<std::vector<std::uint8_t>> sealer::open(std::span<const std::uint8_t> sealed,
                                                      std::string_view context) const
{
    if (sealed.size() < header_size + tag_size || sealed[0] != format_version)
        return std::nullopt;
    auto nonce = sealed.subspan(1, nonce_size);
    auto text = sealed.subspan(header_size, sealed.size() - header_size - tag_size);
    std::array<std::uint8_t, tag_size> tag;
    std::ranges::copy(sealed.last(tag_size), tag.begin());
    auto aad = bytes_of(context);

    std::vector<std::uint8_t> out(text.size());
    cipher_context cipher(EVP_CIPHER_CTX_new());
    auto c = cipher.get();
    int n = 0;
    bool succeeded = c && EVP_DecryptInit_ex2(c, aes_256_gcm(), key_.data(), nonce.data(), nullptr) == 1 &&
                     EVP_DecryptUpdate(c, nullptr, &n, &format_version, 1) == 1 &&
                     EVP_DecryptUpdate(c, nullptr, &n, aad.data(), length(aad.size())) == 1 &&
                     EVP_DecryptUpdate(c, out.data(), &n, text.data(), length(text.size())) == 1 &&
                     EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, length(tag_size), tag.data()) == 1 &&
                     EVP_DecryptFinal_ex(c, out.data() + n, &n) == 1;
    if (succeeded)
        return out;
    OPENSSL_cleanse(out.data(), out.size());
    return std::nullopt;
}

} // namespace crypto
