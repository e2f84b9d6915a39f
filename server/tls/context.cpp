#include "server/tls/context.hpp"

#include "crypto/hash.hpp"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <exception>
#include <string_view>
#include <vector>

namespace server {

namespace {

using certificate_ptr = crypto::openssl_ptr<X509, &X509_free>;

constexpr auto cert_setting = "LATCHKEY_TLS_CERT", key_setting = "LATCHKEY_TLS_KEY",
               client_ca_setting = "LATCHKEY_TLS_CLIENT_CA";

/// Mozilla's "intermediate" list without finite-field Diffie-Hellman, which costs a server most.
constexpr auto cipher_suites_1_2 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr auto groups = "X25519:P-256:P-384";
/// With the post-quantum hybrid, which OpenSSL has since 3.5.
constexpr auto groups_with_hybrid = "X25519MLKEM768:X25519:P-256:P-384";

/// Of client certificates, up to the authority.
constexpr int max_chain_length = 8;

/// OpenSSL's reason for its last error.
std::string last_reason()
{
    auto reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason ? reason : "unknown error";
}

tls_error error_of(const char* setting, const std::string& message)
{
    return tls_error(std::string(setting) + ": " + message);
}

/// @throw std::runtime_error unless it is good: OpenSSL has no memory, or was built without what is needed
void require(bool good)
{
    if (!good)
        throw std::runtime_error("TLS cannot be set up: " + last_reason());
}

crypto::openssl_ptr<BIO, &BIO_free> open_text(const std::string& text)
{
    crypto::openssl_ptr<BIO, &BIO_free> out(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
    require(out != nullptr);
    return out;
}

/// Text that is encrypted would make OpenSSL ask for the passphrase on a terminal.
int refuse_passphrase(char*, int, int, void*)
{
    return -1;
}

/// All certificates of a text, at least one.
std::vector<certificate_ptr> read_certificates(const char* setting, const std::string& pem)
{
    auto text = open_text(pem);
    std::vector<certificate_ptr> out;
    while (certificate_ptr one{PEM_read_bio_X509(text.get(), nullptr, &refuse_passphrase, nullptr)})
        out.push_back(std::move(one));
    auto ended_by = ERR_peek_last_error();
    bool is_end = ERR_GET_LIB(ended_by) == ERR_LIB_PEM && ERR_GET_REASON(ended_by) == PEM_R_NO_START_LINE;
    if (out.empty() && is_end)
        throw error_of(setting, "the file has no certificate in PEM format");
    if (!is_end)
        throw error_of(setting, "a certificate in the file is malformed: " + last_reason());
    ERR_clear_error();
    return out;
}

std::chrono::system_clock::time_point to_time(const ASN1_TIME* time)
{
    std::tm parts{};
    require(ASN1_TIME_to_tm(time, &parts) == 1);
    return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::string fingerprint_of(const X509* certificate)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    require(X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1);
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out;
    for (unsigned i = 0; i < size; ++i) {
        out.push_back(digits[digest[i] >> 4]);
        out.push_back(digits[digest[i] & 15]);
    }
    return out;
}

/// ALPN: a client that names no protocol gets HTTP/1.1, too; one that names others alone is refused (RFC
/// 7301).
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                    const unsigned char* offered, unsigned offered_size, void*)
{
    static constexpr unsigned char supported[] = "\x08http/1.1";
    unsigned char* out = nullptr;
    auto outcome =
        SSL_select_next_proto(&out, chosen_size, supported, sizeof supported - 1, offered, offered_size);
    *chosen = out;
    return outcome == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

/// Prepare OpenSSL's contexts with a key. @return whether it worked
bool set_up(const ticket_keys::key& key, const unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
            bool encrypts)
{
    static EVP_CIPHER* const algorithm = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr); // never freed
    char digest[] = "SHA256";
    auto secret = const_cast<std::uint8_t*>(key.mac.data());
    OSSL_PARAM params[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, secret, key.mac.size()),
                           OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                           OSSL_PARAM_construct_end()};
    return EVP_CipherInit_ex2(cipher, algorithm, key.cipher.data(), iv, encrypts, nullptr) == 1 &&
           EVP_MAC_CTX_set_params(mac, params) == 1;
}

/** OpenSSL's callback for the keys of a ticket.
    @return 1: the key is set; 2: the same, and the client gets a new ticket, since each should be used only
   once (RFC 8446, appendix C.4); 0: no ticket, or none that is accepted; -1: failure */
int set_ticket_key(SSL* connection, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                   EVP_MAC_CTX* mac, int encrypts)
{
    if (SSL_version(connection) != TLS1_3_VERSION)
        return 0;
    auto& keys = *static_cast<const ticket_keys*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(connection)));
    try {
        if (!encrypts) {
            auto key = keys.find(
                std::span<const std::uint8_t, ticket_keys::name_size>(name, ticket_keys::name_size));
            return key && set_up(*key, iv, cipher, mac, false) ? 2 : 0;
        }
        auto key = keys.current();
        std::copy(key.name.begin(), key.name.end(), name);
        return RAND_bytes(iv, EVP_MAX_IV_LENGTH) == 1 && set_up(key, iv, cipher, mac, true) ? 1 : -1;
    } catch (const std::exception&) {
        return encrypts ? -1 : 0;
    }
}

/// A resumed session keeps the client's certificate without verifying it again: not beyond its expiry.
SSL_TICKET_RETURN check_ticket(SSL*, SSL_SESSION* session, const unsigned char*, std::size_t,
                               SSL_TICKET_STATUS status, void*)
{
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    auto client = SSL_SESSION_get0_peer(session);
    if (client && X509_cmp_current_time(X509_get0_notAfter(client)) <= 0)
        return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

} // namespace

tls_context::tls_context(const tls_material& material, std::shared_ptr<const ticket_keys> tickets)
    : tickets_(std::move(tickets)), context_(SSL_CTX_new(TLS_server_method()))
{
    auto context = native();
    ERR_clear_error();
    require(context && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1 &&
            SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) == 1 &&
            SSL_CTX_set_cipher_list(context, cipher_suites_1_2) == 1 &&
            (SSL_CTX_set1_groups_list(context, groups_with_hybrid) == 1 ||
             SSL_CTX_set1_groups_list(context, groups) == 1));
    // 112 bits, also where openssl.cnf says less: RSA and certificates with at least 2048 bits, no SHA-1.
    SSL_CTX_set_security_level(context, 2);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_clear_options(context, SSL_OP_LEGACY_SERVER_CONNECT | SSL_OP_ALLOW_NO_DHE_KEX);
    // A chain is sent as it is in the file, never completed with the authorities of clients. The buffers of a
    // connection, 34 kB, are freed while it is idle.
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                  SSL_MODE_RELEASE_BUFFERS | SSL_MODE_NO_AUTO_CHAIN);
    SSL_CTX_set_read_ahead(context, 1); // one copy into OpenSSL's buffer, not one for each record header
    SSL_CTX_set_default_passwd_cb(context, &refuse_passphrase);
    SSL_CTX_set_alpn_select_cb(context, &choose_protocol, nullptr);
    use_certificates(material.certificates);
    use_key(material.key);
    use_tickets();

    // Sessions belong to the list of authorities under which their clients were admitted.
    auto admission = crypto::sha256(material.client_authorities.value_or(""));
    require(SSL_CTX_set_session_id_context(context, admission.data(), admission.size()) == 1);
    if (material.client_authorities)
        require_client_certificates(*material.client_authorities);
}

void tls_context::use_certificates(const std::string& pem)
{
    auto chain = read_certificates(cert_setting, pem);
    auto own = chain.front().get();
    if (SSL_CTX_use_certificate(native(), own) != 1)
        throw error_of(cert_setting, "the certificate is not accepted: " + last_reason());
    expires_at_ = to_time(X509_get0_notAfter(own));
    fingerprint_ = fingerprint_of(own);
    for (std::size_t i = 1; i < chain.size(); ++i)
        if (SSL_CTX_add1_chain_cert(native(), chain[i].get()) != 1)
            throw error_of(cert_setting, "an intermediate certificate is not accepted: " + last_reason());
}

void tls_context::use_key(const std::string& pem)
{
    auto text = open_text(pem);
    crypto::openssl_ptr<EVP_PKEY, &EVP_PKEY_free> key(
        PEM_read_bio_PrivateKey(text.get(), nullptr, &refuse_passphrase, nullptr));
    if (!key)
        throw error_of(key_setting,
                       "the file has no private key in PEM format, without a passphrase: " + last_reason());
    if (X509_check_private_key(SSL_CTX_get0_certificate(native()), key.get()) != 1) {
        ERR_clear_error();
        throw error_of(key_setting,
                       std::string("the key does not belong to the certificate of ") + cert_setting);
    }
    if (SSL_CTX_use_PrivateKey(native(), key.get()) != 1)
        throw error_of(key_setting, "the key is not accepted: " + last_reason());
}

void tls_context::require_client_certificates(const std::string& authorities)
{
    crypto::openssl_ptr<X509_STORE, &X509_STORE_free> store(X509_STORE_new());
    require(store != nullptr);
    // An authority need not be a root: an intermediate one alone admits its own clients.
    require(X509_STORE_set_flags(store.get(), X509_V_FLAG_PARTIAL_CHAIN) == 1);
    for (auto& authority : read_certificates(client_ca_setting, authorities)) {
        if (X509_check_ca(authority.get()) == 0)
            throw error_of(client_ca_setting, "a certificate in the file is not of an authority");
        require(X509_STORE_add_cert(store.get(), authority.get()) == 1 &&
                SSL_CTX_add_client_CA(native(), authority.get()) == 1);
    }
    require(SSL_CTX_set1_verify_cert_store(native(), store.get()) == 1);
    SSL_CTX_set_verify_depth(native(), max_chain_length);
    SSL_CTX_set_verify(native(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
}

void tls_context::use_tickets()
{
    SSL_CTX_set_session_cache_mode(native(), SSL_SESS_CACHE_OFF);
    // The lifetime that clients see: a ticket is accepted for at least a period.
    SSL_CTX_set_timeout(native(), static_cast<long>(ticket_keys::period.count()));
    SSL_CTX_set_app_data(native(), const_cast<ticket_keys*>(tickets_.get()));
    require(SSL_CTX_set_tlsext_ticket_key_evp_cb(native(), &set_ticket_key) == 1 &&
            SSL_CTX_set_session_ticket_cb(native(), nullptr, &check_ticket, nullptr) == 1);
}

} // namespace server
