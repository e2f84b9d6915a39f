// Client certificates: who is let in with LATCHKEY_TLS_CLIENT_CA.
#include "tests/e2e/support/tls_fixture.hpp"
#include "tests/support/child_process.hpp"

#include <unistd.h>

#include <string>

using namespace e2e;
using support::certificate;
using support::certificate_options;

namespace {

const certificate_options as_authority{.names = "one", .is_authority = true},
    as_other_authority{.names = "other", .is_authority = true};

certificate_options signed_by(const certificate& issuer, long seconds = 24L * 60 * 60)
{
    certificate_options out;
    out.issuer = &issuer;
    out.seconds = seconds;
    return out;
}

struct mesh {
    certificate ca{as_authority};
    tls_fixture node{{{"LATCHKEY_TLS_CLIENT_CA", ca.cert()}}};
    std::uint16_t port = node.server.port();

    static support::tls_options with(const certificate& client, int version = 0)
    {
        return {.greatest_version = version, .cert = client.cert(), .key = client.key()};
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(client_certificates)

BOOST_FIXTURE_TEST_CASE(a_certificate_of_the_authority_is_required, mesh)
{
    const certificate good(signed_by(ca)), self_signed, other_ca(as_other_authority),
        foreign(signed_by(other_ca)), expired(signed_by(ca, -60)), by_leaf(signed_by(good));
    for (int version : {TLS1_2_VERSION, TLS1_3_VERSION}) {
        BOOST_TEST(support::handshake_error(port, with(good, version)) == "");
        bool is_1_3 = version == TLS1_3_VERSION;
        BOOST_TEST(support::handshake_error(port, {.greatest_version = version}) ==
                   (is_1_3 ? "tlsv13 alert certificate required" : "sslv3 alert handshake failure"));
        for (auto& [bad, alert] : {std::pair(&self_signed, "tlsv1 alert unknown ca"),
                                   std::pair(&foreign, "tlsv1 alert unknown ca"),
                                   std::pair(&expired, "sslv3 alert certificate expired"),
                                   std::pair(&by_leaf, "tlsv1 alert unknown ca")})
            BOOST_TEST(support::handshake_error(port, with(*bad, version)) == alert);
    }
    BOOST_TEST(node.has_failures("client_certificate", 10));
    BOOST_TEST(node.server.logs("\"reason\":\"client_certificate\",\"client\":\"127.0.0.1\","
                                "\"cause\":\"certificate has expired\""));
    BOOST_TEST(node.server.logs("\"cause\":\"peer did not return a certificate\""));
}

BOOST_AUTO_TEST_CASE(an_intermediate_authority_alone_admits_its_clients)
{
    const certificate root(as_authority);
    auto below = signed_by(root);
    below.names = "intermediate";
    below.is_authority = true;
    const certificate intermediate(below), client(signed_by(intermediate)), of_root(signed_by(root));
    tls_fixture node{{{"LATCHKEY_TLS_CLIENT_CA", intermediate.cert()}}};
    auto port = node.server.port();
    BOOST_TEST(support::handshake_error(port, mesh::with(client)) == "");
    BOOST_TEST(support::handshake_error(port, mesh::with(of_root)) == "tlsv1 alert unknown ca");
}

BOOST_FIXTURE_TEST_CASE(a_resumed_session_keeps_the_client, mesh)
{
    certificate good(signed_by(ca));
    support::tls_client first(port, with(good));
    BOOST_TEST(first.get("/healthz").status == 200u);
    // The ticket replaces the certificate; nothing else does.
    support::tls_client again(port, {.ticket = first.ticket()});
    BOOST_TEST(again.is_resumed());
    BOOST_TEST(again.get("/healthz").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_change_of_the_authorities_ends_the_sessions_of_others, mesh)
{
    certificate good(signed_by(ca)), next(as_other_authority), new_client(signed_by(next));
    support::tls_client first(port, with(good));
    BOOST_TEST(first.get("/healthz").status == 200u);
    support::replace_file(ca.cert(), support::file_content(next.cert()));
    BOOST_TEST_REQUIRE(node.server.logs("certificate reloaded"));
    BOOST_TEST(
        support::handshake_error(port, {.cert = good.cert(), .key = good.key(), .ticket = first.ticket()}) ==
        "tlsv1 alert unknown ca");
    BOOST_TEST(support::handshake_error(port, with(new_client)) == "");
    // A connection is not ended.
    BOOST_TEST(first.get("/healthz").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(probes_use_the_listener_for_operators, mesh)
{
    auto admin = "127.0.0.1:" + std::to_string(node.server.admin_port());
    auto settings = node.settings({{"LATCHKEY_LISTEN", "127.0.0.1:" + std::to_string(port)}});
    for (auto& [name, value] : settings)
        value = name == "LATCHKEY_ADMIN_LISTEN" ? admin : value;
    settings.emplace_back("LATCHKEY_TLS_CLIENT_CA", ca.cert());
    for (auto* command : {"health", "ready"}) {
        support::child_process probe({support::program_path(), command}, settings, STDERR_FILENO);
        BOOST_TEST(probe.wait().value_or(-1) == 0, command << probe.output());
    }
}

BOOST_AUTO_TEST_SUITE_END()
