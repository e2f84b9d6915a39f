#include "crypto/keyring.hpp"

#include "crypto/encoding.hpp"
#include "crypto/openssl_ptr.hpp"
#include "crypto/random.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <algorithm>

namespace crypto {

keyring::~keyring()
{
    OPENSSL_cleanse(master_.data(), master_.size());
}

std::optional<keyring> keyring::from_base64(std::string_view text)
{
    auto bytes = crypto::from_base64(text);
    if (!bytes || bytes->size() != sizeof(key))
        return std::nullopt;
    key master;
    std::ranges::copy(*bytes, master.begin());
    OPENSSL_cleanse(bytes->data(), bytes->size());
    keyring out(master);
    OPENSSL_cleanse(master.data(), master.size());
    return out;
}

key keyring::derive(std::string_view purpose) const
{
    key out;
    hkdf_sha256(master_, {}, bytes_of(purpose), out);
    return out;
}

void hkdf_sha256(std::span<const std::uint8_t> secret, std::span<const std::uint8_t> salt,
                 std::span<const std::uint8_t> info, std::span<std::uint8_t> out)
{
    static EVP_KDF* const kdf = EVP_KDF_fetch(nullptr, "HKDF", nullptr); // fetched once, never freed
    openssl_ptr<EVP_KDF_CTX, &EVP_KDF_CTX_free> context(kdf ? EVP_KDF_CTX_new(kdf) : nullptr);

    auto octets = [](const char* name, std::span<const std::uint8_t> bytes) {
        return OSSL_PARAM_construct_octet_string(name, const_cast<std::uint8_t*>(bytes.data()), bytes.size());
    };
    char digest_name[] = "SHA256";
    OSSL_PARAM params[5];
    auto next = params;
    *next++ = OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest_name, 0);
    *next++ = octets(OSSL_KDF_PARAM_KEY, secret);
    if (!salt.empty())
        *next++ = octets(OSSL_KDF_PARAM_SALT, salt);
    if (!info.empty())
        *next++ = octets(OSSL_KDF_PARAM_INFO, info);
    *next = OSSL_PARAM_construct_end();
    if (!context || EVP_KDF_derive(context.get(), out.data(), out.size(), params) != 1)
        throw failure("HKDF failed");
}

} // namespace crypto
