#include "bench/scenarios/tarpit.hpp"

#include "bench/load/failure.hpp"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace bench {

tarpit::tarpit()
{
    sockaddr_in here{};
    here.sin_family = AF_INET;
    here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* address = reinterpret_cast<sockaddr*>(&here);
    socklen_t size = sizeof here;
    socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(socket_, address, size) != 0 || listen(socket_, SOMAXCONN) != 0 ||
        getsockname(socket_, address, &size) != 0) {
        ::close(socket_);
        throw failure("no free port on 127.0.0.1");
    }
    port_ = ntohs(here.sin_port);
}

tarpit::~tarpit()
{
    ::close(socket_);
}

} // namespace bench
