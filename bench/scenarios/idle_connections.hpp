// Connections that are there and do nothing.
#pragma once

#include "bench/load/http_client.hpp"

#include <vector>

namespace bench {

/** Opens connections, lets each ask once for /healthz, and keeps them. Raises this process's limit of open
    files to the hard one, and uses several addresses of 127.0.0.0/8 when one has not ports enough.
    @throw failure if not all can be opened or are answered */
class crowd {
public:
    crowd(const url& server, std::size_t size);
    ~crowd();
    crowd(const crowd&) = delete;
    crowd& operator=(const crowd&) = delete;

    /** How many the server has not closed. */
    std::size_t still_open() const;

private:
    void close_all();

    std::vector<int> sockets_;
};

} // namespace bench
