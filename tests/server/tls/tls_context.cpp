// TLS context: what certificates and keys it accepts, and the tickets it issues, between two ends in memory.
#include "server/tls/context.hpp"
#include "tests/support/certificate.hpp"
#include "tests/support/eventually.hpp"

#include <boost/test/unit_test.hpp>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <chrono>
#include <memory>
#include <string>

using namespace std::chrono_literals;
using support::certificate;
using support::file_content;

namespace {

using ssl_ptr = std::unique_ptr<SSL, decltype(&SSL_free)>;
using session_ptr = std::shared_ptr<SSL_SESSION>;

crypto::keyring master()
{
    return crypto::keyring(crypto::key{1, 2, 3});
}

server::tls_material material_of(const certificate& own, std::optional<std::string> authorities = {})
{
    server::tls_material out;
    out.certificates = file_content(own.cert());
    out.key = file_content(own.key());
    out.client_authorities = std::move(authorities);
    return out;
}

std::shared_ptr<const server::ticket_keys> tickets()
{
    return std::make_shared<server::ticket_keys>(master());
}

std::string error_of(const server::tls_material& material)
{
    try {
        server::tls_context made(material, tickets());
        return {};
    } catch (const server::tls_error& e) {
        return e.what();
    }
}

/// Clients and nodes of one cluster. A test sets the clock of the nodes.
struct cluster {
    struct client_certificate {
        std::string cert, key;
    };

    std::shared_ptr<const server::tls_context> node(const std::optional<std::string>& authorities = {})
    {
        auto keys = std::make_shared<server::ticket_keys>(master(), [this] { return now; });
        return std::make_shared<server::tls_context>(material_of(own, authorities), keys);
    }

    /// Connect and exchange a byte. @return whether both ends have shaken hands
    bool connect(const server::tls_context& to, const session_ptr& ticket = {}, int version = TLS1_3_VERSION)
    {
        received.reset();
        std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()),
                                                                  &SSL_CTX_free);
        SSL_CTX_set_max_proto_version(context.get(), version);
        SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_set_app_data(context.get(), this);
        SSL_CTX_sess_set_new_cb(context.get(), [](SSL* tls, SSL_SESSION* session) {
            static_cast<cluster*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(tls)))
                ->received.reset(session, &SSL_SESSION_free);
            return 1;
        });
        if (presents) {
            SSL_CTX_use_certificate_chain_file(context.get(), presents->cert.c_str());
            SSL_CTX_use_PrivateKey_file(context.get(), presents->key.c_str(), SSL_FILETYPE_PEM);
        }
        ssl_ptr client(SSL_new(context.get()), &SSL_free), server(SSL_new(to.native()), &SSL_free);
        BIO *client_end = nullptr, *server_end = nullptr;
        BIO_new_bio_pair(&client_end, 1 << 16, &server_end, 1 << 16);
        SSL_set_bio(client.get(), client_end, client_end);
        SSL_set_bio(server.get(), server_end, server_end);
        SSL_set_connect_state(client.get());
        SSL_set_accept_state(server.get());
        if (ticket) { // a copy: OpenSSL would use it only once
            session_ptr copy(SSL_SESSION_dup(ticket.get()), &SSL_SESSION_free);
            SSL_set_session(client.get(), copy.get());
        }
        for (int i = 0; i < 10; ++i) {
            SSL_do_handshake(client.get());
            SSL_do_handshake(server.get());
        }
        char byte = 0;
        bool is_done = SSL_is_init_finished(server.get()) && SSL_write(server.get(), "x", 1) == 1 &&
                       SSL_read(client.get(), &byte, 1) == 1;
        SSL_set_shutdown(client.get(), SSL_SENT_SHUTDOWN); // otherwise OpenSSL would not use the ticket again
        is_resumed = SSL_session_reused(server.get()) == 1;
        return is_done && is_resumed == (SSL_session_reused(client.get()) == 1);
    }

    certificate own;
    std::chrono::system_clock::time_point now = std::chrono::system_clock::now();
    /// By the client; null: none.
    const client_certificate* presents = nullptr;
    /// Of the last connection.
    session_ptr received;
    bool is_resumed = false;
};

} // namespace

BOOST_AUTO_TEST_SUITE(tls_context)

BOOST_AUTO_TEST_CASE(certificates_with_ec_and_rsa_keys_are_accepted)
{
    certificate ec, rsa(support::certificate_options{.rsa_bits = 2048});
    BOOST_TEST(error_of(material_of(ec)) == "");
    BOOST_TEST(error_of(material_of(rsa)) == "");
    server::tls_context made(material_of(ec), tickets());
    auto left = made.expires_at() - std::chrono::system_clock::now();
    BOOST_TEST((left > 23h && left <= 24h));
    BOOST_TEST(made.fingerprint().size() == 64u);
}

BOOST_AUTO_TEST_CASE(a_message_names_the_setting_and_the_reason)
{
    certificate own, other, weak(support::certificate_options{.rsa_bits = 1024});
    auto good = material_of(own);

    auto empty = good;
    empty.certificates.clear();
    BOOST_TEST(error_of(empty) == "LATCHKEY_TLS_CERT: the file has no certificate in PEM format");
    auto swapped = good;
    std::swap(swapped.certificates, swapped.key);
    BOOST_TEST(error_of(swapped) == "LATCHKEY_TLS_CERT: the file has no certificate in PEM format");
    auto cut = good;
    cut.certificates.resize(cut.certificates.size() / 2);
    BOOST_TEST(error_of(cut).starts_with("LATCHKEY_TLS_CERT: "), error_of(cut));
    auto cut_chain = good;
    cut_chain.certificates += cut.certificates;
    BOOST_TEST(error_of(cut_chain).starts_with("LATCHKEY_TLS_CERT: a certificate in the file is malformed"),
               error_of(cut_chain));
    auto keyless = good;
    keyless.key = "no key";
    BOOST_TEST(error_of(keyless).starts_with("LATCHKEY_TLS_KEY: the file has no private key in PEM format"),
               error_of(keyless));
    auto mismatch = good;
    mismatch.key = file_content(other.key());
    BOOST_TEST(error_of(mismatch) ==
               "LATCHKEY_TLS_KEY: the key does not belong to the certificate of LATCHKEY_TLS_CERT");
    BOOST_TEST(error_of(material_of(weak)).starts_with("LATCHKEY_TLS_CERT: the certificate is not accepted"),
               error_of(material_of(weak)));
    for (auto nothing : {"", "\n", "nothing"})
        BOOST_TEST(error_of(material_of(own, nothing)) ==
                   "LATCHKEY_TLS_CLIENT_CA: the file has no certificate in PEM format");
    certificate leaf;
    BOOST_TEST(error_of(material_of(own, file_content(leaf.cert()))) ==
               "LATCHKEY_TLS_CLIENT_CA: a certificate in the file is not of an authority");
}

BOOST_AUTO_TEST_CASE(a_key_with_a_passphrase_is_refused_without_asking_for_it)
{
    certificate own;
    auto material = material_of(own);
    std::unique_ptr<BIO, decltype(&BIO_free)> in(BIO_new_mem_buf(material.key.data(), -1), &BIO_free),
        out(BIO_new(BIO_s_mem()), &BIO_free);
    std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
        PEM_read_bio_PrivateKey(in.get(), nullptr, nullptr, nullptr), &EVP_PKEY_free);
    char passphrase[] = "secret";
    PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), EVP_aes_256_cbc(), passphrase, 6, nullptr, nullptr);
    char* text = nullptr;
    auto size = BIO_get_mem_data(out.get(), &text);
    material.key.assign(text, static_cast<std::size_t>(size));
    BOOST_TEST(error_of(material).starts_with("LATCHKEY_TLS_KEY: "), error_of(material));
}

BOOST_FIXTURE_TEST_CASE(a_ticket_resumes_the_session_at_any_node, cluster)
{
    auto a = node(), b = node();
    BOOST_TEST(connect(*a));
    BOOST_TEST(!is_resumed);
    auto ticket = received;
    BOOST_TEST_REQUIRE(ticket);
    BOOST_TEST(connect(*b, ticket));
    BOOST_TEST(is_resumed);
    BOOST_TEST(received); // and renews it
}

BOOST_FIXTURE_TEST_CASE(a_ticket_lives_for_its_period_and_the_next, cluster)
{
    now = std::chrono::floor<std::chrono::seconds>(now);
    now -= now.time_since_epoch() % server::ticket_keys::period;
    auto a = node();
    BOOST_TEST(connect(*a));
    auto ticket = received;
    now += 2 * server::ticket_keys::period - 1ns;
    BOOST_TEST(connect(*a, ticket));
    BOOST_TEST(is_resumed);
    now += 1ns;
    BOOST_TEST(connect(*a, ticket));
    BOOST_TEST(!is_resumed);
}

BOOST_FIXTURE_TEST_CASE(a_ticket_of_another_master_key_means_a_full_handshake, cluster)
{
    auto a = node();
    server::tls_context foreign(material_of(own),
                                std::make_shared<server::ticket_keys>(crypto::keyring(crypto::key{9})));
    BOOST_TEST(connect(foreign));
    BOOST_TEST(connect(*a, received));
    BOOST_TEST(!is_resumed);
}

BOOST_FIXTURE_TEST_CASE(sessions_of_tls_1_2_have_no_ticket, cluster)
{
    auto a = node();
    BOOST_TEST(connect(*a, {}, TLS1_2_VERSION));
    BOOST_TEST(!received);
}

BOOST_FIXTURE_TEST_CASE(a_session_ends_with_the_authorities_that_admitted_its_client, cluster)
{
    const support::certificate_options as_authority{.is_authority = true};
    certificate ca(as_authority),
        second(support::certificate_options{.names = "second", .is_authority = true});
    support::certificate_options by_ca;
    by_ca.issuer = &ca;
    certificate client(by_ca);
    client_certificate mine{client.cert(), client.key()};
    presents = &mine;
    auto of_ca = file_content(ca.cert()), of_both = of_ca + file_content(second.cert());
    auto a = node(of_ca), changed = node(of_both);
    BOOST_TEST(connect(*a));
    auto ticket = received;
    BOOST_TEST(connect(*a, ticket));
    BOOST_TEST(is_resumed);
    BOOST_TEST(connect(*changed, ticket));
    BOOST_TEST(!is_resumed);
}

BOOST_FIXTURE_TEST_CASE(a_session_does_not_outlive_the_certificate_of_its_client, cluster)
{
    certificate ca(support::certificate_options{.is_authority = true});
    support::certificate_options by_ca;
    by_ca.issuer = &ca;
    by_ca.seconds = 2;
    certificate client(by_ca);
    client_certificate mine{client.cert(), client.key()};
    presents = &mine;
    auto a = node(file_content(ca.cert()));
    BOOST_TEST(connect(*a));
    auto ticket = received;
    BOOST_TEST(ticket);
    BOOST_TEST(support::eventually([&] { return !connect(*a, ticket) || !is_resumed; }));
    BOOST_TEST(!connect(*a, ticket)); // nor does a full handshake succeed
}

BOOST_AUTO_TEST_SUITE_END()
