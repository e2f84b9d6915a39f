#include "crypto/jwt.hpp"

#include "crypto/encoding.hpp"
#include "crypto/json_member.hpp"
#include "crypto/jws.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <optional>
#include <utility>

namespace crypto {

namespace json = boost::json;

namespace {

constexpr std::size_t max_token_size = 8192;

/** Decode a payload.
    @return nothing unless serializing the object gives the same text, as it does for all tokens written here;
    this excludes duplicate members */
std::optional<json::object> decode_canonical_object(std::string_view part)
{
    auto bytes = from_base64url(part);
    if (!bytes)
        return std::nullopt;
    auto object = parse_object(text_of(*bytes));
    if (!object || json::serialize(*object) != text_of(*bytes))
        return std::nullopt;
    return object;
}

std::optional<std::int64_t> number_member(const json::object& in, std::string_view name)
{
    auto member = in.if_contains(name);
    if (!member || !member->is_int64())
        return std::nullopt;
    return member->get_int64();
}

std::optional<claims> read_claims(const json::object& in)
{
    claims out;
    const std::pair<std::string_view, std::string*> texts[] = {{"iss", &out.issuer},
                                                               {"sub", &out.subject},
                                                               {"aud", &out.audience},
                                                               {"jti", &out.token_id},
                                                               {"sid", &out.session_id}};
    for (auto& [name, target] : texts) {
        auto text = text_member(in, name);
        if (!text)
            return std::nullopt;
        *target = *text;
    }
    auto workspace = in.if_contains("wid");
    if (!workspace || !(workspace->is_null() || workspace->is_string()))
        return std::nullopt;
    out.workspace_id = text_member(in, "wid").value_or("");
    out.role = text_member(in, "role").value_or("");
    out.membership_id = text_member(in, "mid").value_or("");
    auto issued = number_member(in, "iat");
    auto expires = number_member(in, "exp");
    if (!issued || !expires)
        return std::nullopt;
    out.issued_at = *issued;
    out.expires_at = *expires;
    return out;
}

std::string encoded_header(const signing_key& key)
{
    json::object out;
    out["typ"] = "at+jwt";
    out["alg"] = key.algorithm_name();
    out["kid"] = key.kid();
    return to_base64url(bytes_of(json::serialize(out)));
}

json::object to_object(const claims& payload)
{
    json::object out;
    out["iss"] = payload.issuer;
    out["sub"] = payload.subject;
    out["aud"] = payload.audience;
    out["exp"] = payload.expires_at;
    out["iat"] = payload.issued_at;
    out["jti"] = payload.token_id;
    out["sid"] = payload.session_id;
    if (payload.workspace_id.empty())
        out["wid"] = nullptr;
    else
        out["wid"] = payload.workspace_id;
    if (!payload.role.empty())
        out["role"] = payload.role;
    if (!payload.membership_id.empty())
        out["mid"] = payload.membership_id;
    return out;
}

} // namespace

jwt_keys::jwt_keys(signing_key signer, std::vector<signing_key> verifiers)
{
    verifiers.insert(verifiers.begin(), std::move(signer));
    jwks_ = "{\"keys\":[";
    for (auto& key : verifiers) {
        jwks_ += key.public_jwk() + ",";
        auto header = encoded_header(key);
        keys_.push_back({std::move(key), std::move(header)});
    }
    jwks_.back() = ']';
    jwks_ += '}';
}

const signing_key* jwt_keys::find(std::string_view header) const
{
    for (auto& known : keys_)
        if (known.header == header)
            return &known.key;
    return nullptr;
}

std::string jwt_keys::sign(const claims& payload) const
{
    auto& [key, header] = keys_.front();
    auto token = header + '.';
    token += to_base64url(bytes_of(json::serialize(to_object(payload))));
    auto signature = key.sign(token);
    token.push_back('.');
    token += to_base64url(signature);
    return token;
}

std::variant<claims, jwt_error> jwt_keys::verify(std::string_view token, std::string_view issuer,
                                                 std::string_view audience, std::int64_t now) const
{
    auto parts = split_jws(token, max_token_size);
    if (!parts)
        return jwt_error::malformed;
    auto signature = from_base64url(parts->signature);
    if (!signature)
        return jwt_error::malformed;
    auto key = find(parts->header);
    if (!key)
        return jwt_error::unknown_key;
    if (!key->verify(parts->signed_text, *signature))
        return jwt_error::bad_signature;

    auto payload = decode_canonical_object(parts->payload);
    auto out = payload ? read_claims(*payload) : std::nullopt;
    if (!out)
        return jwt_error::malformed;
    if (out->issuer != issuer)
        return jwt_error::wrong_issuer;
    if (out->audience != audience)
        return jwt_error::wrong_audience;
    if (out->expires_at <= now)
        return jwt_error::expired;
    return std::move(*out);
}

} // namespace crypto
