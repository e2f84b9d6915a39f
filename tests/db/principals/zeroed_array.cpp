#include "db/principals/zeroed_array.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

BOOST_AUTO_TEST_SUITE(zeroed_array)

static std::size_t resident_pages(db::zeroed_array<std::uint64_t>& table)
{
    auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    std::vector<unsigned char> pages(table.size() * sizeof(std::uint64_t) / page);
    BOOST_TEST_REQUIRE(mincore(&table[0], table.size() * sizeof(std::uint64_t), pages.data()) == 0);
    return static_cast<std::size_t>(std::ranges::count(pages, 1));
}

BOOST_AUTO_TEST_CASE(values_are_zero_and_only_pages_in_use_are_resident)
{
    constexpr std::size_t size = 1 << 20;
    db::zeroed_array<std::uint64_t> table(size);
    BOOST_TEST(table.size() == size);
    BOOST_TEST(resident_pages(table) == 0u);
    BOOST_TEST(table[0] == 0u);
    BOOST_TEST(table[size - 1] == 0u);
    table[size / 2] = 7;
    BOOST_TEST(table[size / 2] == 7u);
    BOOST_TEST(resident_pages(table) <= 3u);

    table.clear();
    BOOST_TEST(table[size / 2] == 0u);
    table[1] = 8;
    auto moved = std::move(table);
    BOOST_TEST(moved[1] == 8u);
    BOOST_TEST(moved.size() == size);
}

BOOST_AUTO_TEST_CASE(what_does_not_fit_is_refused)
{
    constexpr auto most = std::numeric_limits<std::size_t>::max();
    for (auto size : {most, most / 8, most / 64})
        BOOST_CHECK_THROW(db::zeroed_array<std::uint64_t>{size}, std::bad_alloc);
}

BOOST_AUTO_TEST_SUITE_END()
