#include "server/http/proxy_protocol.hpp"

#include <boost/test/unit_test.hpp>

#include <cstdint>
#include <random>
#include <string>

using namespace std::string_literals;
using state = server::proxy_header_state;

namespace {

const auto signature = "\r\n\r\n\0\r\nQUIT\n"s;

std::string header(char command, char family, const std::string& body)
{
    auto size = body.size();
    return signature + command + family + static_cast<char>(size >> 8) + static_cast<char>(size & 0xff) +
           body;
}

const auto ports = "\x10\x20\x01\xbb"s;
const auto ipv4_body = "\xcb\x00\x71\x07\xc0\x00\x02\x01"s + ports; // 203.0.113.7 to 192.0.2.1
const auto ipv6_body = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x09" + std::string(16, '\1') + ports;

std::string extension(char type, const std::string& value)
{
    return type + std::string(1, static_cast<char>(value.size() >> 8)) +
           static_cast<char>(value.size() & 0xff) + value;
}

std::string client_of(const std::string& bytes)
{
    auto out = server::read_proxy_header(bytes);
    if (out.state != state::complete)
        return out.state == state::malformed ? "malformed" : "incomplete";
    return out.client ? out.client->to_string() : "none";
}

} // namespace

BOOST_AUTO_TEST_SUITE(proxy_protocol)

BOOST_AUTO_TEST_CASE(the_source_is_the_client)
{
    BOOST_TEST(client_of(header('\x21', '\x11', ipv4_body)) == "203.0.113.7");
    BOOST_TEST(client_of(header('\x21', '\x21', ipv6_body)) == "2001:db8::9");
    auto mapped = std::string(10, '\0') + "\xff\xff\xcb\x00\x71\x07"s + std::string(16, '\1') + ports;
    BOOST_TEST(client_of(header('\x21', '\x21', mapped)) == "203.0.113.7");
}

BOOST_AUTO_TEST_CASE(the_size_ends_before_the_request)
{
    auto text = header('\x21', '\x11', ipv4_body);
    BOOST_TEST(server::read_proxy_header(text + "GET / HTTP/1.1\r\n").size == text.size());
    BOOST_TEST(server::read_proxy_header(text + text).size == text.size());
}

BOOST_AUTO_TEST_CASE(a_proxy_may_speak_for_itself)
{
    BOOST_TEST(client_of(header('\x20', '\x00', "")) == "none");
    BOOST_TEST(client_of(header('\x20', '\x11', ipv4_body)) == "none");
    BOOST_TEST(client_of(header('\x20', '\x31', std::string(216, 'x'))) == "none");
    BOOST_TEST(client_of(header('\x21', '\x00', "anything")) == "none");
}

/// What is valid but no TCP counts as unspecified (section 2.2), with any addresses.
BOOST_AUTO_TEST_CASE(other_protocols_name_no_client)
{
    for (char family : {'\x12', '\x22', '\x31', '\x32'})
        for (auto& body : {ipv4_body, ipv6_body, std::string(216, 'x'), ""s}) {
            auto whole = header('\x21', family, body);
            BOOST_TEST(client_of(whole) == "none");
            BOOST_TEST(server::read_proxy_header(whole + "GET /").size == whole.size());
            BOOST_TEST(client_of(whole.substr(0, whole.size() - 1)) == "incomplete");
        }
}

BOOST_AUTO_TEST_CASE(extensions_are_skipped)
{
    auto authority = extension('\x02', "id.example.com"), empty = extension('\x04', "");
    BOOST_TEST(client_of(header('\x21', '\x11', ipv4_body + authority + empty)) == "203.0.113.7");
    BOOST_TEST(client_of(header('\x21', '\x11', ipv4_body + extension('\x05', std::string(1000, 'x')))) ==
               "203.0.113.7");
}

BOOST_AUTO_TEST_CASE(every_prefix_is_incomplete)
{
    for (auto& whole :
         {header('\x21', '\x11', ipv4_body), header('\x21', '\x21', ipv6_body), header('\x20', '\x00', ""),
          header('\x21', '\x11', ipv4_body + extension('\x02', "a"))})
        for (std::size_t size = 0; size < whole.size(); ++size)
            BOOST_TEST(client_of(whole.substr(0, size)) == "incomplete", size);
}

BOOST_AUTO_TEST_CASE(everything_else_is_malformed)
{
    for (auto& bad : {
             "G"s,
             "GET / HTTP/1.1\r\n"s,
             "PROXY TCP4 203.0.113.7 192.0.2.1 1 2\r\n"s,
             "\r\n\r\nG"s,
             "\x16\x03\x01"s,
             header('\x11', '\x11', ipv4_body), // version 1
             header('\x31', '\x11', ipv4_body),
             header('\x22', '\x11', ipv4_body), // unknown command
             header('\x2f', '\x11', ipv4_body),
             header('\x21', '\x10', ipv4_body),               // no protocol
             header('\x21', '\x01', ipv4_body),               // no family
             header('\x21', '\x13', ipv4_body),               // unknown protocol
             header('\x21', '\x33', std::string(216, 'x')),   //
             header('\x21', '\x41', ipv4_body),               // unknown family
             header('\x21', '\x11', ipv4_body.substr(0, 11)), // too short
             header('\x21', '\x21', ipv4_body),               //
             header('\x21', '\x11', ""),                      //
             header('\x21', '\x11', ipv4_body + "x"),         // half an extension
             header('\x21', '\x11', ipv4_body + "\x02\x00"s), //
             header('\x21', '\x11',
                    ipv4_body + "\x02\x00\x05"
                                "abcd"s),                                 //
             header('\x21', '\x11', ipv4_body + std::string(2100, '\0')), // too long
             header('\x20', '\x00', std::string(40'000, '\0')),
         })
        BOOST_TEST(client_of(bad) == "malformed", bad.substr(0, 40));
}

/// Neither random bytes nor mutations read outside the text; a sanitizer watches.
BOOST_AUTO_TEST_CASE(any_bytes_are_read_safely)
{
    std::mt19937 random(7);
    auto whole = header('\x21', '\x21', ipv6_body + extension('\x02', "id.example.com"));
    for (int round = 0; round < 20'000; ++round) {
        auto bytes = whole;
        for (int change = 0; change < 3; ++change)
            bytes[random() % bytes.size()] = static_cast<char>(random());
        bytes.resize(random() % (bytes.size() + 1));
        auto out = server::read_proxy_header(bytes);
        BOOST_TEST_REQUIRE((out.state != state::complete || out.size <= bytes.size()));
    }
}

BOOST_AUTO_TEST_SUITE_END()
