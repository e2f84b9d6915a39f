#include "tests/consistency/prober.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <random>
#include <utility>
#include <vector>

namespace consistency {

using namespace std::chrono_literals;

namespace {

constexpr std::size_t connections_per_node = 8;

/// How often a prober hands its checks over.
constexpr auto flush_every = 1s;

/// A node that answers nothing is asked less often.
constexpr auto pause_after_failure = 5ms;

/// The value of a header; 0 if it is absent or not a number.
std::size_t number_in(std::string_view head, std::string_view name)
{
    std::size_t out = 0;
    if (auto at = head.find(name); at != head.npos)
        std::from_chars(head.data() + at + name.size(), head.data() + head.size(), out);
    return out;
}

} // namespace

void probe::connect()
{
    port_ = find_port_();
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port_);
    int on = 1;
    setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address); // at once, or never
}

void probe::disconnect()
{
    if (socket_ >= 0)
        ::close(std::exchange(socket_, -1));
    input_.clear();
}

void probe::send(check_request request)
{
    request_ = std::move(request);
    is_answered_ = false;
    check_ = {};
    check_.grant = static_cast<std::uint32_t>(request_.grant);
    check_.node = static_cast<std::uint16_t>(node_);
    check_.begin = clock::now();
    if (socket_ >= 0 && port_ != find_port_())
        disconnect(); // the node was started again
    if (socket_ < 0)
        connect();
    auto& text = *request_.message;
    if (::send(socket_, text.data(), text.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(text.size()))
        disconnect();
}

bool probe::receive()
{
    if (socket_ < 0)
        return true;
    std::array<char, 4096> part;
    auto size = recv(socket_, part.data(), part.size(), 0);
    if (size <= 0) {
        if (size < 0 && (errno == EAGAIN || errno == EINTR))
            return false;
        disconnect();
        return true;
    }
    input_.append(part.data(), static_cast<std::size_t>(size));
    return parse();
}

/// @return whether the response is complete
bool probe::parse()
{
    constexpr std::size_t status_at = 9; // after "HTTP/1.1 "
    auto end = input_.find("\r\n\r\n");
    if (end == input_.npos)
        return false;
    auto head = std::string_view(input_).substr(0, end);
    auto size = end + 4 + number_in(head, "Content-Length: ");
    if (input_.size() < size)
        return false;
    is_answered_ = true;
    check_.status = static_cast<std::uint16_t>(number_in(head.substr(0, status_at + 3), "HTTP/1.1 "));
    auto body = std::string_view(input_).substr(end + 4);
    bool passes = request_.passed.empty() ? check_.status == 200 : body.find(request_.passed) != body.npos;
    if (passes)
        check_.outcome = outcome::accepted;
    else if (check_.status == 401 || check_.status == 403)
        check_.outcome = outcome::rejected;
    if (head.find("Connection: close") != head.npos)
        disconnect();
    input_.clear();
    return true;
}

check probe::finish()
{
    if (!is_answered_)
        disconnect();
    request_ = {};
    check_.end = clock::now();
    return check_;
}

prober::prober(const nodes& all, const workload& load, recorder& into, std::uint64_t seed, std::size_t rate)
    : all_(all), workload_(load), into_(into), thread_([this, seed, rate] { work(seed, rate); })
{}

prober::~prober()
{
    done_ = true;
    thread_.join();
}

void prober::work(std::uint64_t seed, std::size_t rate)
{
    std::mt19937_64 random(seed);
    std::vector<std::unique_ptr<probe>> probes;
    std::vector<time_point> not_before(connections_per_node * all_.size());
    for (std::size_t i = 0; i < not_before.size(); ++i)
        probes.push_back(std::make_unique<probe>(all_, i % all_.size()));
    std::vector<pollfd> waits;
    std::vector<std::size_t> waiting;
    std::vector<check> seen;
    auto interval = rate == 0 ? clock::duration(0) : clock::duration(1s) / static_cast<std::int64_t>(rate);
    auto due = clock::now(), flushed = due;
    std::uniform_int_distribution<std::size_t> any(0, probes.size() - 1);

    while (!done_) {
        auto now = clock::now();
        due = std::max(due, now - 50ms); // what could not be sent in time is left out
        auto first = any(random);
        for (std::size_t i = 0; i < probes.size() && due <= now; ++i) {
            auto which = (first + i) % probes.size();
            if (probes[which]->is_busy() || not_before[which] > now)
                continue;
            probes[which]->send(workload_.pick(random));
            due += interval;
        }
        waits.clear();
        waiting.clear();
        for (std::size_t i = 0; i < probes.size(); ++i)
            if (probes[i]->is_busy()) {
                waits.push_back({probes[i]->socket(), POLLIN, 0});
                waiting.push_back(i);
            }
        poll(waits.data(), waits.size(), 1);
        now = clock::now();
        for (std::size_t i = 0; i < waiting.size(); ++i) {
            auto& one = *probes[waiting[i]];
            if (!(waits[i].revents != 0 || one.socket() < 0) || !one.receive())
                if (!one.is_late(now))
                    continue;
            seen.push_back(one.finish());
            if (seen.back().outcome == outcome::unknown)
                not_before[waiting[i]] = now + pause_after_failure;
        }
        if (now - flushed > flush_every) {
            into_.add(std::exchange(seen, {}));
            flushed = now;
        }
    }
    into_.add(std::move(seen));
}

check ask(const nodes& all, const check_request& request, std::size_t node)
{
    probe one(all, node);
    one.send(request);
    for (;;) {
        pollfd wait{one.socket(), POLLIN, 0};
        poll(&wait, 1, 10);
        if (one.receive() || one.is_late(clock::now()))
            return one.finish();
    }
}

} // namespace consistency
