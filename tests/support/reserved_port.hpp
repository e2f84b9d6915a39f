// TCP ports for programs that cannot bind to port 0 and report what they got.
#pragma once

#include <cstdint>

namespace support {

/** A port of 127.0.0.1 that stays free until the program under test binds to it. It lies below the ephemeral
    range, so no connection and no bind to port 0 can take it; other test processes skip it, because this
    process holds an abstract unix socket with its name until it ends. Any thread may call this.
    @throw runtime_error if all are taken */
std::uint16_t reserve_port();

} // namespace support
