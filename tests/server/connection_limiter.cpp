#include "server/connection_limiter.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using limiter_type = server::connection_limiter;
using verdict = limiter_type::verdict;
using boost::asio::ip::make_address;

namespace {

struct limited {
    std::vector<handlers::address_range> proxies{handlers::address_range::parse("10.0.0.0/8").value()};
    limiter_type limiter{{6, 2}, proxies};
    std::vector<limiter_type::place> places;

    bool admits(const std::string& client)
    {
        auto out = limiter.admit(make_address(client));
        BOOST_TEST((out.verdict == verdict::admitted) == out.place.has_value());
        if (out.place)
            places.push_back(std::move(*out.place));
        return out.place.has_value();
    }

    verdict move(std::size_t place, const std::string& client)
    {
        return limiter.move_to(places.at(place), make_address(client));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(connection_limiter)

BOOST_FIXTURE_TEST_CASE(a_network_has_its_cap, limited)
{
    BOOST_TEST(admits("192.0.2.1"));
    BOOST_TEST(admits("192.0.2.2"));
    BOOST_TEST(!admits("192.0.2.3"));
    BOOST_TEST((limiter.admit(make_address("192.0.2.3")).verdict == verdict::network_full));
    BOOST_TEST(admits("192.0.3.1"));
    places.erase(places.begin());
    BOOST_TEST(admits("192.0.2.3"));
    BOOST_TEST(!admits("192.0.2.1"));
}

BOOST_FIXTURE_TEST_CASE(an_ipv6_network_is_a_56, limited)
{
    BOOST_TEST(admits("2001:db8:0:1::1"));
    BOOST_TEST(admits("2001:db8:0:ff::1"));
    BOOST_TEST(!admits("2001:db8:0:2::1"));
    BOOST_TEST(admits("2001:db8:0:100::1"));
}

BOOST_FIXTURE_TEST_CASE(an_ipv6_site_is_a_48_with_twice_the_cap, limited)
{
    BOOST_TEST(admits("2001:db8:0:100::1"));
    BOOST_TEST(admits("2001:db8:0:200::1"));
    BOOST_TEST(admits("2001:db8:0:300::1"));
    BOOST_TEST(admits("2001:db8:0:400::1"));
    BOOST_TEST((limiter.admit(make_address("2001:db8:0:500::1")).verdict == verdict::network_full));
    BOOST_TEST(admits("2001:db8:1:500::1"));
    places.erase(places.begin());
    BOOST_TEST(admits("2001:db8:0:500::1"));
}

/// Others do not have to make room for a client that is not admitted.
BOOST_FIXTURE_TEST_CASE(the_cap_of_a_network_comes_before_the_total, limited)
{
    BOOST_TEST(admits("192.0.2.1"));
    BOOST_TEST(admits("192.0.2.2"));
    for (int i = 0; i < 4; ++i)
        BOOST_TEST(admits("10.0.0.1"));
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST((limiter.admit(make_address("192.0.2.3")).verdict == verdict::network_full));
        BOOST_TEST((limiter.admit(make_address("192.0.3.3")).verdict == verdict::all_full));
    }
    places.erase(places.begin()); // and what was not admitted is not counted
    BOOST_TEST(admits("192.0.2.3"));
}

BOOST_FIXTURE_TEST_CASE(others_make_room_for_a_proxied_client_once_it_is_known, limited)
{
    BOOST_TEST(admits("192.0.2.1"));
    BOOST_TEST(admits("192.0.2.2"));
    for (int i = 0; i < 4; ++i)
        BOOST_TEST(admits("10.0.0.1"));
    for (int i = 0; i < 8; ++i)
        places.push_back(limiter.admit_provisionally(make_address("10.0.0.1")).place.value());
    BOOST_TEST((limiter.admit_provisionally(make_address("10.0.0.1")).verdict == verdict::all_full));
    BOOST_TEST((move(6, "192.0.2.3") == verdict::network_full));
    BOOST_TEST((move(7, "192.0.3.1") == verdict::all_full));
    BOOST_TEST((move(7, "192.0.3.1") == verdict::admitted)); // said once
    BOOST_TEST((move(8, "10.0.0.1") == verdict::all_full));  // the proxy itself
    places.erase(places.begin() + 9, places.end());
    places.erase(places.begin(), places.begin() + 3);
    BOOST_TEST((move(3, "192.0.2.3") == verdict::admitted)); // there is room by now
    BOOST_TEST(limiter.connections_around(places[3]) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_trusted_proxy_has_the_total_cap_only, limited)
{
    for (int i = 0; i < 6; ++i)
        BOOST_TEST(admits("10.0.0.1"));
    BOOST_TEST(!admits("10.0.0.1"));
    BOOST_TEST((limiter.admit(make_address("192.0.2.1")).verdict == verdict::all_full));
}

BOOST_FIXTURE_TEST_CASE(one_more_passes_the_total_cap_alone, limited)
{
    for (int i = 0; i < 6; ++i)
        BOOST_TEST(admits("10.0.0.1"));
    for (int i = 0; i < 2; ++i)
        places.push_back(limiter.admit_one_more(make_address("192.0.2.1")).place.value());
    BOOST_TEST((limiter.admit_one_more(make_address("192.0.2.1")).verdict == verdict::network_full));
}

BOOST_FIXTURE_TEST_CASE(a_connection_of_a_proxy_counts_for_its_client, limited)
{
    for (int i = 0; i < 4; ++i)
        BOOST_TEST(admits("10.0.0.1"));
    BOOST_TEST((move(0, "192.0.2.1") == verdict::admitted));
    BOOST_TEST((move(1, "192.0.2.2") == verdict::admitted));
    BOOST_TEST((move(2, "192.0.2.3") == verdict::network_full));
    BOOST_TEST((move(2, "10.0.0.9") == verdict::admitted)); // another proxy
    BOOST_TEST(!admits("192.0.2.3"));
    places.erase(places.begin());
    BOOST_TEST((move(2, "192.0.2.3") == verdict::admitted));
    places.clear();
    BOOST_TEST(admits("192.0.2.1"));
    BOOST_TEST(admits("192.0.2.2"));
}

BOOST_AUTO_TEST_CASE(zero_is_unlimited)
{
    std::vector<handlers::address_range> none;
    limiter_type limiter({0, 0}, none);
    std::vector<limiter_type::place> places;
    for (int i = 0; i < 1000; ++i)
        places.push_back(limiter.admit(make_address("192.0.2.1")).place.value());
}

BOOST_FIXTURE_TEST_CASE(a_moved_place_is_given_back_once, limited)
{
    for (int i = 0; i < 100; ++i) {
        auto first = limiter.admit(make_address("192.0.2.1")).place.value();
        limiter_type::place second(std::move(first)), third;
        third = std::move(second);
    }
    BOOST_TEST(admits("192.0.2.1"));
    BOOST_TEST(admits("192.0.2.1"));
}

BOOST_FIXTURE_TEST_CASE(concurrent_connections_stay_within_the_caps, limited)
{
    std::atomic<int> admitted{0};
    std::atomic<int> most{0};
    std::vector<std::thread> cores;
    for (int i = 0; i < 4; ++i)
        cores.emplace_back([&] {
            for (int n = 0; n < 1000; ++n)
                if (auto taken = limiter.admit(make_address("192.0.2.1")).place) {
                    auto now = ++admitted;
                    for (auto seen = most.load(); now > seen && !most.compare_exchange_weak(seen, now);) {
                    }
                    --admitted;
                }
        });
    for (auto& core : cores)
        core.join();
    BOOST_TEST(most <= 2);
    BOOST_TEST(admits("192.0.2.1"));
}

BOOST_AUTO_TEST_SUITE_END()
