#include "handlers/oidc/dns_resolver.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>
#include <exception>
#include <mutex>
#include <netdb.h>
#include <stdexcept>
#include <thread>
#include <utility>

namespace handlers {

namespace asio = boost::asio;
using asio::ip::address;
using std::chrono::steady_clock;

namespace {

address address_of(const sockaddr* from)
{
    if (from->sa_family == AF_INET) {
        sockaddr_in v4;
        std::memcpy(&v4, from, sizeof v4);
        return asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
    }
    sockaddr_in6 v6;
    std::memcpy(&v6, from, sizeof v6);
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return asio::ip::address_v6(bytes, v6.sin6_scope_id);
}

} // namespace

/** What the threads and the core have in common. */
struct name_lookup::shared {
    shared(db::executor place, resolver how, std::size_t limit)
        : where(place), ask(std::move(how)), most(limit)
    {}

    const db::executor where;
    const resolver ask;
    const std::size_t most;

    std::mutex lock;
    std::size_t running = 0; // under lock
    bool closed = false;     // under lock: `where` may be gone
};

/** One name. Its thread keeps it alive; all but that happens on the core. */
struct name_lookup::search {
    db::steady_timer* bell = nullptr; // who waits; null once nobody does
    bool done = false;
    addresses found;
    std::string fault;
};

name_lookup::addresses name_lookup::ask_system(const std::string& name)
{
    addrinfo hints{}, *list = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    if (int error = getaddrinfo(name.c_str(), nullptr, &hints, &list))
        throw std::runtime_error(gai_strerror(error));
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, &freeaddrinfo);
    addresses out;
    for (auto each = list; each; each = each->ai_next)
        if (each->ai_family == AF_INET || each->ai_family == AF_INET6)
            out.push_back(address_of(each->ai_addr));
    return out;
}

name_lookup::name_lookup(db::executor where, resolver ask, std::size_t most)
    : shared_(std::make_shared<shared>(where, std::move(ask), most))
{}

name_lookup::~name_lookup()
{
    const std::lock_guard guard(shared_->lock);
    shared_->closed = true;
}

std::shared_ptr<name_lookup::search> name_lookup::start(std::shared_ptr<shared> all, std::string name)
{
    {
        const std::lock_guard guard(all->lock);
        if (all->running == all->most)
            throw std::runtime_error("too many host names are being looked up");
        ++all->running;
    }
    auto job = std::make_shared<search>();
    auto work = [all, job, name = std::move(name)] {
        addresses found;
        std::string fault;
        try {
            found = all->ask(name);
        } catch (const std::exception& e) {
            fault = e.what();
        }
        auto tell = [job, found = std::move(found), fault = std::move(fault)]() mutable {
            job->found = std::move(found);
            job->fault = std::move(fault);
            job->done = true;
            if (job->bell)
                job->bell->cancel();
        };
        const std::lock_guard guard(all->lock);
        --all->running;
        if (!all->closed)
            asio::post(all->where, std::move(tell));
    };
    try {
        std::thread(std::move(work)).detach();
    } catch (...) {
        const std::lock_guard guard(all->lock);
        --all->running;
        throw;
    }
    return job;
}

db::awaitable<name_lookup::addresses> name_lookup::wait(std::shared_ptr<shared> all, std::string name,
                                                        steady_clock::time_point until)
{
    boost::system::error_code error;
    auto literal = asio::ip::make_address(name, error);
    if (!error)
        co_return addresses(1, literal);

    auto job = start(all, std::move(name));
    db::steady_timer bell(all->where, until);
    job->bell = &bell;
    auto unhook = [](search* from) { from->bell = nullptr; };
    const std::unique_ptr<search, decltype(unhook)> hooked(job.get(), unhook);
    co_await bell.async_wait(asio::redirect_error(db::use_awaitable, error));
    if (!job->done)
        throw std::runtime_error("its name is not resolved in time");
    if (job->found.empty())
        throw std::runtime_error("its name is not resolved: " +
                                 (job->fault.empty() ? "no address" : job->fault));
    co_return std::move(job->found);
}

db::awaitable<name_lookup::addresses> name_lookup::find(std::string name, steady_clock::time_point until)
{
    return wait(shared_, std::move(name), until);
}

} // namespace handlers
