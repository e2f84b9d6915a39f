#include "crypto/id_token.hpp"

#include "crypto/hash.hpp"
#include "crypto/signing_key.hpp"
#include "tests/crypto/jwk_fixture.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/bio.h>
#include <openssl/pem.h>

#include <utility>

using namespace crypto;
namespace json = boost::json;
using support::rsa_key;
using namespace test;

namespace {

constexpr std::string_view issuer = "https://issuer.example", client = "our-client", nonce = "n-0S6_WzA2Mj";
constexpr std::int64_t now = 1'800'000'000;
constexpr std::string_view header = R"({"alg":"RS256","kid":"one","typ":"JWT"})";

jwk_set known()
{
    auto keys = jwk_set::parse(set_of({first_key().jwk("one"), second_key().jwk("two")}));
    BOOST_REQUIRE(keys.has_value());
    return *keys;
}

json::object sample()
{
    json::object out;
    out["iss"] = issuer;
    out["aud"] = client;
    out["sub"] = "110169484474386276334";
    out["exp"] = now + 3600;
    out["iat"] = now - 5;
    out["nonce"] = nonce;
    out["email"] = "ada@example.org";
    out["email_verified"] = true;
    out["name"] = "Ada Lovelace";
    return out;
}

json::object sample_with(std::string_view name, json::value value)
{
    auto out = sample();
    out[name] = std::move(value);
    return out;
}

json::object sample_without(std::string_view name)
{
    auto out = sample();
    out.erase(name);
    return out;
}

std::string token_of(const json::object& payload)
{
    return first_key().token(header, json::serialize(payload));
}

std::string_view error_of(const jwk_set& keys, std::string_view token,
                          id_token_expectations expected = {issuer, client, nonce, now})
{
    auto result = verify_id_token(keys, token, expected);
    auto error = std::get_if<id_token_error>(&result);
    return error ? describe(*error) : "none";
}

std::string_view error_of(const json::object& payload)
{
    return error_of(known(), token_of(payload));
}

std::string_view error_of(id_token_error error)
{
    return describe(error);
}

const auto malformed = error_of(id_token_error::malformed);

} // namespace

BOOST_AUTO_TEST_SUITE(id_token)

BOOST_AUTO_TEST_CASE(a_valid_token_yields_its_claims)
{
    auto result = verify_id_token(known(), token_of(sample()), {issuer, client, nonce, now});
    auto claims = std::get_if<id_claims>(&result);
    BOOST_REQUIRE(claims);
    BOOST_TEST(claims->subject == "110169484474386276334");
    BOOST_TEST(claims->email == "ada@example.org");
    BOOST_TEST(claims->email_verified);
    BOOST_TEST(claims->name == "Ada Lovelace");
    BOOST_TEST(claims->hosted_domain == "");
}

BOOST_AUTO_TEST_CASE(the_hosted_domain_is_a_text_or_missing)
{
    auto hosted_domain = [](json::value claim) {
        auto token = token_of(sample_with("hd", std::move(claim)));
        auto result = verify_id_token(known(), token, {issuer, client, nonce, now});
        return std::get<id_claims>(result).hosted_domain;
    };
    BOOST_TEST(hosted_domain("example.org") == "example.org");
    for (json::value other :
         {json::value(nullptr), json::value(true), json::value(json::array{"example.org"}),
          json::value("example.org\n"), json::value("")})
        BOOST_TEST(hosted_domain(other) == "", json::serialize(other));
}

BOOST_AUTO_TEST_CASE(a_token_without_an_email_address_is_valid)
{
    json::object bare = sample_without("email");
    bare.erase("name");
    auto result = verify_id_token(known(), token_of(bare), {issuer, client, nonce, now});
    auto claims = std::get_if<id_claims>(&result);
    BOOST_REQUIRE(claims);
    BOOST_TEST(claims->email == "");
    BOOST_TEST(!claims->email_verified); // no address, nothing to verify
    BOOST_TEST(claims->name == "");
}

BOOST_AUTO_TEST_CASE(an_email_address_is_verified_only_by_true)
{
    auto verified = [](json::value claim) {
        auto token = token_of(sample_with("email_verified", std::move(claim)));
        auto result = verify_id_token(known(), token, {issuer, client, nonce, now});
        return std::get<id_claims>(result).email_verified;
    };
    BOOST_TEST(verified(true));
    BOOST_TEST(verified("true"));
    for (json::value other : {json::value(false), json::value("false"), json::value("TRUE"), json::value(1),
                              json::value(nullptr), json::value(json::array{true}), json::value("")})
        BOOST_TEST(!verified(other), json::serialize(other));
}

BOOST_AUTO_TEST_CASE(texts_with_control_characters_are_dropped)
{
    auto payload = sample_with("email", json::string("a\0b@example.org", 15));
    payload["name"] = "Ada\nLovelace";
    auto result = verify_id_token(known(), token_of(payload), {issuer, client, nonce, now});
    auto claims = std::get_if<id_claims>(&result);
    BOOST_REQUIRE(claims);
    BOOST_TEST(claims->email == "");
    BOOST_TEST(!claims->email_verified);
    BOOST_TEST(claims->name == "");
}

BOOST_AUTO_TEST_CASE(the_key_is_chosen_by_its_kid)
{
    auto payload = json::serialize(sample());
    auto text = [](std::string_view kid) { return R"({"alg":"RS256","kid":")" + std::string(kid) + "\"}"; };
    BOOST_TEST(error_of(known(), second_key().token(text("two"), payload)) == "none");
    BOOST_TEST(error_of(known(), second_key().token(text("one"), payload)) ==
               error_of(id_token_error::bad_signature));
    for (auto kid : {"three", "", "One", "one "})
        BOOST_TEST(error_of(known(), first_key().token(text(kid), payload)) ==
                       error_of(id_token_error::unknown_key),
                   kid);
    BOOST_TEST(known().has("one"));
    BOOST_TEST(known().has("two"));
    BOOST_TEST(!known().has("three"));
    BOOST_TEST(!known().has(""));
}

BOOST_AUTO_TEST_CASE(a_token_without_kid_needs_a_set_of_one_key)
{
    auto payload = json::serialize(sample());
    auto token = first_key().token(R"({"alg":"RS256"})", payload);
    BOOST_TEST(error_of(known(), token) == error_of(id_token_error::unknown_key));
    auto single = *jwk_set::parse(set_of({first_key().jwk("one")}));
    BOOST_TEST(error_of(single, token) == "none");
    auto without_kid = first_key().jwk("");
    without_kid.erase("kid");
    BOOST_TEST(error_of(*jwk_set::parse(set_of({without_kid})), token) == "none");
    // The key may have been replaced by another one without a kid.
    BOOST_TEST(error_of(single, second_key().token(R"({"alg":"RS256"})", payload)) ==
               error_of(id_token_error::unknown_key));
}

BOOST_AUTO_TEST_CASE(two_keys_with_one_kid_are_both_tried)
{
    auto keys = *jwk_set::parse(set_of({second_key().jwk("one"), first_key().jwk("one")}));
    BOOST_TEST(error_of(keys, token_of(sample())) == "none");
}

BOOST_AUTO_TEST_CASE(a_token_cannot_choose_its_algorithm)
{
    auto payload = json::serialize(sample());
    for (auto alg :
         {R"("none")", R"("None")", R"("")", R"("HS256")", R"("RS384")", R"("RS512")", R"("PS256")",
          R"("ES256")", R"("EdDSA")", R"("rs256")", R"("RS256 ")", "null", "256", R"(["RS256"])"}) {
        auto head = R"({"kid":"one","alg":)" + std::string(alg) + "}";
        auto error = error_of(id_token_error::wrong_algorithm);
        BOOST_TEST(error_of(known(), first_key().token(head, payload)) == error, alg);
        BOOST_TEST(error_of(known(), part(head) + "." + part(payload) + ".") == error, alg);
    }
    BOOST_TEST(error_of(known(), first_key().token(R"({"kid":"one"})", payload)) ==
               error_of(id_token_error::wrong_algorithm));
}

BOOST_AUTO_TEST_CASE(the_public_key_is_not_accepted_as_an_hmac_secret)
{
    std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    PEM_write_bio_PUBKEY(out.get(), first_key().get());
    char* from = nullptr;
    auto size = BIO_get_mem_data(out.get(), &from);
    std::string pem(from, static_cast<std::size_t>(size));

    for (auto& secret : {pem, first_key().number("n"), json::serialize(first_key().jwk("one"))}) {
        hmac_sha256 mac(bytes_of(secret));
        for (auto alg : {"HS256", "RS256"}) {
            auto head = R"({"kid":"one","alg":")" + std::string(alg) + "\"}";
            auto text = part(head) + "." + part(json::serialize(sample()));
            BOOST_TEST(error_of(known(), text + "." + to_base64url(mac(text))) != "none");
        }
    }
}

BOOST_AUTO_TEST_CASE(only_pkcs1_with_sha256_verifies)
{
    auto text = part(header) + "." + part(json::serialize(sample()));
    auto& key = first_key();
    BOOST_TEST(error_of(known(), text + "." + key.sign(text)) == "none");
    auto bad = error_of(id_token_error::bad_signature);
    for (auto& signature :
         {key.sign(text, "SHA1"), key.sign(text, "SHA512"), key.sign(text, "SHA256", RSA_PKCS1_PSS_PADDING),
          second_key().sign(text), key.sign(text + " "), std::string(), part(std::string(256, '\0')),
          part(std::string(256, '\xff')), part("short"), part(std::string(4096, 'A'))})
        BOOST_TEST(error_of(known(), text + "." + signature) == bad, signature.substr(0, 40));
}

BOOST_AUTO_TEST_CASE(unsupported_header_parameters_are_rejected_or_ignored)
{
    auto payload = json::serialize(sample());
    for (auto more : {R"("crit":["exp"])", R"("crit":[])", R"("typ":"at+jwt")", R"("typ":"logout+jwt")",
                      R"("typ":null)", R"("typ":["JWT"])", R"("kid":null)", R"("kid":1)"}) {
        auto head = R"({"alg":"RS256","kid":"one",)" + std::string(more) + "}";
        BOOST_TEST(error_of(known(), first_key().token(head, payload)) == malformed, more);
    }
    for (auto harmless : {R"("jku":"https://evil.example/keys")", R"("x5u":"https://evil.example")"}) {
        auto head = R"({"alg":"RS256","kid":"one",)" + std::string(harmless) + "}";
        BOOST_TEST(error_of(known(), first_key().token(head, payload)) == "none", harmless);
    }
    auto head = R"({"alg":"RS256","kid":"theirs","jwk":)" + json::serialize(second_key().jwk("theirs")) + "}";
    BOOST_TEST(error_of(known(), second_key().token(head, payload)) == error_of(id_token_error::unknown_key));
}

BOOST_AUTO_TEST_CASE(every_changed_character_and_every_truncation_is_detected)
{
    auto token = token_of(sample());
    auto keys = known();
    for (std::size_t i = 0; i < token.size(); ++i) {
        auto changed = token;
        changed[i] = token[i] == 'A' ? 'B' : 'A';
        BOOST_TEST(error_of(keys, changed) != "none", "character " << i);
    }
    for (std::size_t size = 0; size < token.size(); ++size)
        BOOST_TEST(error_of(keys, token.substr(0, size)) != "none", size << " characters");
}

BOOST_AUTO_TEST_CASE(malformed_tokens_are_rejected)
{
    auto token = token_of(sample());
    auto last = token.rfind('.');
    const std::string bad[] = {"",
                               ".",
                               "..",
                               "...",
                               "a.b.c.d.e",
                               token + ".",
                               "." + token,
                               token + "=",
                               token + "\n",
                               " " + token,
                               token.substr(0, last + 1) + "+/" + token.substr(last + 3),
                               token.substr(0, last + 1) + std::string(16384, 'A'),
                               std::string(1'000'000, '.'),
                               std::string(1'000'000, 'A'),
                               part("[]") + "." + part("{}") + ".AAAA",
                               part("{") + "." + part("{}") + ".AAAA",
                               part(std::string(8000, '[')) + "." + part("{}") + ".AAAA"};
    for (auto& candidate : bad)
        BOOST_TEST(error_of(known(), candidate) == malformed, candidate.substr(0, 60));
    for (auto payload : {"", "null", "[]", "\"text\"", "{}{}", "{", "{\"iss\":\"\xff\"}"}) {
        auto token_of_payload = first_key().token(header, payload);
        BOOST_TEST(error_of(known(), token_of_payload) == malformed, payload);
    }
    auto deep = first_key().token(header, R"({"a":)" + std::string(5000, '[') + std::string(5000, ']') + "}");
    BOOST_TEST(error_of(known(), deep) == malformed);
}

BOOST_AUTO_TEST_CASE(tokens_are_limited_to_16_kib)
{
    auto token = [](std::size_t padding) {
        return token_of(sample_with("padding", as_value(std::string(padding, 'x'))));
    };
    BOOST_TEST(error_of(known(), token(11000)) == "none");
    BOOST_TEST(error_of(known(), token(12000)) == malformed);
}

BOOST_AUTO_TEST_CASE(the_issuer_is_compared_exactly)
{
    auto wrong = error_of(id_token_error::wrong_issuer);
    for (auto other : {"", "https://issuer.example/", "https://issuer.exampl", "HTTPS://issuer.example",
                       "issuer.example", "http://issuer.example", "accounts.google.com"})
        BOOST_TEST(error_of(sample_with("iss", other)) == wrong, other);
    BOOST_TEST(error_of(sample_with("iss", json::array{issuer})) == wrong);
    BOOST_TEST(error_of(sample_with("iss", nullptr)) == wrong);
    BOOST_TEST(error_of(sample_without("iss")) == wrong);
}

BOOST_AUTO_TEST_CASE(only_google_may_omit_its_scheme)
{
    auto error_for = [](std::string_view configured, std::string_view claimed) {
        return error_of(known(), token_of(sample_with("iss", as_value(claimed))),
                        {configured, client, nonce, now});
    };
    BOOST_TEST(error_for("https://accounts.google.com", "https://accounts.google.com") == "none");
    BOOST_TEST(error_for("https://accounts.google.com", "accounts.google.com") == "none");
    for (auto other : {"http://accounts.google.com", "https://accounts.google.com/", "google.com", ""})
        BOOST_TEST(error_for("https://accounts.google.com", other) != "none", other);
    BOOST_TEST(error_for("https://accounts.google.com.evil.example", "accounts.google.com") != "none");
}

BOOST_AUTO_TEST_CASE(the_audience_must_be_the_client)
{
    auto wrong = error_of(id_token_error::wrong_audience);
    BOOST_TEST(error_of(sample_with("aud", json::array{client})) == "none");
    auto shared = sample_with("aud", json::array{"other", client});
    BOOST_TEST(error_of(shared) == wrong); // ambiguous without azp
    shared["azp"] = "other";
    BOOST_TEST(error_of(shared) == wrong);
    shared["azp"] = client;
    BOOST_TEST(error_of(shared) == "none");
    for (json::value other :
         {json::value(""), json::value("our-clien"), json::value("our-client "), json::value(nullptr),
          json::value(json::array{}), json::value(json::array{"other"}),
          json::value(json::array{client, json::array{}}), json::value(json::object{})})
        BOOST_TEST(error_of(sample_with("aud", other)) == wrong, json::serialize(other));
    BOOST_TEST(error_of(sample_without("aud")) == wrong);
    for (json::value other : {json::value("other"), json::value(""), json::value(nullptr)})
        BOOST_TEST(error_of(sample_with("azp", other)) == wrong, json::serialize(other));
    BOOST_TEST(error_of(sample_with("azp", as_value(client))) == "none");
}

BOOST_AUTO_TEST_CASE(times_allow_a_minute_of_clock_skew)
{
    auto expired = error_of(id_token_error::expired), early = error_of(id_token_error::not_yet_valid);
    BOOST_TEST(error_of(sample_with("exp", now - 59)) == "none");
    BOOST_TEST(error_of(sample_with("exp", now - 60)) == expired);
    BOOST_TEST(error_of(sample_with("exp", 0)) == expired);
    BOOST_TEST(error_of(sample_with("exp", double(now) + 0.5)) == "none");
    BOOST_TEST(error_of(sample_with("iat", now + 300)) == "none");
    BOOST_TEST(error_of(sample_with("iat", now + 301)) == early);
    BOOST_TEST(error_of(sample_with("nbf", now + 60)) == "none");
    BOOST_TEST(error_of(sample_with("nbf", now + 61)) == early);
    for (auto name : {"exp", "iat", "nbf"})
        for (json::value other : {json::value(nullptr), json::value("1800003600"), json::value(-1),
                                  json::value(true), json::value(std::uint64_t{1} << 63), json::value(1e300)})
            BOOST_TEST(error_of(sample_with(name, other)) == malformed, name << " " << other);
    BOOST_TEST(error_of(sample_without("exp")) == malformed);
    BOOST_TEST(error_of(sample_without("iat")) == malformed);
}

BOOST_AUTO_TEST_CASE(the_nonce_must_match)
{
    auto wrong = error_of(id_token_error::wrong_nonce);
    for (json::value other : {json::value(""), json::value("n-0S6_WzA2M"), json::value("n-0S6_WzA2MjX"),
                              json::value(nullptr), json::value(json::array{nonce})})
        BOOST_TEST(error_of(sample_with("nonce", other)) == wrong, json::serialize(other));
    BOOST_TEST(error_of(sample_without("nonce")) == wrong);
    // An empty expected nonce matches no token, not even one without a nonce.
    BOOST_TEST(error_of(known(), token_of(sample_without("nonce")), {issuer, client, "", now}) == wrong);
    BOOST_TEST(error_of(known(), token_of(sample_with("nonce", "")), {issuer, client, "", now}) == wrong);
}

BOOST_AUTO_TEST_CASE(the_subject_must_be_a_nonempty_string)
{
    BOOST_TEST(error_of(sample_with("sub", as_value(std::string(255, 'a')))) == "none");
    for (json::value other : {json::value(""), as_value(std::string(256, 'a')), json::value(nullptr),
                              json::value(110169484474), json::value("a\nb")})
        BOOST_TEST(error_of(sample_with("sub", other)) == malformed, json::serialize(other));
    BOOST_TEST(error_of(sample_without("sub")) == malformed);
}

BOOST_AUTO_TEST_CASE(unsupported_keys_of_a_set_are_skipped)
{
    auto ec = json::parse(signing_key::generate(jwt_algorithm::es256).public_jwk());
    auto odd = json::parse(R"({"kty":"quantum","kid":"one"})");
    auto keys = jwk_set::parse(set_of({ec, odd, rsa_key(1024).jwk("one"), first_key().jwk("one")}));
    BOOST_REQUIRE(keys.has_value());
    BOOST_TEST(keys->size() == 1u);
    BOOST_TEST(error_of(*keys, token_of(sample())) == "none");
    BOOST_TEST(!jwk_set::parse(set_of({ec, odd})));
}

BOOST_AUTO_TEST_SUITE_END()
