#include "tests/support/reserved_port.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <stdexcept>
#include <string>

namespace support {

namespace {

constexpr std::uint16_t first_port = 20'000, end_of_ports = 32'000; // Linux's ephemeral range begins at 32768

/// Claim a port among the test processes of this machine. Released by the kernel when the process ends.
bool claim(std::uint16_t port)
{
    auto name = "latchkey-test-port-" + std::to_string(port);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path + 1, sizeof address.sun_path - 1); // a leading NUL: the abstract namespace
    auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    int claimed = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (claimed < 0)
        return false;
    if (bind(claimed, reinterpret_cast<const sockaddr*>(&address), size) == 0)
        return true; // kept open
    close(claimed);
    return false;
}

bool is_free(std::uint16_t port)
{
    boost::asio::io_context io;
    boost::asio::ip::tcp::acceptor trial(io, boost::asio::ip::tcp::v4());
    boost::system::error_code error;
    trial.set_option(boost::asio::socket_base::reuse_address(true), error);
    trial.bind({boost::asio::ip::address_v4::loopback(), port}, error);
    if (!error)
        trial.listen(1, error);
    return !error;
}

} // namespace

std::uint16_t reserve_port()
{
    for (auto port = first_port; port < end_of_ports; ++port)
        if (claim(port) && is_free(port))
            return port;
    throw std::runtime_error("no port is free");
}

} // namespace support
