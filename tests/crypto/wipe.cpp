#include "crypto/wipe.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>

using namespace crypto;

namespace {

bool is_blank(const char* from, std::size_t size)
{
    return std::all_of(from, from + size, [](char c) { return c == '\0'; });
}

} // namespace

BOOST_AUTO_TEST_SUITE(wipe)

BOOST_AUTO_TEST_CASE(a_wiped_text_is_empty_and_so_is_its_memory)
{
    for (std::string secret : {"short", "longer than any string that is kept in place"}) {
        auto size = secret.size();
        auto* at = secret.data();
        crypto::wipe(secret);
        BOOST_TEST(secret.empty());
        BOOST_TEST(secret.data() == at); // so the memory is still its own, and may be looked at
        BOOST_TEST(is_blank(at, size));
    }
}

BOOST_AUTO_TEST_CASE(spare_room_is_wiped_too)
{
    std::string secret = "longer than any string that is kept in place";
    auto size = secret.size();
    auto* at = secret.data();
    secret.resize(1);
    BOOST_TEST(!is_blank(at, size)); // what was cut off is still there
    crypto::wipe(secret);
    BOOST_TEST(secret.data() == at);
    BOOST_TEST(is_blank(at, size));
}

BOOST_AUTO_TEST_CASE(a_secret_leaves_nothing_where_it_came_from)
{
    std::string password = "short";
    secret_text first(std::move(password));
    BOOST_TEST(password.empty());
    BOOST_TEST(first.view() == "short");
    auto* old_place = first.view().data();
    secret_text second(std::move(first));
    BOOST_TEST(second.view() == "short");
    BOOST_TEST(is_blank(old_place, 5));
    BOOST_TEST(first.view().empty());
}

BOOST_AUTO_TEST_SUITE_END()
