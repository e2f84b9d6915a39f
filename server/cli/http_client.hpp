// A blocking HTTP client for the program's small commands.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace server {

struct http_answer {
    long status = 0;
    std::string body;
    std::string fault; // why there is no answer; empty if there is one
};

/** Keeps its connection between calls. For one thread. */
class http_client {
public:
    /** @param limit for a whole call, in seconds @throw std::runtime_error if libcurl does not start */
    explicit http_client(long limit);
    ~http_client();
    http_client(const http_client&) = delete;
    http_client& operator=(const http_client&) = delete;

    http_answer get(const std::string& url);

    /** @param headers lines such as "Content-Type: application/json" */
    http_answer post(const std::string& url, const std::string& body,
                     const std::vector<std::string>& headers);

private:
    http_answer perform(const std::string& url);

    struct state;
    std::unique_ptr<state> state_;
};

} // namespace server
