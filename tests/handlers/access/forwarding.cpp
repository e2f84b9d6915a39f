#include "handlers/access/forwarding.hpp"

#include <boost/test/unit_test.hpp>

#include <random>
#include <string>
#include <string_view>
#include <vector>

using boost::asio::ip::make_address;
using handlers::forwarding_fault;
using network = handlers::address_range;

namespace {

struct behind_proxies {
    std::vector<network> trusted{*network::parse("10.0.0.0/8"), *network::parse("2001:db8::/32")};

    handlers::located_client locate(const char* peer, std::string x_forwarded_for, std::string forwarded = {})
    {
        handlers::forwarding_headers headers{std::move(x_forwarded_for), std::move(forwarded)};
        return handlers::locate_client(make_address(peer), headers, trusted);
    }

    std::string client(const char* peer, std::string x_forwarded_for, std::string forwarded = {})
    {
        return locate(peer, std::move(x_forwarded_for), std::move(forwarded)).address.to_string();
    }

    /// The client by `Forwarded` from the proxy 10.0.0.1.
    std::string forwarded(std::string header) { return client("10.0.0.1", {}, std::move(header)); }
};

std::string node(std::string_view text)
{
    auto address = handlers::parse_node(text);
    return address ? address->to_string() : "none";
}

/// A text of characters that have a meaning in the headers.
std::string garbage(std::mt19937& random)
{
    constexpr std::string_view alphabet = "for=\"\\,;: []_.\t0123456789abcdefFOR%unknown";
    std::string out(random() % 40, ' ');
    for (auto& c : out)
        c = alphabet[random() % alphabet.size()];
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(forwarding)

BOOST_AUTO_TEST_CASE(a_node_may_have_brackets_and_a_port)
{
    for (auto text : {"203.0.113.7", "203.0.113.7:4711", "203.0.113.7:0", "203.0.113.7:_hidden",
                      "[::ffff:203.0.113.7]:1"})
        BOOST_TEST(node(text) == "203.0.113.7", text);
    for (auto text : {"2001:db8::9", "[2001:db8::9]", "[2001:db8::9]:4711", "[2001:DB8:0::9]:_p-1.x"})
        BOOST_TEST(node(text) == "2001:db8::9", text);
    BOOST_TEST(node("2001:db8::9:4711") == "2001:db8::9:4711"); // without brackets all of it is the address
    for (auto text : {"",
                      ":",
                      "[",
                      "[]",
                      "]",
                      ":4711",
                      "[]:4711",
                      "unknown",
                      "_hidden",
                      "_hidden:4711",
                      "203.0.113.7:",
                      "203.0.113.7:x",
                      "203.0.113.7:123456",
                      "203.0.113.7:-1",
                      "203.0.113.7:_",
                      "203.0.113.7:_a b",
                      "203.0.113.7 ",
                      "203.0.113",
                      "203.0.113.256",
                      "0xcb007107",
                      "[203.0.113.7]",
                      "[203.0.113.7]:80",
                      "[2001:db8::9",
                      "[2001:db8::9]x",
                      "[2001:db8::9]:",
                      "[2001:db8::9]4711",
                      "2001:db8::9]:4711",
                      "[[2001:db8::9]]",
                      "fe80::1%eth0",
                      "[fe80::1%25eth0]:80",
                      "example.com",
                      "example.com:80",
                      "\"203.0.113.7\"",
                      "for=203.0.113.7"})
        BOOST_TEST(node(text) == "none", text);
}

BOOST_FIXTURE_TEST_CASE(headers_of_untrusted_peers_are_ignored, behind_proxies)
{
    BOOST_TEST(client("203.0.113.7", "198.51.100.1", "for=198.51.100.1") == "203.0.113.7");
    BOOST_TEST((locate("203.0.113.7", "198.51.100.1").fault == forwarding_fault::untrusted_peer));
    BOOST_TEST((locate("203.0.113.7", "", "for=198.51.100.1").fault == forwarding_fault::untrusted_peer));
    BOOST_TEST((locate("203.0.113.7", "").fault == forwarding_fault::none));
    trusted.clear();
    BOOST_TEST(client("10.0.0.1", "198.51.100.1") == "10.0.0.1");
}

BOOST_FIXTURE_TEST_CASE(x_forwarded_for_of_a_trusted_proxy_counts_up_to_its_own_entry, behind_proxies)
{
    BOOST_TEST(client("10.0.0.1", "203.0.113.7") == "203.0.113.7");
    BOOST_TEST(client("10.0.0.1", "198.51.100.1, 203.0.113.7") == "203.0.113.7");
    BOOST_TEST(client("10.0.0.1", "10.9.9.9, 203.0.113.7:4711") == "203.0.113.7");
    BOOST_TEST(client("2001:db8::1", "2a00::7") == "2a00::7");
    BOOST_TEST(client("2001:db8::1", "[2a00::7]:4711") == "2a00::7");
}

BOOST_FIXTURE_TEST_CASE(chains_of_trusted_proxies_are_followed, behind_proxies)
{
    BOOST_TEST(client("10.0.0.1", "198.51.100.1, 203.0.113.7:1, 10.0.0.2:80,[2001:db8::3]:80") ==
               "203.0.113.7");
    BOOST_TEST(client("10.0.0.1", "10.0.0.3, 10.0.0.2") == "10.0.0.3");
    BOOST_TEST(client("10.0.0.1", "") == "10.0.0.1");
    BOOST_TEST(forwarded("for=198.51.100.1, for=203.0.113.7;by=10.0.0.2, for=10.0.0.2:80, "
                         "for=\"[2001:db8::3]:80\"") == "203.0.113.7");
}

BOOST_FIXTURE_TEST_CASE(an_entry_without_an_address_ends_the_search, behind_proxies)
{
    BOOST_TEST(client("10.0.0.1", "203.0.113.7, unknown") == "10.0.0.1");
    BOOST_TEST(client("10.0.0.1", "203.0.113.7, unknown, 10.0.0.2") == "10.0.0.2");
    for (auto nonsense :
         {",", ", ", "203.0.113.7,", "\"203.0.113.7\"", "203.0.113.7 x", "203.0.113.7:443:1"}) {
        BOOST_TEST(client("10.0.0.1", nonsense) == "10.0.0.1", nonsense);
        BOOST_TEST((locate("10.0.0.1", nonsense).fault == forwarding_fault::unreadable), nonsense);
    }
    BOOST_TEST(client("10.0.0.1", " \t203.0.113.7\t ") == "203.0.113.7");
}

BOOST_FIXTURE_TEST_CASE(forwarded_is_read_as_rfc_7239_writes_it, behind_proxies)
{
    for (auto header :
         {"for=203.0.113.7", "For=203.0.113.7", "FOR=\"203.0.113.7\"", "for=\"203.0.113.7:4711\"",
          "for=203.0.113.7:4711", "for=203.0.113.7;proto=https;by=203.0.113.43",
          "proto=https; for=203.0.113.7 ;host=\"a,b;for=1.2.3.4\"", "by=\"_x\\\"y\";for=\"203.0.113.7\"",
          "for=\"203.0.113\\.7\"", "for=198.51.100.1 ,\tfor=203.0.113.7", "for=unknown, for=203.0.113.7",
          "for=\"[2001:db8:cafe::17]:4711\", for=203.0.113.7"})
        BOOST_TEST(forwarded(header) == "203.0.113.7", header);
    BOOST_TEST(forwarded("for=\"[2a00::17]:4711\"") == "2a00::17");
    BOOST_TEST(forwarded("for=\"[2a00::17]\"") == "2a00::17");
    for (auto header : {"for=unknown",
                        "for=_hidden",
                        "for=\"_SEVKISEK\"",
                        "for=",
                        "for=\"\"",
                        "for",
                        "proto=https",
                        "by=203.0.113.7",
                        "203.0.113.7",
                        "for=203.0.113.7;for=198.51.100.1",
                        "for=203.0.113.7,",
                        "for=\"203.0.113.7",
                        "for=203.0.113.7\"",
                        "for=\"203.0.113.7\"x",
                        "for=x\"203.0.113.7\"",
                        "for=\"203.0.113.7\\\"",
                        "for==203.0.113.7",
                        "xfor=203.0.113.7",
                        "for=203.0.113.7 x",
                        ";",
                        "\"",
                        "\\",
                        "for=203.0.113.7;;"}) {
        BOOST_TEST(forwarded(header) == "10.0.0.1", header);
        BOOST_TEST((locate("10.0.0.1", {}, header).fault == forwarding_fault::unreadable), header);
    }
}

/// A proxy that writes one of the headers passes on the other one, which its client may have forged.
BOOST_FIXTURE_TEST_CASE(no_header_wins_over_a_contradicting_one, behind_proxies)
{
    for (auto& [x_forwarded_for, forwarded] :
         {std::pair("203.0.113.7", "for=198.51.100.1"), std::pair("198.51.100.1", "for=203.0.113.7"),
          std::pair("198.51.100.1, 10.0.0.2", "for=203.0.113.7, for=10.0.0.2"),
          std::pair("203.0.113.7", "for=unknown")}) {
        auto both = locate("10.0.0.1", x_forwarded_for, forwarded);
        BOOST_TEST(both.address.to_string() == "10.0.0.1", x_forwarded_for << " " << forwarded);
        BOOST_TEST((both.fault == forwarding_fault::contradiction));
    }
    BOOST_TEST(client("10.0.0.1", "198.51.100.1, 203.0.113.7", "for=203.0.113.7") == "203.0.113.7");
    BOOST_TEST((locate("10.0.0.1", "203.0.113.7:80", "for=203.0.113.7").fault == forwarding_fault::none));
    BOOST_TEST(client("10.0.0.1", "unknown", "for=198.51.100.1") == "10.0.0.1");
}

BOOST_FIXTURE_TEST_CASE(what_a_client_sends_cannot_change_what_the_proxy_adds, behind_proxies)
{
    std::mt19937 random(42);
    for (int i = 0; i < 20'000; ++i) {
        auto sent = garbage(random);
        BOOST_TEST_CONTEXT(sent)
        {
            if (client("10.0.0.1", sent + ", 203.0.113.7:80") != "203.0.113.7")
                BOOST_ERROR("X-Forwarded-For");
            if (forwarded(sent + ", for=\"203.0.113.7:80\";host=\"a\\\",b\"") != "203.0.113.7")
                BOOST_ERROR("Forwarded");
            locate("10.0.0.1", sent, sent); // alone: any answer, but an answer
            handlers::parse_node(sent);
        }
    }
}

BOOST_FIXTURE_TEST_CASE(mapped_addresses_are_unmapped, behind_proxies)
{
    BOOST_TEST(client("::ffff:203.0.113.7", "") == "203.0.113.7");
    BOOST_TEST(client("::ffff:10.0.0.1", "::ffff:203.0.113.7") == "203.0.113.7");
}

BOOST_AUTO_TEST_SUITE_END()
