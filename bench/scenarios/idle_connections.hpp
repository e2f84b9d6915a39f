// Idle keep-alive connections, opened to measure what each costs the server.
#pragma once

#include "bench/load/http_client.hpp"

#include <deque>

namespace bench {

/** Opens connections, sends one GET /healthz on each, and keeps them. Raises this process's limit of open
    files to the hard one, and binds to several addresses of 127.0.0.0/8 when one has too few ports.
    @throw failure if one of them cannot be opened or gets no answer */
class idle_connections {
public:
    idle_connections(const url& server, std::size_t size);
    idle_connections(const idle_connections&) = delete;
    idle_connections& operator=(const idle_connections&) = delete;

    /// How many the server has not closed.
    std::size_t still_open() const;

private:
    server_address target_;
    tls_client tls_;
    std::deque<stream> streams_;
};

} // namespace bench
