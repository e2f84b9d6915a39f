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

/// State shared by the threads and the core.
struct dns_resolver::shared {
    shared(db::executor on, resolve_function how, std::size_t limit)
        : executor(on), resolve(std::move(how)), max_names(limit)
    {}

    const db::executor executor;
    const resolve_function resolve;
    const std::size_t max_names;

    std::mutex mutex;
    /// Under the mutex.
    std::size_t running = 0;
    /// Under the mutex: the executor may be gone.
    bool closed = false;
};

/// One name. Its thread keeps it alive; everything else happens on the core.
struct dns_resolver::lookup {
    /// Cancelled when the lookup is done; null without a waiting caller.
    db::steady_timer* waiter = nullptr;
    bool done = false;
    addresses found;
    std::string error;
};

dns_resolver::addresses dns_resolver::resolve_with_getaddrinfo(const std::string& name)
{
    addrinfo hints{}, *list = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_ADDRCONFIG;
    if (int error = getaddrinfo(name.c_str(), nullptr, &hints, &list))
        throw std::runtime_error(gai_strerror(error));
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owned(list, &freeaddrinfo);
    addresses out;
    for (auto entry = list; entry; entry = entry->ai_next)
        if (entry->ai_family == AF_INET || entry->ai_family == AF_INET6)
            out.push_back(address_of(entry->ai_addr));
    return out;
}

dns_resolver::dns_resolver(db::executor executor, resolve_function resolve, std::size_t max_names)
    : shared_(std::make_shared<shared>(executor, std::move(resolve), max_names))
{}

dns_resolver::~dns_resolver()
{
    const std::lock_guard guard(shared_->mutex);
    shared_->closed = true;
}

std::shared_ptr<dns_resolver::lookup> dns_resolver::start(std::shared_ptr<shared> state, std::string name)
{
    {
        const std::lock_guard guard(state->mutex);
        if (state->running == state->max_names)
            throw std::runtime_error("too many host names are being resolved");
        ++state->running;
    }
    auto job = std::make_shared<lookup>();
    auto work = [state, job, name = std::move(name)] {
        addresses found;
        std::string error;
        try {
            found = state->resolve(name);
        } catch (const std::exception& e) {
            error = e.what();
        }
        auto complete = [job, found = std::move(found), error = std::move(error)]() mutable {
            job->found = std::move(found);
            job->error = std::move(error);
            job->done = true;
            if (job->waiter)
                job->waiter->cancel();
        };
        const std::lock_guard guard(state->mutex);
        --state->running;
        if (!state->closed)
            asio::post(state->executor, std::move(complete));
    };
    try {
        std::thread(std::move(work)).detach();
    } catch (...) {
        const std::lock_guard guard(state->mutex);
        --state->running;
        throw;
    }
    return job;
}

db::awaitable<dns_resolver::addresses> dns_resolver::run(std::shared_ptr<shared> state, std::string name,
                                                         steady_clock::time_point deadline)
{
    boost::system::error_code error;
    auto literal = asio::ip::make_address(name, error);
    if (!error)
        co_return addresses(1, literal);

    auto job = start(state, std::move(name));
    db::steady_timer waiter(state->executor, deadline);
    job->waiter = &waiter;
    auto detach = [](lookup* from) { from->waiter = nullptr; };
    const std::unique_ptr<lookup, decltype(detach)> attached(job.get(), detach);
    co_await waiter.async_wait(asio::redirect_error(db::use_awaitable, error));
    if (!job->done)
        throw std::runtime_error("name resolution timed out");
    if (job->found.empty())
        throw std::runtime_error("name resolution failed: " +
                                 (job->error.empty() ? "no address" : job->error));
    co_return std::move(job->found);
}

db::awaitable<dns_resolver::addresses> dns_resolver::resolve(std::string name,
                                                             steady_clock::time_point deadline)
{
    return run(shared_, std::move(name), deadline);
}

} // namespace handlers
