#include "server/log_ring.hpp"

#include <boost/test/unit_test.hpp>

#include <array>
#include <atomic>
#include <string>
#include <thread>

namespace {

/// Read everything.
std::string drain(server::log_ring& ring)
{
    std::array<char, 7> part; // smaller than the ring: several reads
    std::string out;
    while (auto size = ring.peek(part.data(), part.size())) {
        out.append(part.data(), size);
        ring.pop(size);
    }
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(log_ring)

BOOST_AUTO_TEST_CASE(lines_come_out_as_they_went_in)
{
    server::log_ring ring(16);
    BOOST_TEST(ring.empty());
    BOOST_TEST(drain(ring) == "");
    BOOST_TEST(ring.push("one\n"));
    BOOST_TEST(ring.push("two\n"));
    BOOST_TEST(!ring.empty());
    BOOST_TEST(drain(ring) == "one\ntwo\n");
    BOOST_TEST(ring.empty());
}

BOOST_AUTO_TEST_CASE(lines_wrap_around_at_every_offset)
{
    server::log_ring ring(16);
    std::string line = "0123456789\n"; // prime to the capacity
    for (int i = 0; i < 100; ++i) {
        BOOST_TEST(ring.push(line));
        BOOST_TEST(drain(ring) == line);
    }
    BOOST_TEST(ring.dropped() == 0u);
}

BOOST_AUTO_TEST_CASE(a_line_that_does_not_fit_is_dropped_whole_and_counted)
{
    server::log_ring ring(16);
    BOOST_TEST(!ring.push(std::string(17, 'x')));
    BOOST_TEST(ring.push(std::string(15, 'a')));
    BOOST_TEST(!ring.push("bc"));
    BOOST_TEST(ring.push("d")); // exactly full
    BOOST_TEST(!ring.push("e"));
    BOOST_TEST(ring.dropped() == 3u);
    BOOST_TEST(drain(ring) == std::string(15, 'a') + "d");
    BOOST_TEST(ring.push("f"));
    BOOST_TEST(drain(ring) == "f");
}

BOOST_AUTO_TEST_CASE(what_is_peeked_stays_until_it_is_popped)
{
    server::log_ring ring(16);
    ring.push("abc");
    std::array<char, 16> part;
    BOOST_TEST(ring.peek(part.data(), 2) == 2u);
    BOOST_TEST(ring.peek(part.data(), part.size()) == 3u);
    ring.pop(1);
    BOOST_TEST(drain(ring) == "bc");
}

BOOST_AUTO_TEST_CASE(a_producer_and_a_consumer_run_at_the_same_time)
{
    server::log_ring ring(1024);
    constexpr int count = 200'000;
    std::uint64_t pushed = 0;
    std::atomic<bool> done{false};
    std::thread producer([&] {
        for (int i = 0; i < count; ++i)
            pushed += ring.push(std::to_string(i) + "\n");
        done = true;
    });
    std::string rest;
    std::array<char, 300> part;
    long last = -1;
    std::uint64_t received = 0;
    bool is_ascending = true;
    for (bool is_last = false; !is_last;) {
        is_last = done;
        while (auto size = ring.peek(part.data(), part.size())) {
            rest.append(part.data(), size);
            ring.pop(size);
            std::size_t begin = 0;
            for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n', begin)) {
                auto value = std::stol(rest.substr(begin, end - begin));
                is_ascending = is_ascending && value > last;
                last = value;
                ++received;
                begin = end + 1;
            }
            rest.erase(0, begin);
        }
    }
    producer.join();
    BOOST_TEST(is_ascending);
    BOOST_TEST(rest == "");
    BOOST_TEST(received == pushed);
    BOOST_TEST(received + ring.dropped() == static_cast<std::uint64_t>(count));
}

BOOST_AUTO_TEST_SUITE_END()
