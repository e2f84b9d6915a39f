// HTTP client of the commands: blocking, by libcurl.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace server {

struct http_response {
    long status = 0;
    std::string body;
    /// Empty if there is a response.
    std::string error;
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

    http_response get(const std::string& url);

    /// @param headers header lines, such as "Content-Type: application/json"
    http_response post(const std::string& url, const std::string& body,
                       const std::vector<std::string>& headers);

private:
    http_response perform(const std::string& url);

    struct state;
    std::unique_ptr<state> state_;
};

} // namespace server
