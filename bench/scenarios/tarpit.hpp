// A server that hangs: it takes every connection and never says a word.
#pragma once

#include <cstdint>

namespace bench {

/** Listens on a free port of 127.0.0.1. The kernel completes connections and takes what is sent; nobody
 * reads. */
class tarpit {
public:
    /** @throw failure if there is no port */
    tarpit();
    ~tarpit();
    tarpit(const tarpit&) = delete;
    tarpit& operator=(const tarpit&) = delete;

    std::uint16_t port() const { return port_; }

private:
    int socket_ = -1;
    std::uint16_t port_ = 0;
};

} // namespace bench
