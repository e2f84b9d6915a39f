#include "crypto/jwt.hpp"

#include "crypto/encoding.hpp"
#include "crypto/json_member.hpp"
#include "crypto/jws.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <optional>
#include <utility>

namespace crypto {

namespace json = boost::json;

namespace {

constexpr std::size_t longest_token = 8192;

/** @return nothing unless writing the object again gives the same text, as it does for all that we wrote; so
    there is no member that stands in it twice */
std::optional<json::object> read_object(std::string_view part)
{
    auto bytes = from_base64url(part);
    if (!bytes)
        return std::nullopt;
    boost::system::error_code error;
    auto value = json::parse(text_of(*bytes), error);
    if (error || !value.is_object() || json::serialize(value) != text_of(*bytes))
        return std::nullopt;
    return std::move(value.get_object());
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
    auto issued = number_member(in, "iat");
    auto expires = number_member(in, "exp");
    if (!issued || !expires)
        return std::nullopt;
    out.issued_at = *issued;
    out.expires_at = *expires;
    return out;
}

std::string header_of(const signing_key& key)
{
    json::object out;
    out["typ"] = "at+jwt";
    out["alg"] = key.algorithm_name();
    out["kid"] = key.kid();
    return to_base64url(bytes_of(json::serialize(out)));
}

json::object to_object(const claims& what)
{
    json::object out;
    out["iss"] = what.issuer;
    out["sub"] = what.subject;
    out["aud"] = what.audience;
    out["exp"] = what.expires_at;
    out["iat"] = what.issued_at;
    out["jti"] = what.token_id;
    out["sid"] = what.session_id;
    if (what.workspace_id.empty())
        out["wid"] = nullptr;
    else
        out["wid"] = what.workspace_id;
    if (!what.role.empty())
        out["role"] = what.role;
    return out;
}

} // namespace

jwt_keys::jwt_keys(signing_key signer, std::vector<signing_key> verifiers)
{
    verifiers.insert(verifiers.begin(), std::move(signer));
    jwks_ = "{\"keys\":[";
    for (auto& key : verifiers) {
        jwks_ += key.public_jwk() + ",";
        auto header = header_of(key);
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

std::string jwt_keys::sign(const claims& what) const
{
    auto& [key, header] = keys_.front();
    auto token = header + '.';
    token += to_base64url(bytes_of(json::serialize(to_object(what))));
    auto signature = key.sign(token);
    token.push_back('.');
    token += to_base64url(signature);
    return token;
}

std::variant<claims, jwt_fault> jwt_keys::verify(std::string_view token, std::string_view issuer,
                                                 std::string_view audience, std::int64_t now) const
{
    auto pieces = split_jws(token, longest_token);
    if (!pieces)
        return jwt_fault::malformed;
    auto signature = from_base64url(pieces->signature);
    if (!signature)
        return jwt_fault::malformed;
    auto key = find(pieces->header);
    if (!key)
        return jwt_fault::unknown_key;
    if (!key->verify(pieces->signed_text, *signature))
        return jwt_fault::bad_signature;

    auto payload = read_object(pieces->payload);
    auto what = payload ? read_claims(*payload) : std::nullopt;
    if (!what)
        return jwt_fault::malformed;
    if (what->issuer != issuer)
        return jwt_fault::wrong_issuer;
    if (what->audience != audience)
        return jwt_fault::wrong_audience;
    if (what->expires_at <= now)
        return jwt_fault::expired;
    return std::move(*what);
}

} // namespace crypto
