// Keys of session tickets: their rotation, and that they depend on the master key and the time alone.
#include "server/tls/ticket_keys.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>

using namespace std::chrono_literals;

namespace {

crypto::keyring master(std::uint8_t first)
{
    crypto::key out{};
    out[0] = first;
    return crypto::keyring(out);
}

struct node {
    explicit node(std::uint8_t first = 1) : keys(master(first), [this] { return now; }) {}

    std::chrono::system_clock::time_point now{server::ticket_keys::period * 40'000};
    server::ticket_keys keys;
};

bool equal(const server::ticket_keys::key& a, const server::ticket_keys::key& b)
{
    return a.name == b.name && a.cipher == b.cipher && a.mac == b.mac;
}

} // namespace

BOOST_AUTO_TEST_SUITE(ticket_keys)

BOOST_AUTO_TEST_CASE(nodes_with_one_master_key_have_the_same_keys)
{
    node a, b, other(2);
    BOOST_TEST(equal(a.keys.current(), b.keys.current()));
    BOOST_TEST(b.keys.find(a.keys.current().name).has_value());
    BOOST_TEST(!other.keys.find(a.keys.current().name));
    BOOST_TEST(!equal(a.keys.current(), other.keys.current()));
}

BOOST_AUTO_TEST_CASE(the_parts_of_a_key_differ)
{
    node a;
    auto key = a.keys.current();
    BOOST_TEST((key.cipher != key.mac));
    BOOST_TEST(!std::equal(key.name.begin(), key.name.end(), key.cipher.begin()));
}

BOOST_AUTO_TEST_CASE(a_key_is_current_for_one_period_and_accepted_for_two)
{
    node a;
    auto first = a.keys.current();
    a.now += server::ticket_keys::period - 1ns;
    BOOST_TEST(equal(a.keys.current(), first));
    a.now += 1ns;
    BOOST_TEST(!equal(a.keys.current(), first));
    auto found = a.keys.find(first.name);
    BOOST_TEST_REQUIRE(found.has_value());
    BOOST_TEST(equal(*found, first));
    a.now += server::ticket_keys::period - 1ns;
    BOOST_TEST(a.keys.find(first.name).has_value());
    a.now += 1ns;
    BOOST_TEST(!a.keys.find(first.name));
}

BOOST_AUTO_TEST_CASE(a_node_with_a_slow_clock_accepts_no_ticket_of_the_future)
{
    node a, behind;
    behind.now -= 1ns;
    BOOST_TEST(!behind.keys.find(a.keys.current().name));
    BOOST_TEST(a.keys.find(behind.keys.current().name).has_value());
}

BOOST_AUTO_TEST_CASE(random_names_are_not_found)
{
    node a;
    auto name = a.keys.current().name;
    for (auto& byte : name) {
        byte ^= 1;
        BOOST_TEST(!a.keys.find(name));
        byte ^= 1;
    }
}

BOOST_AUTO_TEST_SUITE_END()
