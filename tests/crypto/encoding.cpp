#include "crypto/encoding.hpp"

#include "crypto/random.hpp"

#include <boost/test/unit_test.hpp>

using namespace crypto;

namespace {

constexpr std::string_view plain[] = {"",     "f",     "fo",    "foo",
                                      "foob", "fooba", "foobar"}; // RFC 4648, section 10
constexpr std::string_view padded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};

std::optional<std::string> as_text(const std::optional<std::vector<std::uint8_t>>& bytes)
{
    if (!bytes)
        return std::nullopt;
    return std::string(text_of(*bytes));
}

} // namespace

BOOST_AUTO_TEST_SUITE(encoding)

BOOST_AUTO_TEST_CASE(rfc_4648_vectors_encode_and_decode)
{
    for (std::size_t i = 0; i < std::size(plain); ++i) {
        auto unpadded = padded[i].substr(0, padded[i].find('='));
        BOOST_TEST(to_base64url(bytes_of(plain[i])) == unpadded);
        BOOST_TEST(to_base64_unpadded(bytes_of(plain[i])) == unpadded);
        BOOST_TEST((as_text(from_base64url(unpadded)) == plain[i]));
        BOOST_TEST((as_text(from_base64_unpadded(unpadded)) == plain[i]));
        BOOST_TEST((as_text(from_base64(padded[i])) == plain[i]));
    }
}

BOOST_AUTO_TEST_CASE(the_two_alphabets_differ_in_their_last_two_characters)
{
    const std::uint8_t bytes[] = {0xfb, 0xff};
    BOOST_TEST(to_base64url(bytes) == "-_8");
    BOOST_TEST(to_base64_unpadded(bytes) == "+/8");
    BOOST_TEST(from_base64url("-_8").has_value());
    BOOST_TEST(!from_base64url("+/8"));
    BOOST_TEST(from_base64("+/8=").has_value());
    BOOST_TEST(!from_base64("-_8="));
}

BOOST_AUTO_TEST_CASE(only_canonical_encodings_are_accepted)
{
    for (auto bad :
         {"A", "AAAAA", "Zg==", "Zm8=", "Zh", "Zm9", "Zm 9v", "Zm9v\n", " Zm9v", "Zm9v.", "Zm9\xc3"})
        BOOST_TEST(!from_base64url(bad), bad);
    for (auto bad :
         {"Zg", "Zg=", "Zg===", "=", "==", "====", "A===", "Zm9v====", "Zh==", "Zm9=", "Z=g=", "Zm8=Zm8="})
        BOOST_TEST(!from_base64(bad), bad);
    BOOST_TEST(!from_base64url(std::string_view("Zm\0v", 4)));
}

BOOST_AUTO_TEST_CASE(all_lengths_round_trip)
{
    for (std::size_t size = 0; size < 300; ++size) {
        std::vector<std::uint8_t> bytes(size);
        fill_random(bytes);
        BOOST_TEST((from_base64url(to_base64url(bytes)) == bytes));
        BOOST_TEST((from_base64_unpadded(to_base64_unpadded(bytes)) == bytes));
    }
}

BOOST_AUTO_TEST_SUITE_END()
