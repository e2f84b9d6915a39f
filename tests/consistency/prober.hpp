// The checkers: requests that ask nodes whether credentials are valid, at some ten thousand per second.
#pragma once

#include "tests/consistency/history.hpp"
#include "tests/consistency/nodes.hpp"
#include "tests/consistency/workload.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace consistency {

/// One connection to one node, with one check in flight at most. Plain sockets: a check costs three system
/// calls.
class probe {
public:
    /// @param port of the node now: it may have been started again
    probe(std::function<std::uint16_t()> port, std::size_t node) : find_port_(std::move(port)), node_(node) {}
    probe(const nodes& all, std::size_t node) : probe([&all, node] { return all.port(node); }, node) {}
    ~probe() { disconnect(); }
    probe(const probe&) = delete;
    probe& operator=(const probe&) = delete;

    bool is_busy() const { return request_.message != nullptr; }

    /// The descriptor to poll for input while busy.
    int socket() const { return socket_; }

    /// Connect if necessary, and send. A check that cannot be sent ends with the next finish().
    void send(check_request request);

    /// Read what has arrived. @return whether the check has ended, which finish() then returns
    bool receive();

    /// Whether the response is late.
    bool is_late(time_point now) const { return now - check_.begin > timeout; }

    /// End the check: with the response, or without one, which closes the connection.
    check finish();

    static constexpr std::chrono::milliseconds timeout{800};

private:
    void connect();
    void disconnect();
    bool parse();

    std::function<std::uint16_t()> find_port_;
    std::size_t node_;
    int socket_ = -1;
    std::uint16_t port_ = 0;
    std::string input_;
    check_request request_;
    check check_;
    bool is_answered_ = false;
};

/// Checks random grants at all nodes, on a thread of its own.
class prober {
public:
    /// @param rate checks per second, at most; 0: as many as the nodes answer
    prober(const nodes& all, const workload& load, recorder& into, std::uint64_t seed, std::size_t rate);
    ~prober();
    prober(const prober&) = delete;
    prober& operator=(const prober&) = delete;

private:
    void work(std::uint64_t seed, std::size_t rate);

    const nodes& all_;
    const workload& workload_;
    recorder& into_;
    std::atomic<bool> done_{false};
    std::thread thread_;
};

/// One check, now. Not for probers.
check ask(const nodes& all, const check_request& request, std::size_t node);

} // namespace consistency
