// RSA keys, their JWKs, and ID tokens signed with RS256.
#pragma once

#include "crypto/encoding.hpp"

#include <boost/json/object.hpp>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <cstdint>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace support {

/// A private RSA key. Generating one takes a tenth of a second with 2048 bits.
class rsa_key {
public:
    explicit rsa_key(std::size_t bits = 2048)
        : key_(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", bits), &EVP_PKEY_free)
    {
        if (!key_)
            throw std::runtime_error("no RSA key could be generated");
    }

    EVP_PKEY* get() const { return key_.get(); }

    /// A parameter of the key, such as n and e, in base64url.
    std::string number(const char* name) const
    {
        BIGNUM* value = nullptr;
        EVP_PKEY_get_bn_param(key_.get(), name, &value);
        std::vector<std::uint8_t> bytes(static_cast<std::size_t>(BN_num_bytes(value)));
        BN_bn2bin(value, bytes.data());
        BN_free(value);
        return crypto::to_base64url(bytes);
    }

    boost::json::object jwk(std::string_view kid) const
    {
        boost::json::object out;
        out["kty"] = "RSA";
        out["use"] = "sig";
        out["alg"] = "RS256";
        out["kid"] = kid;
        out["n"] = number(OSSL_PKEY_PARAM_RSA_N);
        out["e"] = number(OSSL_PKEY_PARAM_RSA_E);
        return out;
    }

    /// PKCS #1 version 1.5 by default.
    std::string sign(std::string_view text, const char* digest = "SHA256",
                     int padding = RSA_PKCS1_PADDING) const
    {
        std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
        EVP_PKEY_CTX* settings = nullptr;
        auto bytes = crypto::bytes_of(text);
        std::vector<std::uint8_t> out(static_cast<std::size_t>(EVP_PKEY_get_size(key_.get())));
        auto size = out.size();
        if (EVP_DigestSignInit_ex(context.get(), &settings, digest, nullptr, nullptr, key_.get(), nullptr) !=
                1 ||
            EVP_PKEY_CTX_set_rsa_padding(settings, padding) != 1 ||
            EVP_DigestSign(context.get(), out.data(), &size, bytes.data(), bytes.size()) != 1)
            throw std::runtime_error("signing failed");
        return crypto::to_base64url(std::span(out).first(size));
    }

    /// A validly signed token with any header and payload.
    std::string token(std::string_view header, std::string_view payload) const
    {
        auto text = crypto::to_base64url(crypto::bytes_of(header)) + "." +
                    crypto::to_base64url(crypto::bytes_of(payload));
        return text + "." + sign(text);
    }

private:
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key_;
};

} // namespace support
