// DNS resolver: host names to addresses without blocking the core.
#pragma once

#include "db/postgres/async.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace handlers {

/** Calls the system's resolver, each name on its own thread. Asio's resolver has one thread for all names,
    joins it when the io_context is destroyed, and waits for a name as long as the system does, which with a
    dead name server is half a minute. Here a call ends at its deadline, and no destructor joins the thread:
    it owns all that it uses, and a late result is dropped.

    For one core. Destroy it before its io_context. */
class dns_resolver {
public:
    using addresses = std::vector<boost::asio::ip::address>;

    /// Blocks. Called on any thread, concurrently. @throw std::exception with the reason of a failure
    using resolve_function = std::function<addresses(const std::string& name)>;

    /// getaddrinfo: /etc/hosts, DNS, and the system's other sources. @throw std::runtime_error its reason
    static addresses resolve_with_getaddrinfo(const std::string& name);

    /// @param max_names names being resolved at once, including those abandoned at their deadline
    dns_resolver(db::executor executor, resolve_function resolve, std::size_t max_names);
    ~dns_resolver();
    dns_resolver(const dns_resolver&) = delete;
    dns_resolver& operator=(const dns_resolver&) = delete;

    /** Resolves a name; an address resolves to itself, without a thread.
        @throw std::runtime_error no such name, deadline passed, or too many names at once */
    db::awaitable<addresses> resolve(std::string name, std::chrono::steady_clock::time_point deadline);

private:
    struct shared;
    struct lookup;
    static std::shared_ptr<lookup> start(std::shared_ptr<shared> state, std::string name);
    static db::awaitable<addresses> run(std::shared_ptr<shared> state, std::string name,
                                        std::chrono::steady_clock::time_point deadline);

    std::shared_ptr<shared> shared_;
};

} // namespace handlers
