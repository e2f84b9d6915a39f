#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/jwt.hpp"
#include "crypto/random.hpp"
#include "tests/crypto/hex.hpp"

#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>

#include <openssl/err.h>

#include <thread>

using namespace crypto;

namespace {

constexpr jwt_algorithm both[] = {jwt_algorithm::es256, jwt_algorithm::eddsa};

std::vector<std::uint8_t> bytes_of_base64url(std::string_view text)
{
    return from_base64url(text).value();
}

/** PKCS #8 around the private half, and for P-256 the public one. */
std::vector<std::uint8_t> ed25519_der(std::string_view d)
{
    return unhex("302e020100300506032b657004220420" + hex(bytes_of_base64url(d)));
}

std::vector<std::uint8_t> p256_der(std::string_view d, std::string_view x, std::string_view y)
{
    return unhex("308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420" +
                 hex(bytes_of_base64url(d)) + "a14403420004" + hex(bytes_of_base64url(x)) +
                 hex(bytes_of_base64url(y)));
}

signing_key key_of_rfc_8037()
{
    return signing_key::from_der(jwt_algorithm::eddsa,
                                 ed25519_der("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"));
}

signing_key key_of_rfc_7515()
{
    return signing_key::from_der(jwt_algorithm::es256,
                                 p256_der("jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI",
                                          "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
                                          "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"));
}

} // namespace

BOOST_AUTO_TEST_SUITE(signing_key)

BOOST_AUTO_TEST_CASE(the_rfc_8037_example_matches)
{
    auto key = key_of_rfc_8037();
    BOOST_TEST(key.kid() == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    auto jwk = boost::json::parse(key.public_jwk());
    BOOST_TEST(jwk.at("kty").as_string() == "OKP");
    BOOST_TEST(jwk.at("crv").as_string() == "Ed25519");
    BOOST_TEST(jwk.at("x").as_string() == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    std::string_view text = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    BOOST_TEST(to_base64url(key.sign(text)) ==
               "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    BOOST_TEST(key.verify(text, key.sign(text)));
}

BOOST_AUTO_TEST_CASE(the_rfc_7515_example_verifies)
{
    auto key = key_of_rfc_7515();
    auto jwk = boost::json::parse(key.public_jwk());
    BOOST_TEST(jwk.at("kty").as_string() == "EC");
    BOOST_TEST(jwk.at("crv").as_string() == "P-256");
    BOOST_TEST(jwk.at("x").as_string() == "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
    BOOST_TEST(jwk.at("y").as_string() == "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
    std::string_view text =
        "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGF"
        "tcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    BOOST_TEST(
        key.verify(text, bytes_of_base64url("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8IS"
                                            "lSApmWQxfKTUJqPP3-Kg6NU1Q")));
}

BOOST_AUTO_TEST_CASE(the_kid_is_the_thumbprint_of_the_public_key)
{
    for (auto algorithm : both) {
        auto key = crypto::signing_key::generate(algorithm);
        auto jwk = boost::json::parse(key.public_jwk()).as_object();
        std::string input = "{";
        for (auto name : {"crv", "kty", "x", "y"})
            if (auto member = jwk.if_contains(name))
                input.append("\"").append(name).append("\":\"").append(member->as_string()).append("\",");
        input.back() = '}';
        BOOST_TEST(key.kid() == to_base64url(sha256(input)));
        BOOST_TEST(jwk.at("kid").as_string() == key.kid());
        BOOST_TEST(jwk.at("use").as_string() == "sig");
        BOOST_TEST(jwk.at("alg").as_string() == std::string(key.algorithm_name()));
        BOOST_TEST(!jwk.contains("d"));
    }
}

BOOST_AUTO_TEST_CASE(a_key_round_trips_through_der)
{
    for (auto algorithm : both) {
        auto key = crypto::signing_key::generate(algorithm);
        auto read = crypto::signing_key::from_der(algorithm, key.der());
        BOOST_TEST(read.kid() == key.kid());
        BOOST_TEST(key.verify("text", read.sign("text")));
        BOOST_TEST((read.der() == key.der()));
        BOOST_TEST((read.algorithm() == algorithm));
    }
}

BOOST_AUTO_TEST_CASE(keys_of_other_algorithms_are_rejected)
{
    auto p256 = crypto::signing_key::generate(jwt_algorithm::es256).der();
    auto ed25519 = crypto::signing_key::generate(jwt_algorithm::eddsa).der();
    BOOST_CHECK_THROW(crypto::signing_key::from_der(jwt_algorithm::eddsa, p256), failure);
    BOOST_CHECK_THROW(crypto::signing_key::from_der(jwt_algorithm::es256, ed25519), failure);
    // Keys of P-384 and of secp256k1: neither is the curve of ES256.
    for (auto other : {"3081a4020101043058ee3322295f49873a6366bc57009731a28436a3572a2b083752cddfbcf4bbbb50cda"
                       "de50bd92b13094b177b91105554a00706052b81040022a16403620004feb3ed758fbf31e72e3a599f42b7"
                       "e3be70b52513ba09d0d75ae005f4ce74f8f66b8f85738d79a2aeaa0f65059e04b37dfd41c66538f739fe0"
                       "c80ad678456f3333bc5d003f039ed80926431898e9773b0d505f837cca369afb73a575f4b4c12b3",
                       "30740201010420fa9fcbd80d04afd7bc31473cfac39489d210323f8b2a24478d9cccfd107fa202a007060"
                       "52b8104000aa14403420004bc752a0ba3ac058dffc5b5690ecb9d51e3272cc413ffac86b4037d2329191e"
                       "23effe1775aec8020a8a760ec48b08b485d754f8bd7eb989be3b76e50f5b3dca84"})
        BOOST_CHECK_THROW(crypto::signing_key::from_der(jwt_algorithm::es256, unhex(other)), failure);
    for (auto* good : {&p256, &ed25519})
        for (auto algorithm : both) {
            BOOST_CHECK_THROW(crypto::signing_key::from_der(algorithm, {}), failure);
            auto longer = *good, shorter = *good;
            longer.push_back(0);
            shorter.pop_back();
            BOOST_CHECK_THROW(crypto::signing_key::from_der(algorithm, longer), failure);
            BOOST_CHECK_THROW(crypto::signing_key::from_der(algorithm, shorter), failure);
        }
    BOOST_TEST(ERR_peek_error() == 0u);
}

BOOST_AUTO_TEST_CASE(signatures_are_always_64_bytes)
{
    // One in 128 of r or s has a leading zero byte, which DER leaves out.
    for (auto algorithm : both) {
        auto key = crypto::signing_key::generate(algorithm);
        for (int i = 0; i < 1000; ++i) {
            auto text = std::to_string(i);
            auto signature = key.sign(text);
            BOOST_REQUIRE(signature.size() == 64u);
            BOOST_REQUIRE(key.verify(text, signature));
        }
    }
}

BOOST_AUTO_TEST_CASE(every_changed_bit_of_a_signature_is_detected)
{
    for (auto algorithm : both) {
        auto key = crypto::signing_key::generate(algorithm);
        auto signature = key.sign("text");
        for (std::size_t bit = 0; bit < 512; ++bit) {
            auto changed = signature;
            changed[bit / 8] = static_cast<std::uint8_t>(changed[bit / 8] ^ (1 << bit % 8));
            BOOST_TEST(!key.verify("text", changed), "bit " << bit);
        }
        BOOST_TEST(!key.verify("texT", signature));
        BOOST_TEST(!crypto::signing_key::generate(algorithm).verify("text", signature));
        BOOST_TEST(ERR_peek_error() == 0u);
    }
}

BOOST_AUTO_TEST_CASE(degenerate_signatures_are_rejected)
{
    for (auto algorithm : both) {
        auto key = crypto::signing_key::generate(algorithm);
        std::vector<std::uint8_t> zeros(64), ones(64, 0xff), one(64);
        one[31] = one[63] = 1;
        for (auto& bad : {zeros, ones, one})
            BOOST_TEST(!key.verify("text", bad));
        for (std::size_t size : {0u, 1u, 63u, 65u, 72u, 1000u})
            BOOST_TEST(!key.verify("text", std::vector<std::uint8_t>(size, 0x30)), size << " bytes");
    }
}

BOOST_AUTO_TEST_CASE(threads_share_a_key)
{
    for (auto algorithm : both) {
        const auto key = crypto::signing_key::generate(algorithm);
        bool good[4];
        std::vector<std::thread> threads;
        for (auto& mine : good)
            threads.emplace_back([&mine, &key] {
                mine = true;
                for (int i = 0; i < 50; ++i)
                    mine = mine && key.verify("text", key.sign("text"));
            });
        for (auto& thread : threads)
            thread.join();
        for (bool each : good)
            BOOST_TEST(each);
    }
}

BOOST_AUTO_TEST_SUITE_END()
