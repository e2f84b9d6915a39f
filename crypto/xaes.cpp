#include "crypto/xaes.hpp"

#include "crypto/openssl_ptr.hpp"
#include "crypto/random.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>

namespace crypto {

namespace {

constexpr std::size_t block_size = 16;
constexpr std::size_t key_nonce_size = 12;

using cipher_context = openssl_ptr<EVP_CIPHER_CTX, &EVP_CIPHER_CTX_free>;

/// Fetched once for the process, never freed.
const EVP_CIPHER* fetch(const char* name)
{
    auto algorithm = EVP_CIPHER_fetch(nullptr, name, nullptr);
    if (!algorithm)
        throw failure(std::string(name) + " is not available");
    return algorithm;
}

const EVP_CIPHER* aes_256_gcm()
{
    static const EVP_CIPHER* const algorithm = fetch("AES-256-GCM");
    return algorithm;
}

const EVP_CIPHER* aes_256_ecb()
{
    static const EVP_CIPHER* const algorithm = fetch("AES-256-ECB");
    return algorithm;
}

int length(std::size_t size)
{
    return static_cast<int>(size);
}

/// Encrypt whole blocks in place, each on its own.
void encrypt_blocks(EVP_CIPHER_CTX* cipher, std::span<std::uint8_t> blocks)
{
    int n = 0;
    if (EVP_EncryptUpdate(cipher, blocks.data(), &n, blocks.data(), length(blocks.size())) != 1)
        throw failure("encryption failed");
}

/// Doubling in GF(2^128), for a subkey of CMAC (NIST SP 800-38B, 6.1).
void double_block(std::span<std::uint8_t, block_size> block)
{
    unsigned carry = 0;
    for (std::size_t i = block_size; i-- > 0;) {
        unsigned shifted = unsigned{block[i]} << 1 | carry;
        block[i] = static_cast<std::uint8_t>(shifted);
        carry = shifted >> 8;
    }
    block[block_size - 1] ^= static_cast<std::uint8_t>(0x87 & (0u - carry)); // without a branch on a secret
}

/// The key of one message, wiped at the end.
class message_key {
public:
    message_key(const key& secret, std::span<const std::uint8_t> nonce)
    {
        cipher_context cipher(EVP_CIPHER_CTX_new());
        if (!cipher ||
            EVP_EncryptInit_ex2(cipher.get(), aes_256_ecb(), secret.data(), nullptr, nullptr) != 1 ||
            EVP_CIPHER_CTX_set_padding(cipher.get(), 0) != 1)
            throw failure("encryption failed");
        std::array<std::uint8_t, block_size> subkey{};
        encrypt_blocks(cipher.get(), subkey);
        double_block(subkey);
        for (std::size_t half : {0u, 1u}) {
            auto block = std::span(bytes_).subspan(half * block_size, block_size);
            block[1] = static_cast<std::uint8_t>(half + 1);
            block[2] = 'X';
            std::ranges::copy(nonce, block.begin() + 4);
            for (std::size_t i = 0; i < block_size; ++i)
                block[i] ^= subkey[i];
        }
        encrypt_blocks(cipher.get(), bytes_);
        OPENSSL_cleanse(subkey.data(), subkey.size());
    }
    ~message_key() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }
    message_key(const message_key&) = delete;
    message_key& operator=(const message_key&) = delete;

    const std::uint8_t* data() const { return bytes_.data(); }

private:
    key bytes_{};
};

} // namespace

std::vector<std::uint8_t> xaes_256_gcm_seal(const key& secret, const xaes_nonce& nonce,
                                            std::span<const std::uint8_t> plain,
                                            std::span<const std::uint8_t> associated_data)
{
    message_key derived(secret, std::span(nonce).first(key_nonce_size));
    std::vector<std::uint8_t> out(plain.size() + xaes_tag_size);
    cipher_context cipher(EVP_CIPHER_CTX_new());
    auto c = cipher.get();
    int n = 0;
    bool succeeded =
        c &&
        EVP_EncryptInit_ex2(c, aes_256_gcm(), derived.data(), nonce.data() + key_nonce_size, nullptr) == 1 &&
        EVP_EncryptUpdate(c, nullptr, &n, associated_data.data(), length(associated_data.size())) == 1 &&
        EVP_EncryptUpdate(c, out.data(), &n, plain.data(), length(plain.size())) == 1 &&
        EVP_EncryptFinal_ex(c, out.data() + n, &n) == 1 &&
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, length(xaes_tag_size), out.data() + plain.size()) == 1;
    if (!succeeded)
        throw failure("encryption failed");
    return out;
}

std::optional<std::vector<std::uint8_t>> xaes_256_gcm_open(const key& secret, const xaes_nonce& nonce,
                                                           std::span<const std::uint8_t> sealed,
                                                           std::span<const std::uint8_t> associated_data)
{
    if (sealed.size() < xaes_tag_size)
        return std::nullopt;
    message_key derived(secret, std::span(nonce).first(key_nonce_size));
    auto text = sealed.first(sealed.size() - xaes_tag_size);
    std::array<std::uint8_t, xaes_tag_size> tag;
    std::ranges::copy(sealed.last(xaes_tag_size), tag.begin());

    std::vector<std::uint8_t> out(text.size());
    cipher_context cipher(EVP_CIPHER_CTX_new());
    auto c = cipher.get();
    int n = 0;
    bool succeeded =
        c &&
        EVP_DecryptInit_ex2(c, aes_256_gcm(), derived.data(), nonce.data() + key_nonce_size, nullptr) == 1 &&
        EVP_DecryptUpdate(c, nullptr, &n, associated_data.data(), length(associated_data.size())) == 1 &&
        EVP_DecryptUpdate(c, out.data(), &n, text.data(), length(text.size())) == 1 &&
        EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, length(tag.size()), tag.data()) == 1 &&
        EVP_DecryptFinal_ex(c, out.data() + n, &n) == 1;
    if (succeeded)
        return out;
    OPENSSL_cleanse(out.data(), out.size());
    return std::nullopt;
}

} // namespace crypto
