#include "crypto/hash.hpp"

#include "crypto/encoding.hpp"
#include "crypto/openssl_ptr.hpp"
#include "crypto/random.hpp"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

namespace crypto {

namespace {

void check(bool succeeded, const char* message)
{
    if (!succeeded)
        throw failure(message);
}

/// Fetched once for the process, never freed.
const EVP_MD* sha256_algorithm()
{
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    check(algorithm, "SHA-256 is not available");
    return algorithm;
}

EVP_MAC* hmac_algorithm()
{
    static EVP_MAC* const algorithm = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
    check(algorithm, "HMAC is not available");
    return algorithm;
}

} // namespace

digest sha256(std::string_view text)
{
    thread_local openssl_ptr<EVP_MD_CTX, &EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    digest out;
    check(context && EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) == 1 &&
              EVP_DigestUpdate(context.get(), text.data(), text.size()) == 1 &&
              EVP_DigestFinal_ex(context.get(), out.data(), nullptr) == 1,
          "SHA-256 failed");
    return out;
}

void hmac_sha256::free_context::operator()(EVP_MAC_CTX* context) const
{
    EVP_MAC_CTX_free(context);
}

hmac_sha256::hmac_sha256(std::span<const std::uint8_t> key) : context_(EVP_MAC_CTX_new(hmac_algorithm()))
{
    char name[] = "SHA256";
    OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                           OSSL_PARAM_construct_end()};
    check(context_ && EVP_MAC_init(context_.get(), key.data(), key.size(), params) == 1,
          "cannot initialize HMAC");
}

digest hmac_sha256::operator()(std::span<const std::uint8_t> bytes)
{
    digest out;
    check(EVP_MAC_init(context_.get(), nullptr, 0, nullptr) == 1 &&
              EVP_MAC_update(context_.get(), bytes.data(), bytes.size()) == 1 &&
              EVP_MAC_final(context_.get(), out.data(), nullptr, out.size()) == 1,
          "HMAC failed");
    return out;
}

digest hmac_sha256::operator()(std::string_view text)
{
    return (*this)(bytes_of(text));
}

bool equal_constant_time(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b)
{
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool equal_constant_time(std::string_view a, std::string_view b)
{
    return equal_constant_time(bytes_of(a), bytes_of(b));
}

} // namespace crypto
