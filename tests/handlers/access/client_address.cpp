#include "handlers/access/client_address.hpp"

#include <boost/test/unit_test.hpp>

#include <string_view>
#include <vector>

using boost::asio::ip::make_address;
using network = handlers::address_range;

namespace {

bool holds(std::string_view range, const char* address)
{
    auto parsed = network::parse(range);
    BOOST_REQUIRE_MESSAGE(parsed.has_value(), range);
    return parsed->contains(make_address(address));
}

struct behind_proxies {
    std::vector<network> trusted{*network::parse("10.0.0.0/8"), *network::parse("2001:db8::/32")};

    std::string client(const char* peer, std::string_view forwarded)
    {
        return handlers::client_address(make_address(peer), forwarded, trusted).to_string();
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(client_address)

BOOST_AUTO_TEST_CASE(addresses_and_networks_are_parsed)
{
    for (auto text : {"192.0.2.1", "10.0.0.0/8", "0.0.0.0/0", "192.0.2.1/32", "::1", "2001:db8::/32", "::/0",
                      "::1/128", "::ffff:192.0.2.1"})
        BOOST_TEST(network::parse(text).has_value(), text);
    for (auto text : {"", "/", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8x",
                      "10.0.0.0/8/8", "10.0.0.0 /8", "10.0.0/8", "::/129", "proxy", "10.0.0.0/255.0.0.0",
                      "10.0.0.0/4294967304"})
        BOOST_TEST(!network::parse(text).has_value(), text);
}

BOOST_AUTO_TEST_CASE(a_network_contains_its_prefix)
{
    BOOST_TEST(holds("10.0.0.0/8", "10.255.0.1"));
    BOOST_TEST(!holds("10.0.0.0/8", "11.0.0.1"));
    BOOST_TEST(holds("172.16.0.0/12", "172.31.255.255"));
    BOOST_TEST(!holds("172.16.0.0/12", "172.32.0.0"));
    BOOST_TEST(holds("192.0.2.128/25", "192.0.2.200"));
    BOOST_TEST(!holds("192.0.2.128/25", "192.0.2.127"));
    BOOST_TEST(holds("0.0.0.0/0", "203.0.113.7"));
    BOOST_TEST(holds("2001:db8::/33", "2001:db8:7fff::1"));
    BOOST_TEST(!holds("2001:db8::/33", "2001:db8:8000::1"));
}

BOOST_AUTO_TEST_CASE(a_single_address_contains_itself)
{
    BOOST_TEST(holds("192.0.2.1", "192.0.2.1"));
    BOOST_TEST(!holds("192.0.2.1", "192.0.2.0"));
    BOOST_TEST(holds("::1", "::1"));
    BOOST_TEST(!holds("::1", "::2"));
}

BOOST_AUTO_TEST_CASE(ipv4_and_ipv6_are_separate_except_for_mapped_addresses)
{
    BOOST_TEST(!holds("0.0.0.0/0", "2001:db8::1"));
    BOOST_TEST(!holds("::/0", "192.0.2.1"));
    BOOST_TEST(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
    BOOST_TEST(holds("::ffff:10.1.2.3", "10.1.2.3"));
}

BOOST_FIXTURE_TEST_CASE(forwarded_for_of_untrusted_peers_is_ignored, behind_proxies)
{
    BOOST_TEST(client("203.0.113.7", "198.51.100.1") == "203.0.113.7");
    trusted.clear();
    BOOST_TEST(client("10.0.0.1", "198.51.100.1") == "10.0.0.1");
}

BOOST_FIXTURE_TEST_CASE(forwarded_for_of_a_trusted_proxy_counts_up_to_its_own_entry, behind_proxies)
{
    BOOST_TEST(client("10.0.0.1", "203.0.113.7") == "203.0.113.7");
    BOOST_TEST(client("10.0.0.1", "198.51.100.1, 203.0.113.7") == "203.0.113.7");
    BOOST_TEST(client("10.0.0.1", "10.9.9.9, 203.0.113.7") == "203.0.113.7");
    BOOST_TEST(client("2001:db8::1", "2a00::7") == "2a00::7");
}

BOOST_FIXTURE_TEST_CASE(chains_of_trusted_proxies_are_followed, behind_proxies)
{
    BOOST_TEST(client("10.0.0.1", "198.51.100.1, 203.0.113.7, 10.0.0.2,2001:db8::3") == "203.0.113.7");
    BOOST_TEST(client("10.0.0.1", "10.0.0.3, 10.0.0.2") == "10.0.0.3");
    BOOST_TEST(client("10.0.0.1", "") == "10.0.0.1");
}

BOOST_FIXTURE_TEST_CASE(an_invalid_entry_ends_the_search, behind_proxies)
{
    BOOST_TEST(client("10.0.0.1", "203.0.113.7, unknown") == "10.0.0.1");
    BOOST_TEST(client("10.0.0.1", "203.0.113.7, unknown, 10.0.0.2") == "10.0.0.2");
    for (auto nonsense : {",", ", ", "203.0.113.7,", "203.0.113.7:443", "\"203.0.113.7\"", "203.0.113.7 x"})
        BOOST_TEST(client("10.0.0.1", nonsense) == "10.0.0.1", nonsense);
    BOOST_TEST(client("10.0.0.1", " \t203.0.113.7\t ") == "203.0.113.7");
}

BOOST_FIXTURE_TEST_CASE(mapped_addresses_are_unmapped, behind_proxies)
{
    BOOST_TEST(client("::ffff:203.0.113.7", "") == "203.0.113.7");
    BOOST_TEST(client("::ffff:10.0.0.1", "::ffff:203.0.113.7") == "203.0.113.7");
}

BOOST_AUTO_TEST_SUITE_END()
