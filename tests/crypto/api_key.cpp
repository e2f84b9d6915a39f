#include "crypto/api_key.hpp"

#include "crypto/keyring.hpp"
#include "tests/crypto/hex.hpp"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <map>
#include <regex>
#include <set>

using namespace crypto;

BOOST_AUTO_TEST_SUITE(api_key)

BOOST_AUTO_TEST_CASE(a_new_key_has_the_documented_format_and_parses)
{
    const std::regex format("tnx_[a-z0-9]{8}_[0-9A-Za-z]{38}");
    std::set<std::string> texts;
    for (int i = 0; i < 500; ++i) {
        auto made = make_api_key();
        BOOST_TEST(std::regex_match(made.text, format));
        BOOST_TEST(made.text.substr(4, 8) == made.prefix);
        BOOST_TEST((parse_api_key(made.text) == made.prefix));
        texts.insert(made.text);
    }
    BOOST_TEST(texts.size() == 500u);
}

BOOST_AUTO_TEST_CASE(a_key_with_an_independently_computed_checksum_parses)
{
    BOOST_TEST((parse_api_key("tnx_a1b2c3d4_AbCdEfGhIjKlMnOpQrStUvWxYz0123452eCnCX") == "a1b2c3d4"));
}

BOOST_AUTO_TEST_CASE(every_changed_character_is_detected)
{
    auto text = make_api_key().text;
    for (std::size_t i = 0; i < text.size(); ++i)
        for (int c = 0; c < 256; ++c) {
            auto changed = text;
            changed[i] = static_cast<char>(c);
            if (changed != text)
                BOOST_REQUIRE_MESSAGE(!parse_api_key(changed), "character " << i << " became " << c);
        }
}

BOOST_AUTO_TEST_CASE(swapped_adjacent_characters_are_detected)
{
    auto text = make_api_key().text;
    for (std::size_t i = 0; i + 1 < text.size(); ++i) {
        auto changed = text;
        std::swap(changed[i], changed[i + 1]);
        if (changed != text)
            BOOST_TEST(!parse_api_key(changed), "character " << i);
    }
}

BOOST_AUTO_TEST_CASE(malformed_keys_are_rejected)
{
    auto text = make_api_key().text;
    std::string upper = text;
    upper[4] = 'A';
    const std::string bad[] = {"",
                               "tnx_",
                               "tnx_a1b2c3d4_",
                               text + "0",
                               " " + text,
                               text + "\n",
                               text.substr(1),
                               text.substr(0, text.size() - 1),
                               std::string(51, '_'),
                               std::string(51, '\0'),
                               "TNX" + text.substr(3),
                               upper,
                               std::string(1'000'000, 'a')};
    for (auto& candidate : bad)
        BOOST_TEST(!parse_api_key(candidate), candidate.substr(0, 60));
    for (std::size_t size = 0; size < text.size(); ++size)
        BOOST_TEST(!parse_api_key(std::string_view(text).substr(0, size)));
}

BOOST_AUTO_TEST_CASE(characters_are_uniformly_distributed)
{
    std::map<char, int> prefix_counts, secret_counts;
    constexpr int keys = 4000;
    for (int i = 0; i < keys; ++i) {
        auto text = make_api_key().text;
        for (char c : text.substr(4, 8))
            ++prefix_counts[c];
        for (char c : text.substr(13, 32))
            ++secret_counts[c];
    }
    auto check = [](const std::map<char, int>& counts, std::size_t alphabet_size, double drawn) {
        BOOST_TEST(counts.size() == alphabet_size);
        auto mean = drawn / static_cast<double>(alphabet_size);
        for (auto [character, count] : counts)
            BOOST_TEST(std::abs(count - mean) < 6 * std::sqrt(mean), character << ": " << count);
    };
    check(prefix_counts, 36, 8.0 * keys);
    check(secret_counts, 62, 32.0 * keys);
}

BOOST_AUTO_TEST_CASE(the_digest_depends_on_the_server_side_key)
{
    api_key_digester one(key{1}), same(key{1}), other(key{2});
    auto text = make_api_key().text;
    BOOST_TEST(hex(one(text)) == hex(same(text)));
    BOOST_TEST(hex(one(text)) != hex(other(text)));
    BOOST_TEST(hex(one(text)) != hex(sha256(text)));
    BOOST_TEST(hex(one(text)) == hex(hmac_sha256(key{1})(text)));
}

BOOST_AUTO_TEST_SUITE_END()
