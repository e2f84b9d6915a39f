#include "crypto/jwks.hpp"

#include "crypto/hash.hpp"
#include "crypto/jwt.hpp"
#include "tests/support/rsa.hpp"

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

namespace {

constexpr std::string_view issuer = "https://issuer.example", client = "our-client", nonce = "n-0S6_WzA2Mj";
constexpr std::int64_t now = 1'800'000'000;
constexpr std::string_view header = R"({"alg":"RS256","kid":"one","typ":"JWT"})";

const rsa_key& first_key()
{
    static const rsa_key key;
    return key;
}

const rsa_key& second_key()
{
    static const rsa_key key;
    return key;
}

std::string set_of(std::initializer_list<json::value> keys)
{
    json::array list;
    for (auto& each : keys)
        list.push_back(each);
    return R"({"keys":)" + json::serialize(list) + "}";
}

verification_keys known()
{
    auto keys = verification_keys::parse(set_of({first_key().jwk("one"), second_key().jwk("two")}));
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

std::string_view fault_of(const verification_keys& keys, std::string_view token,
                          id_token_expectations expected = {issuer, client, nonce, now})
{
    auto result = keys.verify_id_token(token, expected);
    auto fault = std::get_if<id_token_fault>(&result);
    return fault ? describe(*fault) : "none";
}

std::string_view fault_of(const json::object& payload)
{
    return fault_of(known(), token_of(payload));
}

std::string_view fault_of(id_token_fault fault)
{
    return describe(fault);
}

const auto malformed = fault_of(id_token_fault::malformed);

std::string part(std::string_view text)
{
    return to_base64url(bytes_of(text));
}

json::value as_value(std::string_view characters)
{
    return json::value(characters);
}

/** Whether a set that holds this key alone gives us one. */
bool takes(const json::value& jwk)
{
    return verification_keys::parse(set_of({jwk})).has_value();
}

} // namespace

BOOST_AUTO_TEST_SUITE(jwks)

BOOST_AUTO_TEST_CASE(a_good_token_says_who_it_is)
{
    auto result = known().verify_id_token(token_of(sample()), {issuer, client, nonce, now});
    auto who = std::get_if<id_claims>(&result);
    BOOST_REQUIRE(who);
    BOOST_TEST(who->subject == "110169484474386276334");
    BOOST_TEST(who->email == "ada@example.org");
    BOOST_TEST(who->email_verified);
    BOOST_TEST(who->name == "Ada Lovelace");
}

BOOST_AUTO_TEST_CASE(who_has_no_address_is_still_someone)
{
    json::object bare = sample_without("email");
    bare.erase("name");
    auto result = known().verify_id_token(token_of(bare), {issuer, client, nonce, now});
    auto who = std::get_if<id_claims>(&result);
    BOOST_REQUIRE(who);
    BOOST_TEST(who->email == "");
    BOOST_TEST(!who->email_verified); // there is nothing that could be
    BOOST_TEST(who->name == "");
}

BOOST_AUTO_TEST_CASE(an_address_is_verified_only_if_plainly_said)
{
    auto verified = [](json::value said) {
        auto token = token_of(sample_with("email_verified", std::move(said)));
        auto result = known().verify_id_token(token, {issuer, client, nonce, now});
        return std::get<id_claims>(result).email_verified;
    };
    BOOST_TEST(verified(true));
    BOOST_TEST(verified("true"));
    for (json::value other : {json::value(false), json::value("false"), json::value("TRUE"), json::value(1),
                              json::value(nullptr), json::value(json::array{true}), json::value("")})
        BOOST_TEST(!verified(other), json::serialize(other));
}

BOOST_AUTO_TEST_CASE(texts_with_control_characters_are_not_passed_on)
{
    auto told = sample_with("email", json::string("a\0b@example.org", 15));
    told["name"] = "Ada\nLovelace";
    auto result = known().verify_id_token(token_of(told), {issuer, client, nonce, now});
    auto who = std::get_if<id_claims>(&result);
    BOOST_REQUIRE(who);
    BOOST_TEST(who->email == "");
    BOOST_TEST(!who->email_verified);
    BOOST_TEST(who->name == "");
}

BOOST_AUTO_TEST_CASE(the_key_is_chosen_by_its_name)
{
    auto payload = json::serialize(sample());
    auto text = [](std::string_view kid) { return R"({"alg":"RS256","kid":")" + std::string(kid) + "\"}"; };
    BOOST_TEST(fault_of(known(), second_key().token(text("two"), payload)) == "none");
    BOOST_TEST(fault_of(known(), second_key().token(text("one"), payload)) ==
               fault_of(id_token_fault::bad_signature));
    for (auto kid : {"three", "", "One", "one "})
        BOOST_TEST(fault_of(known(), first_key().token(text(kid), payload)) ==
                       fault_of(id_token_fault::unknown_key),
                   kid);
    BOOST_TEST(known().has("one"));
    BOOST_TEST(known().has("two"));
    BOOST_TEST(!known().has("three"));
    BOOST_TEST(!known().has(""));
}

BOOST_AUTO_TEST_CASE(a_token_without_kid_needs_a_set_of_one)
{
    auto payload = json::serialize(sample());
    auto token = first_key().token(R"({"alg":"RS256"})", payload);
    BOOST_TEST(fault_of(known(), token) == fault_of(id_token_fault::unknown_key));
    auto single = *verification_keys::parse(set_of({first_key().jwk("one")}));
    BOOST_TEST(fault_of(single, token) == "none");
    auto nameless = first_key().jwk("");
    nameless.erase("kid");
    BOOST_TEST(fault_of(*verification_keys::parse(set_of({nameless})), token) == "none");
    // The key may have been replaced by another, likewise nameless.
    BOOST_TEST(fault_of(single, second_key().token(R"({"alg":"RS256"})", payload)) ==
               fault_of(id_token_fault::unknown_key));
}

BOOST_AUTO_TEST_CASE(two_keys_of_one_name_both_count)
{
    auto keys = *verification_keys::parse(set_of({second_key().jwk("one"), first_key().jwk("one")}));
    BOOST_TEST(fault_of(keys, token_of(sample())) == "none");
}

BOOST_AUTO_TEST_CASE(a_token_does_not_choose_how_it_is_checked)
{
    auto payload = json::serialize(sample());
    for (auto alg :
         {R"("none")", R"("None")", R"("")", R"("HS256")", R"("RS384")", R"("RS512")", R"("PS256")",
          R"("ES256")", R"("EdDSA")", R"("rs256")", R"("RS256 ")", "null", "256", R"(["RS256"])"}) {
        auto head = R"({"kid":"one","alg":)" + std::string(alg) + "}";
        auto fault = fault_of(id_token_fault::wrong_algorithm);
        BOOST_TEST(fault_of(known(), first_key().token(head, payload)) == fault, alg);
        BOOST_TEST(fault_of(known(), part(head) + "." + part(payload) + ".") == fault, alg);
    }
    BOOST_TEST(fault_of(known(), first_key().token(R"({"kid":"one"})", payload)) ==
               fault_of(id_token_fault::wrong_algorithm));
}

BOOST_AUTO_TEST_CASE(the_public_key_is_no_secret)
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
            BOOST_TEST(fault_of(known(), text + "." + to_base64url(mac(text))) != "none");
        }
    }
}

BOOST_AUTO_TEST_CASE(only_pkcs1_with_sha256_is_a_signature)
{
    auto text = part(header) + "." + part(json::serialize(sample()));
    auto& key = first_key();
    BOOST_TEST(fault_of(known(), text + "." + key.sign(text)) == "none");
    auto bad = fault_of(id_token_fault::bad_signature);
    for (auto& signature :
         {key.sign(text, "SHA1"), key.sign(text, "SHA512"), key.sign(text, "SHA256", RSA_PKCS1_PSS_PADDING),
          second_key().sign(text), key.sign(text + " "), std::string(), part(std::string(256, '\0')),
          part(std::string(256, '\xff')), part("short"), part(std::string(4096, 'A'))})
        BOOST_TEST(fault_of(known(), text + "." + signature) == bad, signature.substr(0, 40));
}

BOOST_AUTO_TEST_CASE(a_header_may_not_ask_for_more)
{
    auto payload = json::serialize(sample());
    for (auto more : {R"("crit":["exp"])", R"("crit":[])", R"("typ":"at+jwt")", R"("typ":"logout+jwt")",
                      R"("typ":null)", R"("typ":["JWT"])", R"("kid":null)", R"("kid":1)"}) {
        auto head = R"({"alg":"RS256","kid":"one",)" + std::string(more) + "}";
        BOOST_TEST(fault_of(known(), first_key().token(head, payload)) == malformed, more);
    }
    for (auto harmless : {R"("jku":"https://evil.example/keys")", R"("x5u":"https://evil.example")"}) {
        auto head = R"({"alg":"RS256","kid":"one",)" + std::string(harmless) + "}";
        BOOST_TEST(fault_of(known(), first_key().token(head, payload)) == "none", harmless);
    }
    auto head = R"({"alg":"RS256","kid":"theirs","jwk":)" + json::serialize(second_key().jwk("theirs")) + "}";
    BOOST_TEST(fault_of(known(), second_key().token(head, payload)) == fault_of(id_token_fault::unknown_key));
}

BOOST_AUTO_TEST_CASE(every_changed_character_and_every_cut_is_noticed)
{
    auto token = token_of(sample());
    auto keys = known();
    for (std::size_t i = 0; i < token.size(); ++i) {
        auto changed = token;
        changed[i] = token[i] == 'A' ? 'B' : 'A';
        BOOST_TEST(fault_of(keys, changed) != "none", "character " << i);
    }
    for (std::size_t size = 0; size < token.size(); ++size)
        BOOST_TEST(fault_of(keys, token.substr(0, size)) != "none", size << " characters");
}

BOOST_AUTO_TEST_CASE(what_is_no_token_is_malformed)
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
        BOOST_TEST(fault_of(known(), candidate) == malformed, candidate.substr(0, 60));
    for (auto payload : {"", "null", "[]", "\"text\"", "{}{}", "{", "{\"iss\":\"\xff\"}"}) {
        auto signed_so = first_key().token(header, payload);
        BOOST_TEST(fault_of(known(), signed_so) == malformed, payload);
    }
    auto deep = first_key().token(header, R"({"a":)" + std::string(5000, '[') + std::string(5000, ']') + "}");
    BOOST_TEST(fault_of(known(), deep) == malformed);
}

BOOST_AUTO_TEST_CASE(sixteen_kibibytes_are_the_most)
{
    auto token = [](std::size_t padding) {
        return token_of(sample_with("padding", as_value(std::string(padding, 'x'))));
    };
    BOOST_TEST(fault_of(known(), token(11000)) == "none");
    BOOST_TEST(fault_of(known(), token(12000)) == malformed);
}

BOOST_AUTO_TEST_CASE(the_issuer_is_compared_whole)
{
    auto wrong = fault_of(id_token_fault::wrong_issuer);
    for (auto other : {"", "https://issuer.example/", "https://issuer.exampl", "HTTPS://issuer.example",
                       "issuer.example", "http://issuer.example", "accounts.google.com"})
        BOOST_TEST(fault_of(sample_with("iss", other)) == wrong, other);
    BOOST_TEST(fault_of(sample_with("iss", json::array{issuer})) == wrong);
    BOOST_TEST(fault_of(sample_with("iss", nullptr)) == wrong);
    BOOST_TEST(fault_of(sample_without("iss")) == wrong);
}

BOOST_AUTO_TEST_CASE(google_may_leave_out_its_scheme_and_nobody_else)
{
    auto fault_for = [](std::string_view configured, std::string_view said) {
        return fault_of(known(), token_of(sample_with("iss", as_value(said))),
                        {configured, client, nonce, now});
    };
    BOOST_TEST(fault_for("https://accounts.google.com", "https://accounts.google.com") == "none");
    BOOST_TEST(fault_for("https://accounts.google.com", "accounts.google.com") == "none");
    for (auto other : {"http://accounts.google.com", "https://accounts.google.com/", "google.com", ""})
        BOOST_TEST(fault_for("https://accounts.google.com", other) != "none", other);
    BOOST_TEST(fault_for("https://accounts.google.com.evil.example", "accounts.google.com") != "none");
}

BOOST_AUTO_TEST_CASE(the_token_must_be_for_us)
{
    auto wrong = fault_of(id_token_fault::wrong_audience);
    BOOST_TEST(fault_of(sample_with("aud", json::array{client})) == "none");
    auto shared = sample_with("aud", json::array{"other", client});
    BOOST_TEST(fault_of(shared) == wrong); // to whom was it issued?
    shared["azp"] = "other";
    BOOST_TEST(fault_of(shared) == wrong);
    shared["azp"] = client;
    BOOST_TEST(fault_of(shared) == "none");
    for (json::value other :
         {json::value(""), json::value("our-clien"), json::value("our-client "), json::value(nullptr),
          json::value(json::array{}), json::value(json::array{"other"}),
          json::value(json::array{client, json::array{}}), json::value(json::object{})})
        BOOST_TEST(fault_of(sample_with("aud", other)) == wrong, json::serialize(other));
    BOOST_TEST(fault_of(sample_without("aud")) == wrong);
    for (json::value other : {json::value("other"), json::value(""), json::value(nullptr)})
        BOOST_TEST(fault_of(sample_with("azp", other)) == wrong, json::serialize(other));
    BOOST_TEST(fault_of(sample_with("azp", as_value(client))) == "none");
}

BOOST_AUTO_TEST_CASE(times_hold_within_a_minute)
{
    auto expired = fault_of(id_token_fault::expired), early = fault_of(id_token_fault::not_yet_valid);
    BOOST_TEST(fault_of(sample_with("exp", now - 59)) == "none");
    BOOST_TEST(fault_of(sample_with("exp", now - 60)) == expired);
    BOOST_TEST(fault_of(sample_with("exp", 0)) == expired);
    BOOST_TEST(fault_of(sample_with("exp", double(now) + 0.5)) == "none");
    BOOST_TEST(fault_of(sample_with("iat", now + 300)) == "none");
    BOOST_TEST(fault_of(sample_with("iat", now + 301)) == early);
    BOOST_TEST(fault_of(sample_with("nbf", now + 60)) == "none");
    BOOST_TEST(fault_of(sample_with("nbf", now + 61)) == early);
    for (auto name : {"exp", "iat", "nbf"})
        for (json::value other : {json::value(nullptr), json::value("1800003600"), json::value(-1),
                                  json::value(true), json::value(std::uint64_t{1} << 63), json::value(1e300)})
            BOOST_TEST(fault_of(sample_with(name, other)) == malformed, name << " " << other);
    BOOST_TEST(fault_of(sample_without("exp")) == malformed);
    BOOST_TEST(fault_of(sample_without("iat")) == malformed);
}

BOOST_AUTO_TEST_CASE(the_nonce_is_ours)
{
    auto wrong = fault_of(id_token_fault::wrong_nonce);
    for (json::value other : {json::value(""), json::value("n-0S6_WzA2M"), json::value("n-0S6_WzA2MjX"),
                              json::value(nullptr), json::value(json::array{nonce})})
        BOOST_TEST(fault_of(sample_with("nonce", other)) == wrong, json::serialize(other));
    BOOST_TEST(fault_of(sample_without("nonce")) == wrong);
    // Who has sent none must not be satisfied by none.
    BOOST_TEST(fault_of(known(), token_of(sample_without("nonce")), {issuer, client, "", now}) == wrong);
    BOOST_TEST(fault_of(known(), token_of(sample_with("nonce", "")), {issuer, client, "", now}) == wrong);
}

BOOST_AUTO_TEST_CASE(somebody_is_meant)
{
    BOOST_TEST(fault_of(sample_with("sub", as_value(std::string(255, 'a')))) == "none");
    for (json::value other : {json::value(""), as_value(std::string(256, 'a')), json::value(nullptr),
                              json::value(110169484474), json::value("a\nb")})
        BOOST_TEST(fault_of(sample_with("sub", other)) == malformed, json::serialize(other));
    BOOST_TEST(fault_of(sample_without("sub")) == malformed);
}

BOOST_AUTO_TEST_CASE(what_is_no_set_gives_none)
{
    for (std::string_view text :
         {"", "null", "[]", "{}", "{\"keys\":{}}", "{\"keys\":null}", "{\"keys\":[]}", "{\"keys\":[1]}",
          "{\"keys\":[null]}", "{\"keys\":[{}]}", "{\"keys\":[", "<html></html>", "\xff"})
        BOOST_TEST(!verification_keys::parse(text), text);
    auto good = set_of({first_key().jwk("one")});
    for (std::size_t size = 0; size < good.size(); ++size)
        BOOST_TEST(!verification_keys::parse(good.substr(0, size)), size << " characters");
    BOOST_TEST(!verification_keys::parse(good + "}"));
    json::array many(65, json::value(first_key().jwk("one")));
    BOOST_TEST(!verification_keys::parse(R"({"keys":)" + json::serialize(many) + "}"));
    BOOST_TEST(!verification_keys::parse(std::string(100'000, '[')));
}

BOOST_AUTO_TEST_CASE(only_keys_for_the_purpose_are_taken)
{
    auto with = [](std::string_view name, json::value value) {
        auto out = first_key().jwk("one");
        out[name] = std::move(value);
        return out;
    };
    auto without = [](std::string_view name) {
        auto out = first_key().jwk("one");
        out.erase(name);
        return out;
    };
    BOOST_TEST(takes(first_key().jwk("one")));
    for (auto optional : {"use", "alg", "kid"})
        BOOST_TEST(takes(without(optional)), optional);
    for (auto needed : {"kty", "n", "e"})
        BOOST_TEST(!takes(without(needed)), needed);
    BOOST_TEST(takes(with("key_ops", json::array{"verify"})));
    const std::pair<const char*, json::value> bad[] = {
        {"kty", "EC"},    {"kty", "rsa"},
        {"use", "enc"},   {"use", nullptr},
        {"alg", "RS512"}, {"alg", "HS256"},
        {"alg", "PS256"}, {"key_ops", json::array{"sign"}},
        {"key_ops", {}},  {"kid", 1},
        {"n", ""},        {"n", 5},
        {"n", "AQAB"},    {"n", as_value(first_key().number("n") + "=")},
        {"n", "+/+/"},    {"n", as_value(std::string(200'000, 'A'))},
        {"e", ""},        {"e", "AQ"},
        {"e", "Ag"},      {"e", "AQAA"},
        {"e", "AQAAAAE"}, {"e", as_value(first_key().number("n"))},
        {"e", nullptr},   {"d", as_value(first_key().number("d"))},
    };
    for (auto& [name, value] : bad)
        BOOST_TEST(!takes(with(name, value)), name << " " << json::serialize(value).substr(0, 60));
    BOOST_TEST(takes(with("e", "Aw"))); // 3
    BOOST_TEST(takes(with("n", as_value("AAAA" + first_key().number("n")))));
    std::string even(256, '\xff'), huge(1025, '\xff');
    even.back() = '\xfe';
    BOOST_TEST(!takes(with("n", as_value(part(even)))));
    BOOST_TEST(!takes(with("n", as_value(part(huge)))));
    BOOST_TEST(!takes(rsa_key(1024).jwk("small")));
}

BOOST_AUTO_TEST_CASE(others_beside_ours_are_passed_over)
{
    auto ec = json::parse(signing_key::generate(jwt_algorithm::es256).public_jwk());
    auto odd = json::parse(R"({"kty":"quantum","kid":"one"})");
    auto keys = verification_keys::parse(set_of({ec, odd, rsa_key(1024).jwk("one"), first_key().jwk("one")}));
    BOOST_REQUIRE(keys.has_value());
    BOOST_TEST(keys->size() == 1u);
    BOOST_TEST(fault_of(*keys, token_of(sample())) == "none");
    BOOST_TEST(!verification_keys::parse(set_of({ec, odd})));
}

BOOST_AUTO_TEST_SUITE_END()
