#include "tests/support/tls_client.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <stdexcept>

namespace support {

namespace {

[[noreturn]] void fail(const std::string& what)
{
    auto reason = ERR_reason_error_string(ERR_peek_error());
    ERR_clear_error();
    throw std::runtime_error(reason ? reason : what);
}

void require(bool good, const std::string& what)
{
    if (!good)
        fail(what);
}

/// Names with their lengths in front.
std::string protocol_list(const std::string& names)
{
    std::string out;
    for (std::size_t at = 0; at < names.size();) {
        auto end = std::min(names.find(',', at), names.size());
        out.push_back(static_cast<char>(end - at));
        out.append(names, at, end - at);
        at = end + 1;
    }
    return out;
}

std::string hex_digest_of(X509* certificate)
{
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    require(certificate && X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1,
            "no certificate");
    std::string out;
    for (unsigned i = 0; i < size; ++i) {
        out.push_back("0123456789abcdef"[digest[i] >> 4]);
        out.push_back("0123456789abcdef"[digest[i] & 15]);
    }
    return out;
}

} // namespace

tls_client::socket::socket(std::uint16_t port) : number(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0))
{
    timeval limit{.tv_sec = 30, .tv_usec = 0};
    setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(number, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(number, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
        throw std::runtime_error("not connected");
}

tls_client::socket::~socket()
{
    ::close(number);
}

int tls_client::keep_ticket(SSL* tls, SSL_SESSION* session)
{
    auto& self = *static_cast<tls_client*>(SSL_get_app_data(tls));
    self.ticket_.resize(static_cast<std::size_t>(i2d_SSL_SESSION(session, nullptr)));
    auto to = reinterpret_cast<unsigned char*>(self.ticket_.data());
    i2d_SSL_SESSION(session, &to);
    self.ticket_lifetime_ = SSL_SESSION_get_ticket_lifetime_hint(session);
    return 0;
}

tls_client::tls_client(std::uint16_t port, const tls_options& options)
    : socket_(port), context_(SSL_CTX_new(TLS_client_method()), &SSL_CTX_free), tls_(nullptr, &SSL_free)
{
    [[maybe_unused]] static const auto before = std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without flags
    ERR_clear_error();
    auto context = context_.get();
    require(SSL_CTX_set_min_proto_version(context, options.least_version) == 1 &&
                SSL_CTX_set_max_proto_version(context, options.greatest_version) == 1,
            "version");
    if (!options.ciphers.empty())
        require(SSL_CTX_set_cipher_list(context, options.ciphers.c_str()) == 1, "ciphers");
    if (!options.suites_1_3.empty())
        require(SSL_CTX_set_ciphersuites(context, options.suites_1_3.c_str()) == 1, "ciphers");
    if (!options.cert.empty())
        require(SSL_CTX_use_certificate_chain_file(context, options.cert.c_str()) == 1 &&
                    SSL_CTX_use_PrivateKey_file(context, options.key.c_str(), SSL_FILETYPE_PEM) == 1,
                "client certificate");
    if (!options.authorities.empty()) {
        require(SSL_CTX_load_verify_file(context, options.authorities.c_str()) == 1, "authorities");
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    }
    auto protocols = protocol_list(options.protocols);
    if (!protocols.empty())
        require(SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(protocols.data()),
                                        static_cast<unsigned>(protocols.size())) == 0,
                "protocols");
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, &keep_ticket);

    tls_.reset(SSL_new(context));
    require(tls_ && SSL_set_fd(tls_.get(), socket_.number) == 1, "no connection");
    SSL_set_app_data(tls_.get(), this);
    if (!options.ticket.empty()) {
        auto from = reinterpret_cast<const unsigned char*>(options.ticket.data());
        std::unique_ptr<SSL_SESSION, decltype(&SSL_SESSION_free)> session(
            d2i_SSL_SESSION(nullptr, &from, static_cast<long>(options.ticket.size())), &SSL_SESSION_free);
        require(session && SSL_set_session(tls_.get(), session.get()) == 1, "ticket");
    }
    if (!options.before.empty())
        require(::send(socket_.number, options.before.data(), options.before.size(), MSG_NOSIGNAL) > 0,
                "send");
    require(SSL_connect(tls_.get()) == 1, "the connection was closed");
}

tls_client::~tls_client()
{
    SSL_shutdown(tls_.get());
    ERR_clear_error();
}

std::string tls_client::protocol() const
{
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(tls_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

std::string tls_client::fingerprint() const
{
    return hex_digest_of(SSL_get0_peer_certificate(tls_.get()));
}

bool tls_client::send(std::string_view bytes)
{
    ERR_clear_error();
    return SSL_write(tls_.get(), bytes.data(), static_cast<int>(bytes.size())) ==
           static_cast<int>(bytes.size());
}

std::string tls_client::receive(std::size_t limit)
{
    std::string out = std::move(received_);
    received_.clear();
    std::array<char, 16384> part;
    ERR_clear_error();
    while (out.size() < limit) {
        auto size = SSL_read(tls_.get(), part.data(), static_cast<int>(part.size()));
        if (size <= 0)
            break;
        out.append(part.data(), static_cast<std::size_t>(size));
    }
    return out;
}

response tls_client::get(std::string_view path, std::string_view token, std::string_view more)
{
    std::string request = "GET ";
    request.append(path).append(" HTTP/1.1\r\nHost: localhost\r\n").append(more);
    if (!token.empty())
        request.append("Authorization: Bearer ").append(token).append("\r\n");
    return exchange(request + "\r\n");
}

response tls_client::exchange(std::string_view request)
{
    require(send(request), "the request was not sent");
    http::response_parser<http::string_body> parser;
    parser.eager(true);
    std::array<char, 16384> part;
    while (!parser.is_done()) {
        if (received_.empty()) {
            auto size = SSL_read(tls_.get(), part.data(), static_cast<int>(part.size()));
            require(size > 0, "the connection was closed");
            received_.assign(part.data(), static_cast<std::size_t>(size));
        }
        boost::system::error_code error;
        auto used = parser.put(boost::asio::buffer(received_), error);
        if (used == 0 && error == http::error::need_more) { // the whole header is parsed at once
            auto size = SSL_read(tls_.get(), part.data(), static_cast<int>(part.size()));
            require(size > 0, "the connection was closed");
            received_.append(part.data(), static_cast<std::size_t>(size));
            continue;
        }
        received_.erase(0, used);
        if (error && error != http::error::need_more)
            throw boost::system::system_error(error);
    }
    return to_response(parser.release());
}

std::string handshake_error(std::uint16_t port, const tls_options& options)
{
    try {
        tls_client client(port, options);
        client.get("/healthz"); // in TLS 1.3 the server's refusal of a client arrives after the handshake
        return {};
    } catch (const std::exception& e) {
        return e.what();
    }
}

std::string fingerprint_of(const std::string& cert_path)
{
    std::unique_ptr<BIO, decltype(&BIO_free)> file(BIO_new_file(cert_path.c_str(), "r"), &BIO_free);
    require(file != nullptr, "no file");
    std::unique_ptr<X509, decltype(&X509_free)> cert(PEM_read_bio_X509(file.get(), nullptr, nullptr, nullptr),
                                                     &X509_free);
    return hex_digest_of(cert.get());
}

} // namespace support
