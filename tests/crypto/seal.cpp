#include "crypto/seal.hpp"

#include "crypto/encoding.hpp"
#include "crypto/random.hpp"
#include "tests/crypto/hex.hpp"

#include <boost/test/unit_test.hpp>

using namespace crypto;

namespace {

struct sealed_value {
    sealer box{keyring(key{1, 2, 3})};
    std::string plain = "a provider's refresh token";
    std::vector<std::uint8_t> sealed = box.seal(seal_purpose::provider_tokens, bytes_of(plain), "grant:7");
};

} // namespace

BOOST_AUTO_TEST_SUITE(seal)

BOOST_FIXTURE_TEST_CASE(a_sealed_value_opens_in_its_context, sealed_value)
{
    auto opened = box.open(seal_purpose::provider_tokens, sealed, "grant:7");
    BOOST_REQUIRE(opened.has_value());
    BOOST_TEST(text_of(*opened) == plain);
    BOOST_TEST(sealed.size() == plain.size() + 41);
    BOOST_TEST(sealed[0] == 2);
}

BOOST_FIXTURE_TEST_CASE(it_does_not_open_in_another_context_or_with_another_key, sealed_value)
{
    for (auto context : {"", "grant:8", "grant:70", "grant:", "signing-key:7"})
        BOOST_TEST(!box.open(seal_purpose::provider_tokens, sealed, context), context);
    BOOST_TEST(!sealer(keyring(key{1, 2, 4})).open(seal_purpose::provider_tokens, sealed, "grant:7"));
}

BOOST_FIXTURE_TEST_CASE(it_does_not_open_for_another_purpose, sealed_value)
{
    constexpr seal_purpose all[] = {seal_purpose::signing_key,     seal_purpose::outbox_token,
                                    seal_purpose::provider_tokens, seal_purpose::oauth_state,
                                    seal_purpose::oauth_code,      seal_purpose::pending_signup};
    for (auto from : all)
        for (auto to : all) {
            auto value = box.seal(from, bytes_of(plain), "grant:7");
            BOOST_TEST(box.open(to, value, "grant:7").has_value() == (from == to));
        }
}

BOOST_FIXTURE_TEST_CASE(every_changed_bit_is_detected, sealed_value)
{
    for (std::size_t i = 0; i < sealed.size() * 8; ++i) {
        auto changed = sealed;
        changed[i / 8] = static_cast<std::uint8_t>(changed[i / 8] ^ (1 << i % 8));
        BOOST_TEST(!box.open(seal_purpose::provider_tokens, changed, "grant:7"), "bit " << i);
    }
}

BOOST_FIXTURE_TEST_CASE(every_truncation_and_extension_is_detected, sealed_value)
{
    for (std::size_t size = 0; size < sealed.size(); ++size)
        BOOST_TEST(!box.open(seal_purpose::provider_tokens, std::span(sealed).first(size), "grant:7"),
                   size << " bytes");
    sealed.push_back(0);
    BOOST_TEST(!box.open(seal_purpose::provider_tokens, sealed, "grant:7"));
}

BOOST_FIXTURE_TEST_CASE(sealing_twice_gives_different_values, sealed_value)
{
    BOOST_TEST((box.seal(seal_purpose::provider_tokens, bytes_of(plain), "grant:7") != sealed));
}

BOOST_FIXTURE_TEST_CASE(values_of_any_size_can_be_sealed, sealed_value)
{
    for (std::size_t size : {0u, 1u, 15u, 16u, 17u, 100'000u}) {
        std::vector<std::uint8_t> bytes(size);
        fill_random(bytes);
        auto sealed_bytes = box.seal(seal_purpose::oauth_code, bytes, "");
        BOOST_TEST((box.open(seal_purpose::oauth_code, sealed_bytes, "") == bytes));
    }
}

BOOST_AUTO_TEST_CASE(a_value_sealed_by_an_independent_implementation_opens)
{
    key secret;
    for (std::size_t i = 0; i < secret.size(); ++i)
        secret[i] = static_cast<std::uint8_t>(i);
    auto opened =
        sealer(keyring(secret))
            .open(seal_purpose::oauth_state,
                  unhex("026465666768696a6b6c6d6e6f707172737475767778797a7bfe88551b899e982956f7c689cd61"
                        "dcef8f8d80d6db66d39bd826df"),
                  "grant:7");
    BOOST_REQUIRE(opened.has_value());
    BOOST_TEST(text_of(*opened) == "kept secret");
}

BOOST_AUTO_TEST_SUITE_END()
