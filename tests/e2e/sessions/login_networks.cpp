// Wrong passwords of others: who may still sign in, from which network and device.
#include "tests/e2e/support/invite_fixture.hpp"

#include <string>

using namespace e2e;
using support::http_client;

namespace {

/// Ada has signed up at 127.0.0.1 with a browser. An attacker is in her network.
struct attacked_fixture : invite_fixture {
    attacked_fixture() : invite_fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}})
    {
        client.set("User-Agent", "browser 1.0");
        session = log_in(client, "ada@example.com").token;
        attacker.set("User-Agent", "attacker");
    }

    unsigned log_in_with(http_client& from, const std::string& password,
                         const std::string& email = "ada@example.com")
    {
        return from.post(base + "/login", credentials(email, password)).status;
    }

    unsigned right(http_client& from) { return log_in_with(from, "long enough"); }
    unsigned wrong(http_client& from) { return log_in_with(from, "not her own"); }

    /// Wrong passwords until the network of the attacker is over its limit.
    void attack()
    {
        for (int i = 0; i < 10; ++i)
            BOOST_TEST_REQUIRE(wrong(attacker) == 401u);
        BOOST_TEST(wrong(attacker) == 429u);
    }

    std::string session;
    http_client attacker{server.port(), "127.0.0.66"};
    http_client elsewhere{server.port(), "127.0.7.1"};
};

} // namespace

BOOST_AUTO_TEST_SUITE(login_networks)

BOOST_FIXTURE_TEST_CASE(wrong_passwords_shut_out_unknown_devices_of_their_network, attacked_fixture)
{
    attack();
    BOOST_TEST(right(attacker) == 429u);
    http_client neighbour(server.port(), "127.0.0.67");
    neighbour.set("User-Agent", "another browser");
    BOOST_TEST(right(neighbour) == 429u);
    BOOST_TEST(log_in_with(attacker, "not his own", "bob@example.com") == 401u);
}

BOOST_FIXTURE_TEST_CASE(a_device_that_signed_in_before_is_not_shut_out, attacked_fixture)
{
    attack();
    BOOST_TEST(right(client) == 200u);
    client.set("User-Agent", "browser 2.0"); // an update
    BOOST_TEST(right(client) == 200u);
}

/// A wrong password of a known device looks like one of any other, and has a limit.
BOOST_FIXTURE_TEST_CASE(a_known_device_has_ten_attempts_of_its_own, attacked_fixture)
{
    attack();
    auto of_attacker = attacker.post(base + "/login", credentials("ada@example.com", "not her own"));
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST(right(client) == 200u);
        auto of_device = client.post(base + "/login", credentials("ada@example.com", "not her own"));
        BOOST_TEST(of_device.status == 429u);
        BOOST_TEST(of_device.header("RateLimit-Policy") == of_attacker.header("RateLimit-Policy"));
    }
    BOOST_TEST(right(client) == 429u);
}

/// The office and the home of one browser.
BOOST_FIXTURE_TEST_CASE(a_device_is_known_in_every_network_it_was_in, attacked_fixture)
{
    elsewhere.set("User-Agent", "browser 1.0");
    BOOST_TEST(right(elsewhere) == 200u);
    attack();
    BOOST_TEST(right(client) == 200u);
    http_client at_home(server.port(), "127.0.7.66");
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(wrong(at_home) == 401u);
    BOOST_TEST(right(at_home) == 429u);
    BOOST_TEST(right(elsewhere) == 200u);
}

/// A neighbour behind the same address, such as that of a NAT, guesses passwords of made-up accounts.
BOOST_FIXTURE_TEST_CASE(a_neighbour_at_the_same_address_shuts_out_unknown_devices_alone, attacked_fixture)
{
    http_client neighbour(server.port());
    neighbour.set("User-Agent", "attacker");
    for (int i = 0; i < 100; ++i)
        BOOST_TEST_REQUIRE(log_in_with(neighbour, "x", "p" + std::to_string(i) + "@example.com") == 401u);
    auto over = neighbour.post(base + "/login", credentials("ada@example.com"));
    BOOST_TEST(over.status == 429u);
    BOOST_TEST(over.header("RateLimit-Policy") == "\"login-ip\";q=100;w=60");
    for (int i = 0; i < 15; ++i)
        BOOST_TEST(right(client) == 200u);

    // Its wrong passwords look like those of the neighbour, and have a limit.
    for (int i = 0; i < 10; ++i) {
        auto wrong_one = client.post(base + "/login", credentials("ada@example.com", "not her own"));
        BOOST_TEST(wrong_one.status == 429u);
        BOOST_TEST(wrong_one.header("RateLimit-Policy") == over.header("RateLimit-Policy"));
    }
    BOOST_TEST(right(client) == 429u);

    // A session proves the password from there too.
    auto body = support::object({{"current_password", "long enough"}, {"new_password", "quite another one"}});
    neighbour.set("User-Agent", "unknown");
    BOOST_TEST(neighbour.post(base + "/password/change", body, session).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(another_network_is_not_shut_out, attacked_fixture)
{
    attack();
    BOOST_TEST(right(elsewhere) == 200u);
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(wrong(elsewhere) == 401u);
    BOOST_TEST(right(elsewhere) == 200u); // a known device by now
    elsewhere.set("User-Agent", "unknown");
    BOOST_TEST(right(elsewhere) == 429u);
}

/// A distributed attack is slowed down to one attempt a minute of each network, of which the right password
/// needs no more.
BOOST_FIXTURE_TEST_CASE(many_networks_have_one_attempt_each, attacked_fixture)
{
    for (int network = 1; network <= 10; ++network) {
        http_client other(server.port(), "127.0." + std::to_string(network) + ".1");
        for (int i = 0; i < 10; ++i)
            BOOST_TEST_REQUIRE(wrong(other) == 401u);
    }
    http_client bot(server.port(), "127.0.20.1"), owner(server.port(), "127.0.30.1");
    BOOST_TEST(wrong(bot) == 401u);
    BOOST_TEST(wrong(bot) == 429u);
    BOOST_TEST(right(owner) == 200u);
    BOOST_TEST(right(client) == 200u);
    BOOST_TEST(log_in_with(bot, "not his own", "bob@example.com") == 401u);
    BOOST_TEST(log_in_with(bot, "not his own", "bob@example.com") == 401u);
}

/// Every call that asks for a password: 10 wrong ones of the attacker's network do not stop the owner.
BOOST_FIXTURE_TEST_CASE(no_call_that_asks_for_a_password_can_be_shut_out, attacked_fixture)
{
    auto invitation = invitation_token("carol@example.com");
    sign_up(elsewhere, "carol@example.com");
    e2e::verify_address(db, "carol@example.com");
    for (auto email : {"ada@example.com", "carol@example.com"}) {
        for (int i = 0; i < 10; ++i)
            log_in_with(attacker, "not hers", email);
        BOOST_TEST(log_in_with(attacker, "long enough", email) == 429u);
    }

    // By a session, from the network of the attacker with an unknown device.
    client.set("User-Agent", "unknown");
    auto change = client.post(
        base + "/email/change",
        support::object({{"new_email", "ada2@example.com"}, {"password", "long enough"}}), session);
    BOOST_TEST(change.status == 202u, change.body);
    auto password = client.post(
        base + "/password/change",
        support::object({{"current_password", "long enough"}, {"new_password", "quite another one"}}),
        session);
    BOOST_TEST(password.status == 204u, password.body);

    // Without one, from another network.
    auto accepted = elsewhere.post(base + "/invites/accept",
                                   support::object({{"token", invitation}, {"password", "long enough"}}));
    BOOST_TEST(accepted.status == 200u, accepted.body);
}

BOOST_FIXTURE_TEST_CASE(a_session_has_ten_attempts_of_its_own, attacked_fixture)
{
    auto change = [&](const std::string& with, const std::string& current) {
        auto body = support::object({{"current_password", current}, {"new_password", "quite another one"}});
        return client.post(base + "/password/change", body, with).status;
    };
    auto other = log_in(client, "ada@example.com").token;
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(change(session, "not her own") == 403u);
    BOOST_TEST(change(session, "long enough") == 429u);
    BOOST_TEST(right(client) == 200u);
    BOOST_TEST(change(other, "long enough") == 204u);
}

BOOST_AUTO_TEST_SUITE_END()
