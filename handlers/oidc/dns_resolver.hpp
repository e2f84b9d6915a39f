// Host names into addresses, without making a reactor wait for it.
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

/** Asks the system's resolver, each name on a thread of its own. Asio's resolver has one thread for all
   names, joins it when the io_context is destroyed, and does not give up a name before the system does, which
   with a dead name server takes half a minute. Here a caller is let go when its time is up, and nobody ever
   waits for the thread: it owns all that it touches, and what it finds too late is dropped.

    For one core. To be destroyed before its io_context. */
class name_lookup {
public:
    using addresses = std::vector<boost::asio::ip::address>;

    /** Blocks. Called on any thread, by several at once. @throw what keeps it from answering */
    using resolver = std::function<addresses(const std::string& name)>;

    /** getaddrinfo: /etc/hosts, DNS, whatever the system has. @throw std::runtime_error its reason */
    static addresses ask_system(const std::string& name);

    /** @param most names under way at once, those that nobody waits for any more included */
    name_lookup(db::executor where, resolver ask, std::size_t most);
    ~name_lookup();
    name_lookup(const name_lookup&) = delete;
    name_lookup& operator=(const name_lookup&) = delete;

    /** An address stands for itself, at no cost.
        @throw std::runtime_error no such name, no answer until then, or too many under way */
    db::awaitable<addresses> find(std::string name, std::chrono::steady_clock::time_point until);

private:
    struct shared;
    struct search;
    static std::shared_ptr<search> start(std::shared_ptr<shared> all, std::string name);
    static db::awaitable<addresses> wait(std::shared_ptr<shared> all, std::string name,
                                         std::chrono::steady_clock::time_point until);

    std::shared_ptr<shared> shared_;
};

} // namespace handlers
