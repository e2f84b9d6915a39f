#include "crypto/wipe.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace crypto;

namespace {

bool is_zero(const char* from, std::size_t size)
{
    return std::all_of(from, from + size, [](char c) { return c == '\0'; });
}

} // namespace

BOOST_AUTO_TEST_SUITE(wipe)

BOOST_AUTO_TEST_CASE(wiping_empties_a_string_and_zeroes_its_memory)
{
    for (std::string secret : {"short", "longer than any string that is kept in place"}) {
        auto size = secret.size();
        auto* at = secret.data();
        crypto::wipe(secret);
        BOOST_TEST(secret.empty());
        BOOST_TEST(secret.data() == at); // so the memory is still owned, and may be read
        BOOST_TEST(is_zero(at, size));
    }
}

BOOST_AUTO_TEST_CASE(spare_capacity_is_wiped)
{
    std::string secret = "longer than any string that is kept in place";
    auto size = secret.size();
    auto* at = secret.data();
    secret.resize(1);
    BOOST_TEST(!is_zero(at, size)); // the truncated part is still there
    crypto::wipe(secret);
    BOOST_TEST(secret.data() == at);
    BOOST_TEST(is_zero(at, size));
}

BOOST_AUTO_TEST_CASE(moving_a_secret_wipes_the_source)
{
    std::string password = "short";
    secret_text first(std::move(password));
    BOOST_TEST(password.empty());
    BOOST_TEST(first.view() == "short");
    auto* old_data = first.view().data();
    secret_text second(std::move(first));
    BOOST_TEST(second.view() == "short");
    BOOST_TEST(is_zero(old_data, 5));
    BOOST_TEST(first.view().empty());
}

BOOST_AUTO_TEST_SUITE_END()
