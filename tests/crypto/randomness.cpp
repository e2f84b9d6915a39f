#include "crypto/random.hpp"
#include "tests/crypto/hex.hpp"

#include <boost/test/unit_test.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <set>
#include <thread>

using namespace crypto;

namespace {

std::int64_t milliseconds_of(const boost::uuids::uuid& id)
{
    std::int64_t out = 0;
    for (std::size_t i = 0; i < 6; ++i)
        out = (out << 8) | id.data[i];
    return out;
}

std::int64_t now()
{
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace

BOOST_AUTO_TEST_SUITE(randomness)

BOOST_AUTO_TEST_CASE(random_values_are_unique)
{
    std::set<std::array<std::uint8_t, 16>> seen;
    for (int i = 0; i < 10'000; ++i)
        BOOST_REQUIRE(seen.insert(random_bytes<16>()).second);
}

BOOST_AUTO_TEST_CASE(every_byte_of_every_size_is_filled)
{
    for (std::size_t size : {1u, 7u, 255u, 256u, 257u, 1024u, 5000u}) {
        std::vector<std::uint8_t> seen_bits(size), bytes(size);
        for (int round = 0; round < 40; ++round) {
            fill_random(bytes);
            for (std::size_t i = 0; i < size; ++i)
                seen_bits[i] |= bytes[i];
        }
        BOOST_TEST(std::count(seen_bits.begin(), seen_bits.end(), 0) == 0, size << " bytes");
    }
    fill_random({});
}

BOOST_AUTO_TEST_CASE(bits_are_balanced)
{
    constexpr int draws = 4096;
    int ones = 0;
    for (int i = 0; i < draws; ++i)
        for (auto byte : random_bytes<32>())
            ones += __builtin_popcount(byte);
    // 2^20 bits: the standard deviation is 512, and six of them never occur by chance.
    BOOST_TEST(std::abs(ones - draws * 128) < 6 * 512);
}

BOOST_AUTO_TEST_CASE(a_forked_child_gets_other_bytes)
{
    random_bytes<16>(); // fill the buffer
    int ends[2];
    BOOST_REQUIRE(pipe(ends) == 0);
    auto child = fork();
    if (child == 0) {
        auto bytes = random_bytes<16>();
        auto written = write(ends[1], bytes.data(), bytes.size());
        _exit(written == 16 ? 0 : 1);
    }
    auto ours = random_bytes<16>();
    std::array<std::uint8_t, 16> theirs{};
    BOOST_TEST(read(ends[0], theirs.data(), theirs.size()) == 16);
    int status = 1;
    BOOST_TEST(waitpid(child, &status, 0) == child);
    BOOST_TEST(status == 0);
    BOOST_TEST(hex(theirs) != hex(ours));
    close(ends[0]);
    close(ends[1]);
}

BOOST_AUTO_TEST_CASE(a_uuid_has_its_version_and_time)
{
    for (int i = 0; i < 1000; ++i) {
        auto before = now();
        auto id = make_uuid_v7();
        BOOST_TEST((id.data[6] >> 4) == 7);
        BOOST_TEST((id.data[8] >> 6) == 2);
        BOOST_TEST(id.variant() == boost::uuids::uuid::variant_rfc_4122);
        BOOST_TEST(milliseconds_of(id) >= before);
        BOOST_TEST(milliseconds_of(id) <= now() + 1); // the counter may have run into the next millisecond
    }
}

BOOST_AUTO_TEST_CASE(uuids_of_one_thread_increase)
{
    auto last = make_uuid_v7();
    for (int i = 0; i < 50'000; ++i) {
        auto next = make_uuid_v7();
        BOOST_REQUIRE(last < next);
        last = next;
    }
}

BOOST_AUTO_TEST_CASE(uuids_of_many_threads_are_unique)
{
    std::vector<boost::uuids::uuid> made[4];
    std::vector<std::thread> threads;
    for (auto& own : made)
        threads.emplace_back([&own] {
            for (int i = 0; i < 5000; ++i)
                own.push_back(make_uuid_v7());
        });
    std::set<boost::uuids::uuid> all;
    for (std::size_t i = 0; i < threads.size(); ++i) {
        threads[i].join();
        all.insert(made[i].begin(), made[i].end());
    }
    BOOST_TEST(all.size() == 20'000u);
}

BOOST_AUTO_TEST_SUITE_END()
