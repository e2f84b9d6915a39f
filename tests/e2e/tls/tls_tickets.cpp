// Session tickets: resumption at every node, after restarts and after a change of the certificate.
#include "tests/e2e/support/tls_fixture.hpp"

using namespace e2e;

namespace {

/// A ticket of a server, from a connection of TLS 1.3.
support::tls_ticket ticket_of(const support::running_server& server)
{
    support::tls_client client(server.port());
    BOOST_TEST(!client.is_resumed());
    BOOST_TEST(client.get("/healthz").status == 200u);
    BOOST_TEST_REQUIRE(!client.ticket().empty());
    BOOST_TEST(client.ticket_lifetime() == 12u * 60 * 60);
    return client.ticket();
}

bool is_resumed_at(const support::running_server& server, const support::tls_ticket& ticket)
{
    support::tls_client client(server.port(), {.ticket = ticket});
    BOOST_TEST(client.get("/healthz").status == 200u);
    BOOST_TEST(!client.ticket().empty()); // the next one
    return client.is_resumed();
}

} // namespace

BOOST_AUTO_TEST_SUITE(tls_tickets)

BOOST_AUTO_TEST_CASE(a_session_is_resumed_on_every_core_and_node_and_after_a_restart)
{
    auto master = support::random_master_key();
    tls_fixture first({{"LATCHKEY_MASTER_KEY", master}});
    auto ticket = ticket_of(first.server);
    for (int i = 0; i < 16; ++i) // of two cores
        BOOST_TEST(is_resumed_at(first.server, ticket));

    support::running_server second(first.db.conninfo(), first.settings({{"LATCHKEY_MASTER_KEY", master}}));
    BOOST_TEST(is_resumed_at(second, ticket));
    BOOST_TEST(first.server.stop() == 0);
    second.kill();
    support::running_server again(first.db.conninfo(), first.settings({{"LATCHKEY_MASTER_KEY", master}}));
    BOOST_TEST(is_resumed_at(again, ticket));
}

BOOST_FIXTURE_TEST_CASE(a_ticket_of_another_installation_means_a_full_handshake, tls_fixture)
{
    tls_fixture other;
    BOOST_TEST(!is_resumed_at(other.server, ticket_of(server)));
}

BOOST_FIXTURE_TEST_CASE(a_session_survives_a_change_of_the_certificate, tls_fixture)
{
    auto ticket = ticket_of(server);
    support::certificate().replace(own);
    BOOST_TEST(server.logs("certificate reloaded"));
    BOOST_TEST(is_resumed_at(server, ticket));
}

/// They would contain the keys of their sessions, under a key that derives from the master key.
BOOST_FIXTURE_TEST_CASE(sessions_of_tls_1_2_are_not_resumed, tls_fixture)
{
    support::tls_client client(server.port(), {.greatest_version = TLS1_2_VERSION});
    BOOST_TEST(client.get("/healthz").status == 200u);
    BOOST_TEST(client.ticket().empty());
}

BOOST_FIXTURE_TEST_CASE(resumptions_are_counted, tls_fixture)
{
    auto ticket = ticket_of(server);
    for (int i = 0; i < 3; ++i)
        is_resumed_at(server, ticket);
    // Each core publishes its own numbers.
    BOOST_TEST(support::eventually([&] {
        return metric("latchkey_tls_handshakes_total{kind=\"resumed\"}") == 3.0 &&
               metric("latchkey_tls_handshakes_total{kind=\"full\"}") == 1.0;
    }));
}

BOOST_AUTO_TEST_SUITE_END()
