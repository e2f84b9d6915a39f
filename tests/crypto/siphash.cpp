#include "crypto/siphash.hpp"

#include <boost/test/unit_test.hpp>

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include <array>
#include <cstring>
#include <memory>
#include <numeric>
#include <set>
#include <string>

namespace {

using key = std::array<std::uint8_t, crypto::siphash::key_size>;

std::array<std::uint8_t, 16> bytes_of(const crypto::siphash_value& hash)
{
    std::array<std::uint8_t, 16> out;
    std::memcpy(out.data(), hash.data(), out.size());
    return out;
}

/// The same hash by OpenSSL.
std::array<std::uint8_t, 16> by_openssl(const key& secret, std::string_view text)
{
    std::unique_ptr<EVP_MAC, decltype(&EVP_MAC_free)> mac(EVP_MAC_fetch(nullptr, "SIPHASH", nullptr),
                                                          &EVP_MAC_free);
    std::unique_ptr<EVP_MAC_CTX, decltype(&EVP_MAC_CTX_free)> context(EVP_MAC_CTX_new(mac.get()),
                                                                      &EVP_MAC_CTX_free);
    std::array<std::uint8_t, 16> out;
    std::size_t size = out.size();
    const std::array params{OSSL_PARAM_construct_size_t(OSSL_MAC_PARAM_SIZE, &size),
                            OSSL_PARAM_construct_end()};
    BOOST_REQUIRE_EQUAL(EVP_MAC_init(context.get(), secret.data(), secret.size(), params.data()), 1);
    auto data = reinterpret_cast<const unsigned char*>(text.data());
    BOOST_REQUIRE_EQUAL(EVP_MAC_update(context.get(), data, text.size()), 1);
    BOOST_REQUIRE_EQUAL(EVP_MAC_final(context.get(), out.data(), &size, out.size()), 1);
    BOOST_REQUIRE_EQUAL(size, out.size());
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(siphash)

BOOST_AUTO_TEST_CASE(hashes_are_those_of_openssl_at_every_length)
{
    key secret;
    std::iota(secret.begin(), secret.end(), 0);
    const crypto::siphash hash(secret);
    std::string text;
    std::set<std::array<std::uint8_t, 16>> seen;
    for (int size = 0; size <= 300; ++size) {
        BOOST_TEST(bytes_of(hash(text)) == by_openssl(secret, text), "size " << size);
        seen.insert(bytes_of(hash(text)));
        text += static_cast<char>(size * 37);
    }
    BOOST_TEST(seen.size() == 301u);
}

BOOST_AUTO_TEST_CASE(another_key_has_other_hashes)
{
    const key first{1}, second{2};
    BOOST_TEST(!(crypto::siphash(first)("a") == crypto::siphash(second)("a")));
    BOOST_TEST(bytes_of(crypto::siphash(second)("a")) == by_openssl(second, "a"));
}

BOOST_AUTO_TEST_SUITE_END()
