#include "bench/scenarios/idle_connections.hpp"

#include "bench/load/failure.hpp"
#include "bench/load/interrupt.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>

namespace bench {

namespace {

// Linux has some 28,000 ephemeral ports for a pair of addresses, and the load itself needs some of them.
constexpr std::size_t max_connections_per_address = 20'000;

void raise_limit(std::size_t count)
{
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    constexpr std::size_t others = 200; // descriptors for everything else
    if (limit.rlim_cur < count + others)
        throw failure("this process may open only " + std::to_string(limit.rlim_cur) +
                      " files: raise the hard limit (ulimit -Hn), or ask for fewer with --idle");
}

void bind_to_loopback(int socket, std::size_t number)
{
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<std::uint32_t>(number));
    int yes = 1; // connect() chooses the port, when both addresses are known
    setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    if (bind(socket, reinterpret_cast<const sockaddr*>(&source), sizeof source) != 0)
        throw failure("cannot send from 127.0.0." + std::to_string(number + 1));
}

void send_once(stream& link, const std::string& request)
{
    response_reader reader;
    auto progress = response_reader::state::more;
    if (!send_all(link, request))
        throw failure("an idle connection was closed before its first request");
    while (progress == response_reader::state::more)
        progress = feed_from(link, reader);
    if (progress != response_reader::state::done || !reader.keep_alive())
        throw failure("the server does not keep an idle connection");
}

} // namespace

idle_connections::idle_connections(const url& server, std::size_t size) : target_(resolve(server))
{
    raise_limit(size);
    auto where = server;
    where.target = "/healthz";
    auto request = make_request("GET", where);
    while (streams_.size() < size && !interrupted()) {
        auto& link = streams_.emplace_back();
        if (!link.open(target_, stream::mode::blocking))
            throw failure(std::string("no socket: ") + std::strerror(errno));
        timeval timeout{.tv_sec = 10, .tv_usec = 0};
        setsockopt(link.native(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        if (auto source = streams_.size() / max_connections_per_address; source > 0)
            bind_to_loopback(link.native(), source);
        if (link.connect(tls_) != stream::status::done)
            throw failure("connection " + std::to_string(streams_.size()) +
                          " was refused: " + std::strerror(errno));
        send_once(link, request);
    }
}

std::size_t idle_connections::still_open() const
{
    std::size_t open = 0;
    for (auto& link : streams_) {
        char byte = 0;
        auto got = recv(link.native(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        if (got < 0 && errno == EAGAIN)
            ++open;
    }
    return open;
}

} // namespace bench
