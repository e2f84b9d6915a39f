// HTTP client of the commands: blocking, by libcurl.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace server {

struct http_response {
    long status = 0;
    std::string body;
    /// Empty if there is a response.
    std::string error;
};

/// What a request to a URL passes on its way.
enum class url_reach { this_machine, network_encrypted, network_in_clear };

/** Where requests to an http or https URL go: over http, a loopback address or `localhost` is this machine.
    The URL is parsed by the parser that sends it, so that both see the same host.
    @return nothing if it is not such a URL */
std::optional<url_reach> reach_of(const std::string& url);

/// TLS to a server on this host: paths of the certificate and key to present; empty: none.
struct client_tls {
    std::string cert, key;
};

/// Keeps its connection between requests. For one thread.
class http_client {
public:
    /** @param timeout of a whole request, in seconds
        @throw std::runtime_error if libcurl cannot be initialized */
    explicit http_client(long timeout);
    ~http_client();
    http_client(const http_client&) = delete;
    http_client& operator=(const http_client&) = delete;

    /** @param tls to this host: the server's certificate is not verified, since it is for another name, and
       nothing secret is sent */
    http_response get(const std::string& url, const std::optional<client_tls>& tls = std::nullopt);

    /// Follows no redirects. Ignores proxies over http, which would see the request unencrypted.
    /// @param headers header lines, such as "Content-Type: application/json"
    http_response post(const std::string& url, const std::string& body,
                       const std::vector<std::string>& headers);

private:
    http_response perform(const std::string& url);

    struct state;
    std::unique_ptr<state> state_;
};

} // namespace server
