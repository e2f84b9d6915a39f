#include "db/postgres/dns_resolver.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>

#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>

#include <algorithm>
#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <netdb.h>
#include <stdexcept>
#include <thread>
#include <utility>

namespace db {

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

/// A suspended caller. Its coroutine alone touches the timer; posted completions may outlive the coroutine.
struct dns_resolver::waiter {
    db::executor executor;
    /// Cancelled when a lookup is done; null once the caller has gone.
    steady_timer* timer = nullptr;
};

/// One name being resolved. Under the mutex, but for the constants.
struct dns_resolver::lookup {
    const std::string name;
    const steady_clock::time_point started = steady_clock::now();
    bool is_done = false;
    answer result;
    std::vector<std::shared_ptr<waiter>> waiters;
};

/// State shared by the callers and the threads, which keep it alive.
struct dns_resolver::shared {
    const config settings;
    std::mutex mutex;
    /// Under the mutex, as the next.
    std::map<std::string, std::shared_ptr<lookup>> running;
    std::map<std::string, addresses> last;
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

dns_resolver::dns_resolver(config settings) : shared_(std::make_shared<shared>(std::move(settings))) {}

/// On a thread of its own. A waiter's executor exists while it is listed.
void dns_resolver::run(const std::shared_ptr<shared>& state, const std::shared_ptr<lookup>& job)
{
    answer result;
    try {
        result.found = state->settings.resolve(job->name);
        if (result.found.empty())
            result.error = "name resolution failed: no address";
    } catch (const std::exception& e) {
        result.error = std::string("name resolution failed: ") + e.what();
    }
    finish(state, job, std::move(result));
}

void dns_resolver::finish(const std::shared_ptr<shared>& state, const std::shared_ptr<lookup>& job,
                          answer result)
{
    const std::lock_guard guard(state->mutex);
    if (!result.found.empty() && state->settings.keeps_last)
        state->last[job->name] = result.found;
    job->result = std::move(result);
    job->is_done = true;
    state->running.erase(job->name);
    for (auto& each : std::exchange(job->waiters, {}))
        asio::post(each->executor, [each] {
            if (each->timer)
                each->timer->cancel();
        });
}

/// Start the lookup of a name or join the running one. @throw std::exception too many names
std::shared_ptr<dns_resolver::lookup> dns_resolver::join(const std::shared_ptr<shared>& state,
                                                         const std::string& name,
                                                         const std::shared_ptr<waiter>& by)
{
    auto job = std::make_shared<lookup>(name);
    {
        const std::lock_guard guard(state->mutex);
        auto known = state->running.find(name);
        if (known != state->running.end()) {
            known->second->waiters.push_back(by);
            return known->second;
        }
        if (state->running.size() >= state->settings.max_names)
            throw std::runtime_error("too many host names are being resolved");
        job->waiters.push_back(by);
        state->running.emplace(name, job);
    }
    // Without the lock: a new thread takes the kernel some time. Others may have joined the lookup by now.
    try {
        std::thread([state, job] { run(state, job); }).detach();
    } catch (const std::exception& e) {
        answer failed;
        failed.error = std::string("name resolution failed: ") + e.what();
        finish(state, job, std::move(failed));
    }
    return job;
}

awaitable<std::vector<dns_resolver::answer>> dns_resolver::wait(std::shared_ptr<shared> state,
                                                                std::vector<std::string> names,
                                                                steady_clock::time_point deadline,
                                                                std::chrono::milliseconds limit)
{
    auto executor = co_await asio::this_coro::executor;
    steady_timer timer(executor);
    auto me = std::make_shared<waiter>(executor, &timer);
    std::vector<answer> answers(names.size());
    std::vector<std::shared_ptr<lookup>> jobs(names.size());

    // However this frame ends, no thread may post to its executor afterwards.
    auto leave = [&state, &jobs, &me](steady_timer*) {
        me->timer = nullptr;
        const std::lock_guard guard(state->mutex);
        for (auto& job : jobs)
            if (job)
                std::erase(job->waiters, me);
    };
    const std::unique_ptr<steady_timer, decltype(leave)> joined(&timer, leave);

    boost::system::error_code error;
    for (std::size_t i = 0; i < names.size(); ++i) {
        auto literal = asio::ip::make_address(names[i], error);
        if (!error) {
            answers[i].found.push_back(literal);
            continue;
        }
        try {
            jobs[i] = join(state, names[i], me);
        } catch (const std::exception& e) {
            answers[i].error = e.what();
        }
    }

    for (;;) {
        auto until = steady_clock::time_point::min();
        {
            const std::lock_guard guard(state->mutex);
            for (auto& job : jobs)
                if (job && !job->is_done)
                    until = std::max(until, std::min(deadline, job->started + limit));
        }
        if (until <= steady_clock::now())
            break;
        timer.expires_at(until);
        co_await timer.async_wait(asio::redirect_error(use_awaitable, error));
    }

    const std::lock_guard guard(state->mutex);
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (jobs[i])
            answers[i] = jobs[i]->is_done ? jobs[i]->result : answer{{}, "name resolution timed out"};
        if (answers[i].found.empty() && state->last.contains(names[i]))
            answers[i] = {state->last[names[i]], {}};
    }
    co_return answers;
}

awaitable<dns_resolver::addresses> dns_resolver::resolve(std::string name,
                                                         steady_clock::time_point deadline) const
{
    constexpr std::chrono::hours no_limit{24};
    std::vector<std::string> names(1, name);
    auto state = shared_;
    auto answers = co_await wait(std::move(state), std::move(names), deadline, no_limit);
    auto& only = answers.front();
    if (only.found.empty())
        throw std::runtime_error(only.error);
    co_return std::move(only.found);
}

awaitable<std::vector<dns_resolver::answer>> dns_resolver::resolve_all(std::vector<std::string> names,
                                                                       std::chrono::milliseconds limit) const
{
    return wait(shared_, std::move(names), steady_clock::time_point::max(), limit);
}

} // namespace db
