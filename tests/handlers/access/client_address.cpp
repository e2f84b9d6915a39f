#include "handlers/access/client_address.hpp"

#include <boost/test/unit_test.hpp>

#include <string_view>

using boost::asio::ip::make_address;
using network = handlers::address_range;

namespace {

bool holds(std::string_view range, const char* address)
{
    auto parsed = network::parse(range);
    BOOST_REQUIRE_MESSAGE(parsed.has_value(), range);
    return parsed->contains(make_address(address));
}

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

BOOST_AUTO_TEST_CASE(host_bits_are_recognized)
{
    auto has_host_bits = [](std::string_view range) { return network::parse(range).value().has_host_bits(); };
    for (auto text :
         {"10.0.0.0/8", "10.0.0.1", "10.0.0.1/32", "0.0.0.0/0", "2001:db8::/32", "::1", "10.128.0.0/9"})
        BOOST_TEST(!has_host_bits(text), text);
    for (auto text : {"10.0.0.1/8", "10.0.0.1/31", "10.128.0.0/8", "1.0.0.0/0", "2001:db8::1/32", "::1/127"})
        BOOST_TEST(has_host_bits(text), text);
}

BOOST_AUTO_TEST_SUITE_END()
