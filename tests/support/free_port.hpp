// A port for a program that cannot choose one itself.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <cstdint>

namespace support {

/// Nobody listens there now; the kernel hands ports out in turn, so nobody will soon.
inline std::uint16_t free_port()
{
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor any(io, {boost::asio::ip::address_v4::loopback(), 0});
    return any.local_endpoint().port();
}

} // namespace support
