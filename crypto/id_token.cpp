#include "crypto/id_token.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/json_member.hpp"
#include "crypto/jwk_set.hpp"
#include "crypto/jws.hpp"

#include <boost/json/value.hpp>

#include <algorithm>
#include <optional>

namespace crypto {

namespace json = boost::json;

namespace {

constexpr std::size_t max_token_size = std::size_t{16} << 10;
constexpr std::size_t max_subject_size = 255;               // OpenID Connect Core, section 2
constexpr std::int64_t clock_skew = 60, max_iat_skew = 300; // seconds

constexpr std::string_view google_issuer_without_scheme = "accounts.google.com";

/// A base64url part of a token as a JSON object.
std::optional<json::object> decode_object(std::string_view part)
{
    auto bytes = from_base64url(part);
    return bytes ? parse_object(text_of(*bytes)) : std::nullopt;
}

bool has_control_character(std::string_view text)
{
    return std::ranges::any_of(text,
                               [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// An optional claim. A text with a control character counts as missing.
std::string printable_member(const json::object& in, std::string_view name)
{
    auto text = text_member(in, name);
    return text && !has_control_character(*text) ? std::string(*text) : std::string();
}

/// A NumericDate (RFC 7519, section 2), fractions of a second truncated.
std::optional<std::int64_t> time_member(const json::object& in, std::string_view name)
{
    constexpr std::int64_t latest = std::int64_t{1} << 52;
    auto member = in.if_contains(name);
    if (!member)
        return std::nullopt;
    if (auto whole = member->if_int64(); whole && *whole >= 0 && *whole <= latest)
        return *whole;
    if (auto real = member->if_double(); real && *real >= 0 && *real <= static_cast<double>(latest))
        return static_cast<std::int64_t>(*real);
    return std::nullopt;
}

/// Check the header, except for the key. @return nothing if it is valid
std::optional<id_token_error> check_header(const json::object& header)
{
    if (text_member(header, "alg") != "RS256")
        return id_token_error::wrong_algorithm;
    if (header.contains("crit")) // extensions that must be understood: none are
        return id_token_error::malformed;
    if (header.contains("kid") && !text_member(header, "kid"))
        return id_token_error::malformed;
    if (!header.contains("typ"))
        return std::nullopt;
    // Other token types of the same issuer are not ID tokens (RFC 8725, section 3.11).
    auto type = text_member(header, "typ").value_or("");
    if (type != "JWT" && type != "jwt")
        return id_token_error::malformed;
    return std::nullopt;
}

bool has_issuer(const json::object& payload, std::string_view issuer)
{
    auto claimed = text_member(payload, "iss");
    return claimed &&
           (*claimed == issuer || (issuer == google_issuer && *claimed == google_issuer_without_scheme));
}

/// With several audiences, the client must be the authorized party (`azp`) as well.
bool has_audience(const json::object& payload, std::string_view client)
{
    auto party = text_member(payload, "azp");
    if (payload.contains("azp") && party != client)
        return false;
    if (auto one = text_member(payload, "aud"))
        return *one == client;
    auto audience = payload.if_contains("aud");
    auto list = audience ? audience->if_array() : nullptr;
    if (!list || !std::ranges::all_of(*list, [](const json::value& element) { return element.is_string(); }))
        return false;
    bool listed = std::ranges::any_of(
        *list, [&](const json::value& element) { return element.get_string() == client; });
    return listed && (list->size() == 1 || party == client);
}

std::optional<id_token_error> check_times(const json::object& payload, std::int64_t now)
{
    auto expires = time_member(payload, "exp"), issued = time_member(payload, "iat");
    auto not_before = time_member(payload, "nbf");
    if (!expires || !issued || (payload.contains("nbf") && !not_before))
        return id_token_error::malformed;
    if (*expires + clock_skew <= now)
        return id_token_error::expired;
    if (*issued > now + max_iat_skew || not_before.value_or(0) > now + clock_skew)
        return id_token_error::not_yet_valid;
    return std::nullopt;
}

/// Some providers send the boolean as a string.
bool is_email_verified(const json::object& payload)
{
    auto claim = payload.if_contains("email_verified");
    return claim &&
           ((claim->is_bool() && claim->get_bool()) || (claim->is_string() && claim->get_string() == "true"));
}

std::variant<id_claims, id_token_error> read_claims(const json::object& payload,
                                                    const id_token_expectations& expected)
{
    if (!has_issuer(payload, expected.issuer))
        return id_token_error::wrong_issuer;
    if (!has_audience(payload, expected.audience))
        return id_token_error::wrong_audience;
    if (auto error = check_times(payload, expected.now))
        return *error;
    auto nonce = text_member(payload, "nonce").value_or("");
    if (expected.nonce.empty() || !equal_constant_time(nonce, expected.nonce))
        return id_token_error::wrong_nonce;

    id_claims out;
    out.subject = printable_member(payload, "sub");
    if (out.subject.empty() || out.subject.size() > max_subject_size)
        return id_token_error::malformed;
    out.email = printable_member(payload, "email");
    out.email_verified = !out.email.empty() && is_email_verified(payload);
    out.name = printable_member(payload, "name");
    out.hosted_domain = printable_member(payload, "hd");
    return out;
}

} // namespace

std::string_view describe(id_token_error error)
{
    switch (error) {
    case id_token_error::malformed:
        return "malformed";
    case id_token_error::wrong_algorithm:
        return "not signed with RS256";
    case id_token_error::unknown_key:
        return "signed with an unknown key";
    case id_token_error::bad_signature:
        return "not signed by its key";
    case id_token_error::wrong_issuer:
        return "issued by another issuer";
    case id_token_error::wrong_audience:
        return "issued to another client";
    case id_token_error::expired:
        return "expired";
    case id_token_error::not_yet_valid:
        return "not yet valid";
    case id_token_error::wrong_nonce:
        return "bound to another nonce";
    }
    return "invalid";
}

std::variant<id_claims, id_token_error> verify_id_token(const jwk_set& keys, std::string_view token,
                                                        const id_token_expectations& expected)
{
    // Decode.
    auto parts = split_jws(token, max_token_size);
    auto header = parts ? decode_object(parts->header) : std::nullopt;
    auto signature = parts ? from_base64url(parts->signature) : std::nullopt;
    if (!header || !signature)
        return id_token_error::malformed;
    if (auto error = check_header(*header))
        return *error;

    // Verify the signature.
    auto kid = text_member(*header, "kid");
    auto candidates = keys.candidates(kid);
    if (candidates.empty())
        return id_token_error::unknown_key;
    auto verifies = [&](EVP_PKEY* key) { return verify_rs256(key, parts->signed_text, *signature); };
    if (std::ranges::none_of(candidates, verifies))
        return kid ? id_token_error::bad_signature : id_token_error::unknown_key;

    // Check the claims.
    auto payload = decode_object(parts->payload);
    if (!payload)
        return id_token_error::malformed;
    return read_claims(*payload, expected);
}

} // namespace crypto
