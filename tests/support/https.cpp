#include "tests/support/https.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/url/parse.hpp>

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <array>
#include <limits>
#include <memory>
#include <stdexcept>

namespace support {

static void require(bool good, const std::string& url)
{
    if (!good)
        throw std::runtime_error("no answer: " + url);
}

static std::string exchange(const std::string& url, const std::string& host, const std::string& port,
                            const std::string& request, const std::string& authorities)
{
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    require(context && SSL_CTX_load_verify_file(context.get(), authorities.c_str()) == 1, url);
    SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
    // The response ends with the connection; its length or chunks show whether it is complete.
    SSL_CTX_set_options(context.get(), SSL_OP_IGNORE_UNEXPECTED_EOF);

    std::unique_ptr<BIO, decltype(&BIO_free_all)> stream(BIO_new_ssl_connect(context.get()), BIO_free_all);
    require(stream != nullptr, url);
    SSL* tls = nullptr;
    BIO_get_ssl(stream.get(), &tls);
    require(SSL_set1_host(tls, host.c_str()) == 1, url);
    require(BIO_set_conn_hostname(stream.get(), (host + ":" + port).c_str()) == 1, url);
    require(BIO_write(stream.get(), request.data(), static_cast<int>(request.size())) > 0, url);
    std::string out;
    std::array<char, 16384> part;
    for (int size; (size = BIO_read(stream.get(), part.data(), part.size())) > 0;)
        out.append(part.data(), static_cast<std::size_t>(size));
    return out;
}

response https_get(const std::string& url, const std::string& authorities)
{
    auto parts = boost::urls::parse_uri(url).value();
    auto host = std::string(parts.host()), port = std::string(parts.port());
    auto request = "GET " + std::string(parts.encoded_target()) + " HTTP/1.1\r\nHost: " + host + ":" + port +
                   "\r\nConnection: close\r\n\r\n";
    auto raw = exchange(url, host, port, request, authorities);

    http::response_parser<http::string_body> parser;
    parser.eager(true);
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    boost::system::error_code error;
    parser.put(boost::asio::buffer(raw), error);
    if (!parser.is_done())
        parser.put_eof(error);
    require(parser.is_done(), url);
    return to_response(parser.release());
}

} // namespace support
