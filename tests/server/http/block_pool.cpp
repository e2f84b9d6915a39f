// Block pool: blocks are distinct, are reused, and return their memory to the operating system.
#include "server/http/block_pool.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <vector>

BOOST_AUTO_TEST_SUITE(block_pool)

namespace {

constexpr auto size = server::block_pool::block_size;

/// Pages in memory, of these blocks.
std::size_t resident_pages(const std::vector<std::byte*>& blocks)
{
    std::size_t out = 0;
    for (auto block : blocks) {
        std::array<unsigned char, size / 4096> pages{};
        BOOST_TEST_REQUIRE(mincore(block, size, pages.data()) == 0);
        out +=
            static_cast<std::size_t>(std::ranges::count_if(pages, [](auto one) { return (one & 1) != 0; }));
    }
    return out;
}

} // namespace

BOOST_AUTO_TEST_CASE(blocks_are_distinct_pages_and_the_last_one_is_reused)
{
    server::block_pool pool;
    std::set<std::byte*> blocks;
    for (int i = 0; i < 300; ++i) {
        auto block = pool.take();
        BOOST_TEST(reinterpret_cast<std::uintptr_t>(block) % 4096 == 0u);
        std::fill_n(block, size, std::byte{1});
        blocks.insert(block);
    }
    BOOST_TEST(blocks.size() == 300u);
    for (auto it = blocks.begin(); std::next(it) != blocks.end(); ++it)
        BOOST_TEST(*std::next(it) - *it >= static_cast<std::ptrdiff_t>(size));
    auto last = *blocks.begin();
    for (auto block : blocks)
        if (block != last)
            pool.give_back(block);
    pool.give_back(last);
    BOOST_TEST(pool.take() == last);
    pool.give_back(last);
}

BOOST_AUTO_TEST_CASE(what_nothing_uses_is_returned_to_the_system)
{
    server::block_pool pool;
    std::vector<std::byte*> blocks;
    for (int i = 0; i < 300; ++i) {
        blocks.push_back(pool.take());
        std::fill_n(blocks.back(), size, std::byte{1});
    }
    BOOST_TEST(resident_pages(blocks) == 600u);
    for (std::size_t i = 1; i < blocks.size(); ++i)
        pool.give_back(blocks[i]);
    pool.trim(); // they were in use since the last call, or what comes before the first one
    BOOST_TEST(resident_pages(blocks) == 600u);
    pool.trim();
    auto left = resident_pages(blocks);
    BOOST_TEST(left >= 2u); // the one in use
    BOOST_TEST(left < 60u);
    BOOST_TEST((blocks[0][size - 1] == std::byte{1}));
    pool.give_back(blocks[0]);

    // What is in use again between two calls stays.
    for (auto& block : blocks) {
        block = pool.take();
        *block = std::byte{2};
    }
    for (auto block : blocks)
        pool.give_back(block);
    for (int i = 0; i < 10; ++i) {
        pool.trim();
        auto one = pool.take();
        pool.give_back(one);
    }
    BOOST_TEST(resident_pages(blocks) >= 1u);
    BOOST_TEST(resident_pages(blocks) < 60u);
}

BOOST_AUTO_TEST_SUITE_END()
