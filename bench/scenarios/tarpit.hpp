// A tarpit: a server that accepts every connection and never answers.
#pragma once

#include <cstdint>

namespace bench {

/// Listens on a free port of 127.0.0.1. The kernel completes connections and buffers input; nothing reads it.
class tarpit {
public:
    /// @throw failure if no port is free
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
