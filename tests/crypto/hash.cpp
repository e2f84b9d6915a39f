#include "crypto/hash.hpp"

#include "crypto/encoding.hpp"
#include "tests/crypto/hex.hpp"

#include <boost/test/unit_test.hpp>

#include <thread>

using namespace crypto;

BOOST_AUTO_TEST_SUITE(hash)

BOOST_AUTO_TEST_CASE(sha256_matches_the_fips_180_examples)
{
    BOOST_TEST(hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    BOOST_TEST(hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    BOOST_TEST(hex(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")) ==
               "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    BOOST_TEST(hex(sha256(std::string(1'000'000, 'a'))) ==
               "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

BOOST_AUTO_TEST_CASE(hmac_matches_the_rfc_4231_vectors)
{
    struct vector {
        std::string key, text, mac;
    };
    const vector vectors[] = {
        {std::string(20, '\x0b'), "Hi There",
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", "what do ya want for nothing?",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {std::string(20, '\xaa'), std::string(50, '\xdd'),
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First",
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {std::string(131, '\xaa'),
         "This is a test using a larger than block-size key and a larger than block-size data. The key needs "
         "to be hashed before being used by the HMAC algorithm.",
         "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
    };
    for (auto& vector : vectors) {
        hmac_sha256 mac(bytes_of(vector.key));
        BOOST_TEST(hex(mac(vector.text)) == vector.mac);
        BOOST_TEST(hex(mac(vector.text)) == vector.mac, "the second use differs from the first");
    }
}

BOOST_AUTO_TEST_CASE(a_moved_hmac_keeps_its_key)
{
    hmac_sha256 first(bytes_of("Jefe"));
    auto expected = first("x");
    auto second = std::move(first);
    BOOST_TEST(hex(second("x")) == hex(expected));
}

BOOST_AUTO_TEST_CASE(threads_hash_concurrently)
{
    auto expected = sha256("abc");
    auto hash_often = [&](bool& good) {
        good = true;
        for (int i = 0; i < 2000; ++i)
            good = good && sha256("abc") == expected;
    };
    bool good[2];
    std::thread other(hash_often, std::ref(good[0]));
    hash_often(good[1]);
    other.join();
    BOOST_TEST(good[0]);
    BOOST_TEST(good[1]);
}

BOOST_AUTO_TEST_CASE(equality_covers_every_byte_and_the_length)
{
    BOOST_TEST(equal_constant_time(std::string_view(), std::string_view()));
    BOOST_TEST(equal_constant_time("secret", "secret"));
    BOOST_TEST(!equal_constant_time("secret", "secreT"));
    BOOST_TEST(!equal_constant_time("Secret", "secret"));
    BOOST_TEST(!equal_constant_time("secret", "secret1"));
    BOOST_TEST(!equal_constant_time("", "s"));
}

BOOST_AUTO_TEST_SUITE_END()
