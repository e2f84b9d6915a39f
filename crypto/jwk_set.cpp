#include "crypto/jwk_set.hpp"

#include "crypto/encoding.hpp"
#include "crypto/json_member.hpp"
#include "crypto/openssl_ptr.hpp"
#include "crypto/random.hpp"

#include <boost/json/value.hpp>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <utility>

namespace crypto {

namespace json = boost::json;

namespace {

constexpr std::size_t max_keys = 64;
constexpr int min_modulus_bits = 2048, max_modulus_bits = 8192, max_exponent_bits = 32;

using bignum = openssl_ptr<BIGNUM, &BN_free>;

bignum read_bignum(const json::object& jwk, std::string_view name)
{
    auto text = text_member(jwk, name);
    auto bytes = text ? from_base64url(*text) : std::nullopt;
    if (!bytes || bytes->size() > 2 * max_modulus_bits / 8)
        return nullptr;
    return bignum(BN_bin2bn(bytes->data(), static_cast<int>(bytes->size()), nullptr));
}

/// @return null if OpenSSL rejects the key
std::shared_ptr<EVP_PKEY> make_public_key(const BIGNUM* n, const BIGNUM* e)
{
    openssl_ptr<OSSL_PARAM_BLD, &OSSL_PARAM_BLD_free> builder(OSSL_PARAM_BLD_new());
    if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e) != 1)
        throw failure("no memory for a key");
    openssl_ptr<OSSL_PARAM, &OSSL_PARAM_free> params(OSSL_PARAM_BLD_to_param(builder.get()));
    openssl_ptr<EVP_PKEY_CTX, &EVP_PKEY_CTX_free> context(
        EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    return {key, openssl_deleter<&EVP_PKEY_free>()};
}

/** Whether a JWK may verify RS256 signatures (RFC 7517, section 4). A published private key is rejected: it
    proves nothing. */
bool is_for_rs256(const json::object& jwk)
{
    auto is = [&jwk](std::string_view name, std::string_view value) {
        auto member = jwk.if_contains(name);
        return member && member->is_string() && member->get_string() == value;
    };
    auto absent_or = [&](std::string_view name, std::string_view value) {
        return !jwk.contains(name) || is(name, value);
    };
    if (auto operations = jwk.if_contains("key_ops")) {
        auto list = operations->if_array();
        if (!list || std::ranges::find(*list, json::value("verify")) == list->end())
            return false;
    }
    return is("kty", "RSA") && absent_or("use", "sig") && absent_or("alg", "RS256") && !jwk.contains("d");
}

/// @return null for a key that is not accepted
std::shared_ptr<EVP_PKEY> read_key(const json::object& jwk)
{
    if (!is_for_rs256(jwk))
        return nullptr;
    auto n = read_bignum(jwk, "n"), e = read_bignum(jwk, "e");
    if (!n || !e)
        return nullptr;
    auto bits = BN_num_bits(n.get());
    bool acceptable = bits >= min_modulus_bits && bits <= max_modulus_bits && BN_is_odd(n.get()) &&
                      BN_is_odd(e.get()) && BN_num_bits(e.get()) >= 2 &&
                      BN_num_bits(e.get()) <= max_exponent_bits;
    return acceptable ? make_public_key(n.get(), e.get()) : nullptr;
}

} // namespace

std::optional<jwk_set> jwk_set::parse(std::string_view text)
{
    auto set = parse_object(text);
    auto member = set ? set->if_contains("keys") : nullptr;
    auto list = member ? member->if_array() : nullptr;
    if (!list || list->size() > max_keys)
        return std::nullopt;
    jwk_set out;
    for (auto& element : *list) {
        auto jwk = element.if_object();
        if (!jwk || (jwk->contains("kid") && !text_member(*jwk, "kid")))
            return std::nullopt;
        if (auto key = read_key(*jwk))
            out.keys_.push_back({std::string(text_member(*jwk, "kid").value_or("")), std::move(key)});
    }
    if (out.keys_.empty())
        return std::nullopt;
    return out;
}

bool jwk_set::has(std::string_view kid) const
{
    return !kid.empty() && std::ranges::any_of(keys_, [&](const entry& known) { return known.kid == kid; });
}

std::vector<EVP_PKEY*> jwk_set::candidates(std::optional<std::string_view> kid) const
{
    std::vector<EVP_PKEY*> out;
    for (auto& known : keys_)
        if (kid ? !kid->empty() && known.kid == *kid : keys_.size() == 1)
            out.push_back(known.key.get());
    return out;
}

bool verify_rs256(EVP_PKEY* key, std::string_view text, std::span<const std::uint8_t> signature)
{
    openssl_ptr<EVP_MD_CTX, &EVP_MD_CTX_free> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr; // owned by the context
    auto bytes = bytes_of(text);
    bool verified =
        context &&
        EVP_DigestVerifyInit_ex(context.get(), &settings, "SHA256", nullptr, nullptr, key, nullptr) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PADDING) == 1 &&
        EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(), bytes.size()) == 1;
    if (!verified)
        ERR_clear_error(); // OpenSSL's error queue is per thread: a later call must not find this one in it
    return verified;
}

} // namespace crypto
