// Calls to other servers over HTTPS: short questions with short answers, each on a connection of its own.
#pragma once

#include "db/postgres/async.hpp"
#include "handlers/oidc/dns_resolver.hpp"

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

/** No answer. The message names the server and what went wrong, never a path, a query or a body: it belongs
    into the log. */
class https_failure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/** What a server answered, a redirect or an error included. */
struct http_answer {
    unsigned status = 0;
    std::string body;
    std::optional<std::chrono::seconds> max_age; // Cache-Control (RFC 9111, section 5.2.2); no-store is 0
};

/** Names and values, each to be encoded. */
using form_fields = std::vector<std::pair<std::string, std::string>>;

/** As a body of application/x-www-form-urlencoded has it, or a query. Spaces become %20. */
std::string encode_form(const form_fields& fields);

/** The same for one name or value. */
std::string encode_form(std::string_view text);

/** Whether a name or an address is this machine's own. */
bool is_loopback_host(std::string_view host);

/** Whether a URL's host is this machine by its very name: localhost, 127.0.0.0/8 or ::1.
    @return nothing unless it is an absolute http or https URL that this client could call */
std::optional<bool> is_loopback_url(std::string_view url);

/** The client of one core. HTTP/1.1 over TLS 1.2 or newer, certificates checked against the system's
    authorities (OpenSSL's defaults: SSL_CERT_FILE and SSL_CERT_DIR are honoured) and the host's name. Plain
    http:// reaches loopback alone. Redirects are answers; nothing is followed, retried or kept.

    To be destroyed before its io_context; calls under way may outlive it, and then end at their deadline. */
class https_client {
public:
    struct config {
        std::chrono::milliseconds deadline{5000}; // for all of a call, from the host's name to the last byte
        std::size_t body_limit = std::size_t{256} << 10;
        std::size_t header_limit = std::size_t{16} << 10;
        std::size_t calls = 32; // under way at once; one more fails at once
        std::string ca_file;    // PEM: trust these authorities instead of the system's
        name_lookup::resolver resolve = &name_lookup::ask_system;
    };

    /** Some milliseconds: reads the authorities. @throw boost::system::system_error if ca_file is unreadable
     */
    https_client(db::executor where, config settings);
    ~https_client();
    https_client(const https_client&) = delete;
    https_client& operator=(const https_client&) = delete;

    /** @throw https_failure no such call, no answer within the deadline, one that is too large or cut off, or
       a server that is not who it should be */
    db::awaitable<http_answer> get(std::string url);

    /** @param authorization value of that header; none if empty. @throw https_failure as get */
    db::awaitable<http_answer> post_form(std::string url, form_fields form, std::string authorization = {});

private:
    struct shared;
    struct outgoing;
    static db::awaitable<http_answer> call(std::shared_ptr<shared> all, std::string url, outgoing what);

    std::shared_ptr<shared> shared_; // a call under way keeps it
};

} // namespace handlers
