#include "crypto/jwks.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/json_member.hpp"
#include "crypto/jws.hpp"
#include "crypto/openssl_ptr.hpp"
#include "crypto/random.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <span>
#include <utility>

namespace crypto {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_token = std::size_t{16} << 10;
constexpr std::size_t longest_subject = 255; // OpenID Connect Core, section 2
constexpr std::size_t most_keys = 64;
constexpr int fewest_bits = 2048, most_bits = 8192, most_exponent_bits = 32;
constexpr std::int64_t clock_difference = 60, issued_ahead = 300; // seconds

constexpr std::string_view google_without_scheme = "accounts.google.com";

using number = std::unique_ptr<BIGNUM, released_by<&BN_free>>;

std::optional<json::object> read_object(std::string_view text)
{
    boost::system::error_code error;
    auto value = json::parse(text, error);
    if (error || !value.is_object())
        return std::nullopt;
    return std::move(value.get_object());
}

std::optional<json::object> read_part(std::string_view part)
{
    auto bytes = from_base64url(part);
    if (!bytes)
        return std::nullopt;
    return read_object(text_of(*bytes));
}

bool has_control_character(std::string_view text)
{
    return std::ranges::any_of(text,
                               [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/** A claim that may be missing. One with a control character in it is as good as missing. */
std::string printable_member(const json::object& in, std::string_view name)
{
    auto text = text_member(in, name);
    return text && !has_control_character(*text) ? std::string(*text) : std::string();
}

/** A NumericDate (RFC 7519, section 2), a fraction of a second cut off. */
std::optional<std::int64_t> time_member(const json::object& in, std::string_view name)
{
    constexpr std::int64_t farthest = std::int64_t{1} << 52;
    auto member = in.if_contains(name);
    if (!member)
        return std::nullopt;
    if (auto whole = member->if_int64(); whole && *whole >= 0 && *whole <= farthest)
        return *whole;
    if (auto real = member->if_double(); real && *real >= 0 && *real <= static_cast<double>(farthest))
        return static_cast<std::int64_t>(*real);
    return std::nullopt;
}

number read_number(const json::object& jwk, std::string_view name)
{
    auto text = text_member(jwk, name);
    auto bytes = text ? from_base64url(*text) : std::nullopt;
    if (!bytes || bytes->size() > 2 * most_bits / 8)
        return nullptr;
    return number(BN_bin2bn(bytes->data(), static_cast<int>(bytes->size()), nullptr));
}

std::shared_ptr<EVP_PKEY> make_public_key(const BIGNUM* n, const BIGNUM* e)
{
    std::unique_ptr<OSSL_PARAM_BLD, released_by<&OSSL_PARAM_BLD_free>> builder(OSSL_PARAM_BLD_new());
    if (!builder || OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n) != 1 ||
        OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e) != 1)
        throw failure("no memory for a key");
    std::unique_ptr<OSSL_PARAM, released_by<&OSSL_PARAM_free>> params(OSSL_PARAM_BLD_to_param(builder.get()));
    std::unique_ptr<EVP_PKEY_CTX, released_by<&EVP_PKEY_CTX_free>> context(
        EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
    EVP_PKEY* key = nullptr;
    if (!params || !context || EVP_PKEY_fromdata_init(context.get()) != 1 ||
        EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, params.get()) != 1) {
        ERR_clear_error();
        return nullptr;
    }
    return {key, released_by<&EVP_PKEY_free>()};
}

/** Whether a JWK is meant for what we do with it (RFC 7517, section 4). A private key that is published
   vouches for nothing. */
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

/** @return null for a key that we do not take */
std::shared_ptr<EVP_PKEY> read_key(const json::object& jwk)
{
    if (!is_for_rs256(jwk))
        return nullptr;
    auto n = read_number(jwk, "n"), e = read_number(jwk, "e");
    if (!n || !e)
        return nullptr;
    auto bits = BN_num_bits(n.get());
    bool good = bits >= fewest_bits && bits <= most_bits && BN_is_odd(n.get()) && BN_is_odd(e.get()) &&
                BN_num_bits(e.get()) >= 2 && BN_num_bits(e.get()) <= most_exponent_bits;
    return good ? make_public_key(n.get(), e.get()) : nullptr;
}

/** RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2): the algorithm is ours, not the token's. */
bool is_signed_by(EVP_PKEY* key, std::string_view text, std::span<const std::uint8_t> signature)
{
    std::unique_ptr<EVP_MD_CTX, released_by<&EVP_MD_CTX_free>> context(EVP_MD_CTX_new());
    EVP_PKEY_CTX* settings = nullptr; // belongs to the context
    auto bytes = bytes_of(text);
    bool good =
        context &&
        EVP_DigestVerifyInit_ex(context.get(), &settings, "SHA256", nullptr, nullptr, key, nullptr) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(settings, RSA_PKCS1_PADDING) == 1 &&
        EVP_DigestVerify(context.get(), signature.data(), signature.size(), bytes.data(), bytes.size()) == 1;
    if (!good)
        ERR_clear_error(); // a bad signature is an answer; nobody else on this thread shall stumble over it
    return good;
}

/** What the header may say, key aside. @return nothing if all is well */
std::optional<id_token_fault> fault_of_header(const json::object& header)
{
    if (text_member(header, "alg") != "RS256")
        return id_token_fault::wrong_algorithm;
    if (header.contains("crit")) // extensions that must be understood: we know none
        return id_token_fault::malformed;
    if (header.contains("kid") && !text_member(header, "kid"))
        return id_token_fault::malformed;
    if (!header.contains("typ"))
        return std::nullopt;
    // Another kind of token of the same issuer is no ID token (RFC 8725, section 3.11).
    auto type = text_member(header, "typ").value_or("");
    if (type != "JWT" && type != "jwt")
        return id_token_fault::malformed;
    return std::nullopt;
}

bool is_from(std::string_view issuer, const json::object& payload)
{
    auto said = text_member(payload, "iss");
    return said && (*said == issuer || (issuer == google_issuer && *said == google_without_scheme));
}

/** Of several audiences we must be the one that the token was issued to. */
bool is_for(std::string_view client, const json::object& payload)
{
    auto party = text_member(payload, "azp");
    if (payload.contains("azp") && party != client)
        return false;
    if (auto one = text_member(payload, "aud"))
        return *one == client;
    auto audience = payload.if_contains("aud");
    auto list = audience ? audience->if_array() : nullptr;
    if (!list || !std::ranges::all_of(*list, [](const json::value& each) { return each.is_string(); }))
        return false;
    bool named =
        std::ranges::any_of(*list, [&](const json::value& each) { return each.get_string() == client; });
    return named && (list->size() == 1 || party == client);
}

std::optional<id_token_fault> fault_of_times(const json::object& payload, std::int64_t now)
{
    auto expires = time_member(payload, "exp"), issued = time_member(payload, "iat");
    auto begins = time_member(payload, "nbf");
    if (!expires || !issued || (payload.contains("nbf") && !begins))
        return id_token_fault::malformed;
    if (*expires + clock_difference <= now)
        return id_token_fault::expired;
    if (*issued > now + issued_ahead || begins.value_or(0) > now + clock_difference)
        return id_token_fault::not_yet_valid;
    return std::nullopt;
}

/** Some providers write the boolean as text. */
bool is_verified(const json::object& payload)
{
    auto said = payload.if_contains("email_verified");
    return said &&
           ((said->is_bool() && said->get_bool()) || (said->is_string() && said->get_string() == "true"));
}

std::variant<id_claims, id_token_fault> read_claims(const json::object& payload,
                                                    const id_token_expectations& expected)
{
    if (!is_from(expected.issuer, payload))
        return id_token_fault::wrong_issuer;
    if (!is_for(expected.audience, payload))
        return id_token_fault::wrong_audience;
    if (auto fault = fault_of_times(payload, expected.now))
        return *fault;
    auto nonce = text_member(payload, "nonce").value_or("");
    if (expected.nonce.empty() || !equal_constant_time(nonce, expected.nonce))
        return id_token_fault::wrong_nonce;

    id_claims out;
    out.subject = printable_member(payload, "sub");
    if (out.subject.empty() || out.subject.size() > longest_subject)
        return id_token_fault::malformed;
    out.email = printable_member(payload, "email");
    out.email_verified = !out.email.empty() && is_verified(payload);
    out.name = printable_member(payload, "name");
    return out;
}

} // namespace

std::string_view describe(id_token_fault fault)
{
    switch (fault) {
    case id_token_fault::malformed:
        return "malformed";
    case id_token_fault::wrong_algorithm:
        return "not signed with RS256";
    case id_token_fault::unknown_key:
        return "signed with an unknown key";
    case id_token_fault::bad_signature:
        return "signature does not verify";
    case id_token_fault::wrong_issuer:
        return "of another issuer";
    case id_token_fault::wrong_audience:
        return "for another client";
    case id_token_fault::expired:
        return "expired";
    case id_token_fault::not_yet_valid:
        return "of the future";
    case id_token_fault::wrong_nonce:
        return "for another sign-in";
    }
    return "faulty";
}

std::optional<verification_keys> verification_keys::parse(std::string_view text)
{
    auto set = read_object(text);
    auto member = set ? set->if_contains("keys") : nullptr;
    auto list = member ? member->if_array() : nullptr;
    if (!list || list->size() > most_keys)
        return std::nullopt;
    verification_keys out;
    for (auto& each : *list) {
        auto jwk = each.if_object();
        if (!jwk || (jwk->contains("kid") && !text_member(*jwk, "kid")))
            return std::nullopt;
        if (auto key = read_key(*jwk))
            out.keys_.push_back({std::string(text_member(*jwk, "kid").value_or("")), std::move(key)});
    }
    if (out.keys_.empty())
        return std::nullopt;
    return out;
}

bool verification_keys::has(std::string_view kid) const
{
    return !kid.empty() && std::ranges::any_of(keys_, [&](const entry& each) { return each.kid == kid; });
}

/** Usually one; a provider that gives one name to several keys is answered for. */
std::vector<const verification_keys::entry*>
verification_keys::candidates(std::optional<std::string_view> kid) const
{
    std::vector<const entry*> out;
    for (auto& each : keys_)
        if (kid ? !kid->empty() && each.kid == *kid : keys_.size() == 1)
            out.push_back(&each);
    return out;
}

std::variant<id_claims, id_token_fault>
verification_keys::verify_id_token(std::string_view token, const id_token_expectations& expected) const
{
    auto parts = split_jws(token, longest_token);
    auto header = parts ? read_part(parts->header) : std::nullopt;
    auto signature = parts ? from_base64url(parts->signature) : std::nullopt;
    if (!header || !signature)
        return id_token_fault::malformed;
    if (auto fault = fault_of_header(*header))
        return *fault;

    auto kid = text_member(*header, "kid");
    auto known = candidates(kid);
    if (known.empty())
        return id_token_fault::unknown_key;
    if (std::ranges::none_of(known, [&](const entry* each) {
            return is_signed_by(each->key.get(), parts->signed_text, *signature);
        }))
        return kid ? id_token_fault::bad_signature : id_token_fault::unknown_key;

    auto payload = read_part(parts->payload);
    if (!payload)
        return id_token_fault::malformed;
    return read_claims(*payload, expected);
}

} // namespace crypto
