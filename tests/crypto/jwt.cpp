#include "crypto/jwt.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "tests/support/forge.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <thread>

using namespace crypto;

namespace {

constexpr std::string_view issuer = "https://id.example.org", audience = "latchkey";
constexpr std::int64_t now = 1'800'000'000;

claims sample()
{
    return {.issuer = std::string(issuer),
            .subject = "01939c5e-8f00-7abc-8def-0123456789ab",
            .audience = std::string(audience),
            .token_id = "01939c5e-8f00-7abc-8def-0123456789ac",
            .session_id = "01939c5e-8f00-7abc-8def-0123456789ad",
            .workspace_id = "01939c5e-8f00-7abc-8def-0123456789ae",
            .role = "admin",
            .membership_id = "01939c5e-8f00-7abc-8def-0123456789af",
            .issued_at = now - 10,
            .expires_at = now + 3600};
}

std::string part(std::string_view text)
{
    return to_base64url(bytes_of(text));
}

/// A token with any header and payload and a valid signature.
std::string forge(const signing_key& key, std::string_view header, std::string_view payload)
{
    auto text = part(header) + "." + part(payload);
    return text + "." + to_base64url(key.sign(text));
}

std::string decoded(std::string_view encoded)
{
    auto bytes = from_base64url(encoded);
    BOOST_REQUIRE(bytes.has_value());
    return std::string(text_of(*bytes));
}

struct two_keys {
    signing_key es256 = signing_key::generate(jwt_algorithm::es256);
    signing_key eddsa = signing_key::generate(jwt_algorithm::eddsa);
    jwt_keys keys{es256, {eddsa}};

    std::string token = keys.sign(sample());
    std::string header = decoded(token.substr(0, token.find('.')));
    std::string payload = decoded(token.substr(token.find('.') + 1, token.rfind('.') - token.find('.') - 1));

    std::string error_of(std::string_view candidate, std::int64_t at = now) const
    {
        auto result = keys.verify(candidate, issuer, audience, at);
        auto error = std::get_if<jwt_error>(&result);
        if (!error)
            return "none";
        constexpr const char* names[] = {"malformed",    "unknown_key",    "bad_signature",
                                         "wrong_issuer", "wrong_audience", "expired"};
        return names[static_cast<std::size_t>(*error)];
    }

    /// A payload with the standard header, signed by the first key.
    std::string forge_payload(std::string_view text) const { return forge(es256, header, text); }
};

std::string replaced(std::string text, std::string_view from, std::string_view to)
{
    auto at = text.find(from);
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, from << " is not in " << text);
    return text.replace(at, from.size(), to);
}

} // namespace

BOOST_AUTO_TEST_SUITE(jwt)

BOOST_AUTO_TEST_CASE(a_token_yields_its_claims)
{
    for (auto algorithm : {jwt_algorithm::es256, jwt_algorithm::eddsa}) {
        jwt_keys keys(signing_key::generate(algorithm), {});
        auto payload_claims = sample();
        auto result = keys.verify(keys.sign(payload_claims), issuer, audience, now);
        auto verified = std::get_if<claims>(&result);
        BOOST_REQUIRE(verified);
        BOOST_TEST(verified->issuer == payload_claims.issuer);
        BOOST_TEST(verified->subject == payload_claims.subject);
        BOOST_TEST(verified->audience == payload_claims.audience);
        BOOST_TEST(verified->token_id == payload_claims.token_id);
        BOOST_TEST(verified->session_id == payload_claims.session_id);
        BOOST_TEST(verified->workspace_id == payload_claims.workspace_id);
        BOOST_TEST(verified->role == payload_claims.role);
        BOOST_TEST(verified->issued_at == payload_claims.issued_at);
        BOOST_TEST(verified->expires_at == payload_claims.expires_at);
    }
}

BOOST_FIXTURE_TEST_CASE(header_and_claims_are_as_documented, two_keys)
{
    auto head = boost::json::parse(header).as_object();
    BOOST_TEST(head.size() == 3u);
    BOOST_TEST(head.at("typ").as_string() == "at+jwt");
    BOOST_TEST(head.at("alg").as_string() == "ES256");
    BOOST_TEST(head.at("kid").as_string() == es256.kid());
    auto body = boost::json::parse(payload).as_object();
    BOOST_TEST(body.size() == 10u);
    for (auto name : {"iss", "sub", "aud", "jti", "sid", "wid", "role", "mid"})
        BOOST_TEST(body.at(name).is_string(), name);
    BOOST_TEST(body.at("exp").as_int64() == now + 3600);
    BOOST_TEST(body.at("iat").as_int64() == now - 10);
}

BOOST_FIXTURE_TEST_CASE(a_user_without_a_workspace_has_a_null_wid, two_keys)
{
    auto payload_claims = sample();
    payload_claims.workspace_id = payload_claims.role = "";
    auto made = keys.sign(payload_claims);
    auto text = decoded(made.substr(made.find('.') + 1, made.rfind('.') - made.find('.') - 1));
    auto body = boost::json::parse(text).as_object();
    BOOST_TEST(body.at("wid").is_null());
    BOOST_TEST(!body.contains("role"));
    auto result = keys.verify(made, issuer, audience, now);
    BOOST_REQUIRE(std::holds_alternative<claims>(result));
    BOOST_TEST(std::get<claims>(result).workspace_id == "");
}

BOOST_FIXTURE_TEST_CASE(any_text_round_trips, two_keys)
{
    auto payload_claims = sample();
    payload_claims.subject = "quotes \" \\ / \n \x01 and ünïcödé 🔑 </script>";
    auto result = keys.verify(keys.sign(payload_claims), issuer, audience, now);
    BOOST_REQUIRE(std::holds_alternative<claims>(result));
    BOOST_TEST(std::get<claims>(result).subject == payload_claims.subject);
}

BOOST_FIXTURE_TEST_CASE(every_key_of_the_set_verifies_and_the_first_signs, two_keys)
{
    jwt_keys rotated(eddsa, {es256});
    BOOST_TEST(error_of(rotated.sign(sample())) == "none");
    BOOST_TEST(std::holds_alternative<claims>(rotated.verify(token, issuer, audience, now)));
    jwt_keys unrelated_keys(signing_key::generate(jwt_algorithm::es256), {});
    BOOST_TEST(error_of(unrelated_keys.sign(sample())) == "unknown_key");
}

BOOST_FIXTURE_TEST_CASE(a_token_expires_at_the_second_of_its_exp, two_keys)
{
    BOOST_TEST(error_of(token, now + 3599) == "none");
    BOOST_TEST(error_of(token, now + 3600) == "expired");
    BOOST_TEST(error_of(token, now + 3601) == "expired");
    BOOST_TEST(error_of(token, 0) == "none"); // iat alone refuses nothing: clocks differ
}

BOOST_FIXTURE_TEST_CASE(issuer_and_audience_are_compared_exactly, two_keys)
{
    for (auto other : {"", "https://id.example.org/", "https://id.example.or", "https://ID.example.org"}) {
        auto payload_claims = sample();
        payload_claims.issuer = other;
        BOOST_TEST(error_of(keys.sign(payload_claims)) == "wrong_issuer", other);
        payload_claims = sample();
        payload_claims.audience = other;
        BOOST_TEST(error_of(keys.sign(payload_claims)) == "wrong_audience", other);
    }
}

BOOST_FIXTURE_TEST_CASE(every_changed_character_is_detected, two_keys)
{
    for (std::size_t i = 0; i < token.size(); ++i) {
        BOOST_TEST(error_of(support::forge(token, i)) != "none", "character " << i);
    }
    for (std::size_t size = 0; size < token.size(); ++size)
        BOOST_TEST(error_of(token.substr(0, size)) != "none", size << " characters");
}

BOOST_FIXTURE_TEST_CASE(malformed_tokens_are_rejected, two_keys)
{
    auto dot = token.find('.'), last = token.rfind('.');
    auto signature = token.substr(last + 1);
    const std::string bad[] = {
        "",
        ".",
        "...",
        "a.b.c.d.e",
        token + ".",
        "." + token,
        token + ".AAAA",
        token + "=",
        token + "==",
        token + "\n",
        token + " ",
        token.substr(0, last),
        token.substr(0, last) + "." + replaced(signature, signature.substr(20, 1), "+"),
        token.substr(0, last) + "." + signature.substr(0, 20) + " " + signature.substr(20),
        token.substr(0, last + 1) + std::string(8192, 'A'),
        std::string(1'000'000, '.'),
        std::string(1'000'000, 'A'),
        token.substr(0, dot) + std::string(3, '\0'),
    };
    for (auto& candidate : bad)
        BOOST_TEST(error_of(candidate) == "malformed", candidate.substr(0, 60));
}

BOOST_FIXTURE_TEST_CASE(a_signature_has_one_valid_encoding, two_keys)
{
    // 64 bytes are 86 characters; the last carries 2 bits of the signature and 4 that must be zero.
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    auto value = alphabet.find(token.back());
    for (std::size_t tail = 1; tail < 16; ++tail) {
        auto reencoded = token;
        reencoded.back() = alphabet[value + tail];
        BOOST_TEST(error_of(reencoded) == "malformed");
    }
    auto reencoded = token + "A";
    BOOST_TEST(error_of(reencoded) != "none");
}

BOOST_FIXTURE_TEST_CASE(a_token_cannot_choose_its_algorithm_or_key, two_keys)
{
    auto kid = es256.kid(), other_kid = eddsa.kid();
    auto with = [&](std::string_view from, std::string_view to) { return replaced(header, from, to); };
    const std::string headers[] = {
        "",
        "{}",
        "[]",
        "null",
        header + " ",
        " " + header,
        with("ES256", "none"),
        with("ES256", "None"),
        with("ES256", "HS256"),
        with("ES256", "EdDSA"),
        with("ES256", "ES384"),
        with("ES256", "es256"),
        with("\"alg\":\"ES256\",", ""),
        with("at+jwt", "JWT"),
        with("at+jwt", "application/at+jwt"),
        with("at+jwt", "AT+JWT"),
        with("\"typ\":\"at+jwt\",", ""),
        with(kid, ""),
        with(kid, "../../../dev/null"),
        with(kid, other_kid),
        with("\"kid\":\"" + kid + "\"", "\"kid\":null"),
        with("}", ",\"crit\":[\"exp\"]}"),
        with("}", ",\"crit\":[]}"),
        with("}", ",\"b64\":false}"),
        with("}", ",\"zip\":\"DEF\"}"),
        with("}", ",\"jku\":\"https://evil.example/jwks.json\"}"),
        with("}", ",\"jwk\":" + es256.public_jwk() + "}"),
        with("}", ",\"alg\":\"none\"}"),
        with("{", "{\"alg\":\"none\","),
        with("}", ",\"typ\":\"at+jwt\"}"),
    };
    for (auto& candidate : headers) {
        BOOST_TEST(error_of(forge(es256, candidate, payload)) == "unknown_key", candidate);
        BOOST_TEST(error_of(forge(eddsa, candidate, payload)) == "unknown_key", candidate);
        BOOST_TEST(error_of(part(candidate) + "." + part(payload) + ".") == "unknown_key", candidate);
    }
}

BOOST_FIXTURE_TEST_CASE(a_known_header_needs_a_valid_signature, two_keys)
{
    auto text = part(header) + "." + part(payload);
    // The public key as an HMAC secret, another key of the set, none at all, another token's.
    hmac_sha256 mac(bytes_of(es256.public_jwk()));
    auto later = sample();
    later.expires_at += 1;
    auto another = keys.sign(later);
    for (auto& signature :
         {to_base64url(mac(text)), to_base64url(eddsa.sign(text)), std::string(), part(std::string(64, '\0')),
          part(std::string(64, '\xff')), another.substr(another.rfind('.') + 1)})
        BOOST_TEST(error_of(text + "." + signature) == "bad_signature", signature);
    BOOST_TEST(error_of(text + "." + to_base64url(es256.sign(text))) == "none");
}

BOOST_FIXTURE_TEST_CASE(a_signed_payload_must_be_canonical, two_keys)
{
    auto with = [&](std::string_view from, std::string_view to) { return replaced(payload, from, to); };
    auto exp = "\"exp\":" + std::to_string(now + 3600);
    BOOST_REQUIRE(error_of(forge_payload(payload)) == "none");
    BOOST_TEST(error_of(forge_payload(with("}", ",\"later\":{\"a\":[1,true]}}"))) ==
               "none"); // a newer node's
    const std::string payloads[] = {
        "",
        "null",
        "[]",
        "{}",
        "\"text\"",
        "{" + payload + "}",
        payload + payload,
        payload + " ",
        with("{", "{ "),
        with("}", ",}"),
        with("{", "{" + exp + ","),
        with("}", "," + exp + "}"),
        with("}", ",\"sub\":\"root\"}"),
        with("}", ",\"s\\u0075b\":\"root\"}"),
        with("," + exp, ""),
        with(exp, "\"exp\":null"),
        with(exp, "\"exp\":\"" + std::to_string(now + 3600) + "\""),
        with(exp, "\"exp\":1.8e9"),
        with(exp, "\"exp\":1800003600.5"),
        with(exp, "\"exp\":true"),
        with(exp, "\"exp\":18446744073709551615"),
        with(exp, "\"exp\":99999999999999999999999"),
        with("\"latchkey\"", "[\"latchkey\"]"),
        with("\"latchkey\"", "null"),
        with("\"iss\":", "\"ISS\":"),
        with("\"sub\":", "\"subject\":"),
        with("\"jti\":", "\"tid\":"),
        with("\"sid\":", "\"session\":"),
        with("\"wid\":", "\"workspace\":"),
        with("\"iat\":", "\"at\":"),
        with("\"wid\":\"", "\"wid\":[\"").insert(0, ""),
        with("\"admin\"", "\"\xff\""),
        std::string(6000, '['),
    };
    for (auto& candidate : payloads)
        BOOST_TEST(error_of(forge_payload(candidate)) == "malformed", candidate.substr(0, 200));
    BOOST_TEST(error_of(forge_payload(with(exp, "\"exp\":-1"))) == "expired");
}

BOOST_FIXTURE_TEST_CASE(the_key_set_is_public_and_complete, two_keys)
{
    auto set = boost::json::parse(keys.jwks()).at("keys").as_array();
    BOOST_REQUIRE(set.size() == 2u);
    BOOST_TEST(set[0].at("kid").as_string() == es256.kid());
    BOOST_TEST(set[1].at("kid").as_string() == eddsa.kid());
    for (auto& each : set)
        for (auto secret : {"d", "k", "p", "q"})
            BOOST_TEST(!each.as_object().contains(secret));
}

BOOST_FIXTURE_TEST_CASE(threads_share_a_key_set, two_keys)
{
    auto check_often = [&](bool& good) {
        good = true;
        for (int i = 0; i < 50; ++i)
            good = good && error_of(keys.sign(sample())) == "none" && error_of(token) == "none";
    };
    bool good[2];
    std::thread other(check_often, std::ref(good[0]));
    check_often(good[1]);
    other.join();
    BOOST_TEST(good[0]);
    BOOST_TEST(good[1]);
}

BOOST_AUTO_TEST_SUITE_END()
