// HTTPS client for other servers: small requests and responses, one connection each.
#pragma once

#include "db/postgres/async.hpp"
#include "db/postgres/dns_resolver.hpp"

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handlers {

/** A call without a response. The message names the server and the reason, never a path, a query or a body:
    it is safe to log. */
class https_failure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A response of any status; redirects are not followed.
struct http_response {
    unsigned status = 0;
    std::string body;
    /// Cache-Control (RFC 9111, section 5.2.2); no-store is 0.
    std::optional<std::chrono::seconds> max_age;
};

/// Names and values, not encoded.
using form_fields = std::vector<std::pair<std::string, std::string>>;

/// Encodes a body of application/x-www-form-urlencoded, or a query. Spaces become %20.
std::string encode_form(const form_fields& fields);

/// The same for one name or value.
std::string encode_form(std::string_view text);

/// Whether a name or an address is loopback.
bool is_loopback_host(std::string_view host);

/** Whether a URL's host is loopback by name: localhost, 127.0.0.0/8 or ::1.
    @return nothing unless it is an absolute http or https URL that this client accepts */
std::optional<bool> is_loopback_url(std::string_view url);

/** The client of one core. HTTP/1.1 over TLS 1.2 or newer; certificates are verified against the system's
    authorities (OpenSSL's defaults, including SSL_CERT_FILE and SSL_CERT_DIR) and the host name. Plain
    http:// is for loopback only. No redirects, no retries, no keep-alive.

    Destroy it before its io_context. Calls in flight may outlive it and end at their deadline. */
class https_client {
public:
    struct config {
        /// For a whole call, from name resolution to the last byte.
        std::chrono::milliseconds deadline{5000};
        std::size_t body_limit = std::size_t{256} << 10;
        std::size_t header_limit = std::size_t{16} << 10;
        /// In flight at once; another one fails immediately.
        std::size_t max_calls = 32;
        /// PEM file of the authorities to trust instead of the system's.
        std::string ca_file;
        db::dns_resolver::resolve_function resolve = &db::dns_resolver::resolve_with_getaddrinfo;
    };

    /// Takes some milliseconds to load the authorities.
    /// @throw boost::system::system_error if ca_file is unreadable
    https_client(db::executor executor, config settings);
    ~https_client();
    https_client(const https_client&) = delete;
    https_client& operator=(const https_client&) = delete;

    /** @throw https_failure for a URL that is not allowed, no complete response before the deadline, one that
        is too large or truncated, or a certificate that does not verify */
    db::awaitable<http_response> get(std::string url);

    /// @param authorization value of that header; empty: none. @throw https_failure as get
    db::awaitable<http_response> post_form(std::string url, form_fields form, std::string authorization = {});

private:
    struct shared;
    struct request_data;
    static db::awaitable<http_response> call(std::shared_ptr<shared> state, std::string url,
                                             request_data data);

    /// Calls in flight keep it alive.
    std::shared_ptr<shared> shared_;
};

} // namespace handlers
