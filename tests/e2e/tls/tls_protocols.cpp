// What TLS accepts, and the table of what it refuses: old versions, weak ciphers, compression, renegotiation.
#include "tests/e2e/support/client_hello.hpp"
#include "tests/e2e/support/tls_fixture.hpp"

#include <openssl/err.h>

#include <string>

using namespace e2e;
using namespace std::string_literals;

namespace {

constexpr int protocol_version = 70, handshake_failure = 40;

/// What the server answers to these bytes, until it closes the connection.
std::string answer_to(const support::running_server& server, const std::string& bytes)
{
    support::raw_connection line(server.port());
    line.send(bytes);
    line.end_sending();
    return line.receive_all().value_or("still open");
}

} // namespace

BOOST_AUTO_TEST_SUITE(tls_protocols)

BOOST_AUTO_TEST_CASE(the_accepted_versions_and_ciphers)
{
    const support::certificate rsa(support::certificate_options{.rsa_bits = 2048});
    tls_fixture ec;
    tls_fixture with_rsa({{"LATCHKEY_LOG_LEVEL", "info"}});
    rsa.replace(with_rsa.own);
    BOOST_TEST_REQUIRE(with_rsa.server.logs("certificate reloaded"));

    for (std::string suite :
         {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}) {
        support::tls_client client(ec.server.port(), {.suites_1_3 = suite});
        BOOST_TEST(client.version() == "TLSv1.3");
        BOOST_TEST(client.cipher() == suite);
        BOOST_TEST(client.get("/healthz").status == 200u);
    }
    for (std::string cipher : {"AES128-GCM-SHA256", "AES256-GCM-SHA384", "CHACHA20-POLY1305"})
        for (auto& [server, kind] : {std::pair<tls_fixture&, std::string>(ec, "ECDHE-ECDSA-"),
                                     std::pair<tls_fixture&, std::string>(with_rsa, "ECDHE-RSA-")}) {
            support::tls_client client(server.server.port(),
                                       {.greatest_version = TLS1_2_VERSION, .ciphers = kind + cipher});
            BOOST_TEST(client.version() == "TLSv1.2");
            BOOST_TEST(client.cipher() == kind + cipher);
            BOOST_TEST(client.get("/healthz").status == 200u);
        }
}

BOOST_FIXTURE_TEST_CASE(old_versions_are_refused, tls_fixture)
{
    for (unsigned version : {0x0002u, 0x0300u, 0x0301u, 0x0302u}) {
        client_hello hello;
        hello.version = version;
        auto alert = alert_in(answer_to(server, hello.bytes()));
        BOOST_TEST((alert == protocol_version || (version == 0x0300 && alert == handshake_failure)),
                   version << ": " << alert);
    }
    // The other end of a connection by OpenSSL agrees.
    for (int version : {TLS1_VERSION, TLS1_1_VERSION})
        BOOST_TEST(support::handshake_error(server.port(), {.least_version = version,
                                                            .greatest_version = version,
                                                            .ciphers = "ALL:@SECLEVEL=0"}) ==
                   "tlsv1 alert protocol version");
    BOOST_TEST(has_failures("unsupported", 6));
    BOOST_TEST(server.logs("\"event\":\"TLS handshake refused\",\"reason\":\"unsupported\""));

    // The ClientHello of SSL 2.0, with which TLS 1.0 to 1.2 can begin, too.
    auto ssl_2 = "\x80\x2e\x01\x03\x03\x00\x15\x00\x00\x00\x10"s +
                 "\0\0\x2f\0\xc0\x2f\0\xc0\x2b\0\0\x35\0\0\x0a\0\0\x05\0\0\x04"s + std::string(16, 'c');
    BOOST_TEST(answer_to(server, ssl_2) == "");
    BOOST_TEST(has_failures("malformed", 1));
}

BOOST_FIXTURE_TEST_CASE(weak_ciphers_are_refused, tls_fixture)
{
    struct {
        const char* what;
        std::vector<unsigned> suites;
    } const table[] = {
        {"no encryption", {0x0000, 0x0001, 0x0002, 0x003b, 0xc006, 0xc010}},
        {"export", {0x0003, 0x0006, 0x0008, 0x0014, 0x0062, 0x0064}},
        {"RC4", {0x0004, 0x0005, 0xc007, 0xc011}},
        {"DES and 3DES", {0x0009, 0x000a, 0x0016, 0xc008, 0xc012}},
        {"no authentication", {0x0018, 0x0034, 0x003a, 0x006c, 0xc018, 0xc019}},
        {"no forward secrecy", {0x002f, 0x0035, 0x003c, 0x003d, 0x009c, 0x009d}},
        {"CBC with SHA-1", {0xc009, 0xc00a, 0xc013, 0xc014}},
        {"CBC with SHA-2", {0xc023, 0xc024, 0xc027, 0xc028}},
        {"finite-field Diffie-Hellman", {0x0033, 0x0039, 0x009e, 0x009f}},
        {"IDEA, SEED, Camellia, ARIA", {0x0007, 0x0096, 0x0041, 0xc072, 0xc05c}},
        {"64-bit tags", {0xc0ae, 0xc0a0}},
        {"pre-shared keys", {0x008c, 0x00a8, 0xccac}},
        {"none", {0x00ff}},
    };
    const support::certificate rsa(support::certificate_options{.rsa_bits = 2048});
    for (bool has_rsa : {false, true}) {
        if (has_rsa) {
            rsa.replace(own);
            BOOST_TEST_REQUIRE(server.logs("certificate reloaded"));
        }
        for (auto& [what, suites] : table) {
            client_hello hello;
            hello.suites = suites;
            BOOST_TEST(alert_in(answer_to(server, hello.bytes())) == handshake_failure, what);
        }
        // A good one among them is chosen.
        client_hello hello;
        hello.suites = {0x0005, 0x000a, 0x002f, 0xc02b, 0xc02f};
        auto answer = answer_to(server, hello.bytes());
        BOOST_TEST_REQUIRE(answer.size() > 46u);
        BOOST_TEST(answer[0] == 22);
        BOOST_TEST(answer[5] == 2); // ServerHello
    }
}

BOOST_FIXTURE_TEST_CASE(compression_is_not_chosen, tls_fixture)
{
    client_hello hello;
    hello.compression = "\1\0"s;
    auto answer = answer_to(server, hello.bytes());
    // Record 5, message 4, version 2, random 32, session id with its length, cipher suite 2, compression 1.
    auto session = answer.size() > 43 ? static_cast<unsigned char>(answer[43]) : 0u;
    BOOST_TEST_REQUIRE(answer.size() > 46 + session);
    BOOST_TEST(answer[5] == 2);
    BOOST_TEST(answer[46 + session] == 0);
    hello.compression = "\1"; // without the choice of none
    BOOST_TEST(alert_in(answer_to(server, hello.bytes())) > 0);
}

BOOST_FIXTURE_TEST_CASE(renegotiation_is_refused, tls_fixture)
{
    support::tls_client client(server.port(), {.greatest_version = TLS1_2_VERSION});
    BOOST_TEST(client.get("/healthz").status == 200u);
    BOOST_TEST_REQUIRE(SSL_renegotiate(client.native()) == 1);
    BOOST_TEST(SSL_do_handshake(client.native()) != 1);
    BOOST_TEST(ERR_GET_REASON(ERR_peek_last_error()) == SSL_R_NO_RENEGOTIATION);
    ERR_clear_error();
}

BOOST_FIXTURE_TEST_CASE(the_protocol_is_http_1_1, tls_fixture)
{
    auto port = server.port();
    BOOST_TEST(support::tls_client(port, {.protocols = "h2,http/1.1"}).protocol() == "http/1.1");
    BOOST_TEST(support::tls_client(port).protocol() == "");
    for (std::string other : {"h2", "http/1.0", "http/1.1x", "acme-tls/1"})
        BOOST_TEST(support::handshake_error(port, {.protocols = other}) ==
                   "tlsv1 alert no application protocol");
}

/// TLS 1.3 only: its keys change without a handshake, however often.
BOOST_FIXTURE_TEST_CASE(clients_can_update_keys, tls_fixture)
{
    support::tls_client client(server.port());
    for (int i = 0; i < 100; ++i) {
        BOOST_TEST(SSL_key_update(client.native(), SSL_KEY_UPDATE_REQUESTED) == 1);
        BOOST_TEST_REQUIRE(client.get("/healthz").status == 200u);
    }
}

BOOST_AUTO_TEST_SUITE_END()
