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

namespace db {

/** Calls the system's resolver, each name on its own thread; concurrent lookups of one name share it. Asio's
    resolver has one thread for all names, joins it when the io_context is destroyed, and waits for a name as
    long as the system does, which with a dead name server is half a minute. Here a call ends at its deadline,
    and no destructor joins the thread: it owns all that it uses, and a late result serves the next caller or
    is dropped.

    Any thread may use it, at the same time as others. */
class dns_resolver {
public:
    using addresses = std::vector<boost::asio::ip::address>;

    /// Blocks. Called on any thread, concurrently. @throw std::exception with the reason of a failure
    using resolve_function = std::function<addresses(const std::string& name)>;

    /// getaddrinfo: /etc/hosts, DNS, and the system's other sources. @throw std::runtime_error its reason
    static addresses resolve_with_getaddrinfo(const std::string& name);

    struct config {
        resolve_function resolve = &resolve_with_getaddrinfo;

        /// Names being resolved at once, including those abandoned at their deadline.
        std::size_t max_names = 32;

        /// Keep the last addresses of every name and return them while no newer ones can be had. For the few
        /// names of a configuration; nothing else bounds this memory.
        bool keeps_last = false;
    };

    explicit dns_resolver(config settings);

    /** Resolves a name; an address resolves to itself, without a thread.
        @throw std::runtime_error no such name, deadline passed, or too many names at once */
    awaitable<addresses> resolve(std::string name, std::chrono::steady_clock::time_point deadline) const;

    struct answer {
        addresses found;
        /// Why there are no addresses.
        std::string error;
    };

    /** Resolves several names at the same time. A lookup that has already taken longer than the limit, for
        this or another caller, is not waited for.
        @return in the order of the names */
    awaitable<std::vector<answer>> resolve_all(std::vector<std::string> names,
                                               std::chrono::milliseconds limit) const;

private:
    struct shared;
    struct lookup;
    struct waiter;
    static std::shared_ptr<lookup> join(const std::shared_ptr<shared>& state, const std::string& name,
                                        const std::shared_ptr<waiter>& by);
    static void run(const std::shared_ptr<shared>& state, const std::shared_ptr<lookup>& job);
    static void finish(const std::shared_ptr<shared>& state, const std::shared_ptr<lookup>& job,
                       answer result);
    static awaitable<std::vector<answer>> wait(std::shared_ptr<shared> state, std::vector<std::string> names,
                                               std::chrono::steady_clock::time_point deadline,
                                               std::chrono::milliseconds limit);

    std::shared_ptr<shared> shared_;
};

} // namespace db
