// Documents of other servers, fetched when needed and kept for a while.
#pragma once

#include "db/postgres/async.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace handlers {

/** One document, for one core. Whoever needs it while it is being fetched waits for that same fetch, which
   goes on when its callers leave. A failure is told to all who ask within `failure_memory`, so that a dead
   server is not hammered. A copy is a second handle to the same document. To be destroyed before its
   io_context. */
template <class T>
class kept_document {
public:
    using pointer = std::shared_ptr<const T>;
    using clock = std::chrono::steady_clock;

    struct fetched {
        pointer value;
        clock::duration good_for;
    };

    /** May throw. What it captures must not hold the kept_document itself. */
    using fetcher = std::function<db::awaitable<fetched>()>;

    kept_document(db::executor where, fetcher fetch, clock::duration failure_memory)
        : shared_(std::make_shared<shared>(where, std::move(fetch), failure_memory))
    {}

    /** The document, from memory if that is good. @throw what the fetch threw */
    db::awaitable<pointer> get() { return obtain(shared_, false); }

    /** Fetch it now, or wait for the fetch under way. The document in memory stays if that fails.
        @throw what the fetch threw */
    db::awaitable<pointer> renew() { return obtain(shared_, true); }

    bool is_being_fetched() const { return shared_->in_flight; }

private:
    struct shared {
        shared(db::executor place, fetcher how, clock::duration memory)
            : where(place), fetch(std::move(how)), failure_memory(memory),
              landed(place, clock::time_point::max())
        {}

        const db::executor where;
        const fetcher fetch;
        const clock::duration failure_memory;
        db::steady_timer landed; // never expires: cancelled when a fetch has ended
        bool in_flight = false;
        pointer value;
        clock::time_point good_until;
        std::exception_ptr fault; // of the last fetch
        clock::time_point failed_at;
    };

    static db::awaitable<void> fly(std::shared_ptr<shared> all)
    {
        try {
            auto got = co_await all->fetch();
            all->value = std::move(got.value);
            all->good_until = clock::now() + got.good_for;
            all->fault = nullptr;
        } catch (...) {
            all->fault = std::current_exception();
            all->failed_at = clock::now();
        }
        all->in_flight = false;
        all->landed.cancel();
    }

    static db::awaitable<pointer> obtain(std::shared_ptr<shared> all, bool anew)
    {
        auto now = clock::now();
        if (!anew && all->value && now < all->good_until)
            co_return all->value;
        if (!all->in_flight) {
            if (all->fault && now < all->failed_at + all->failure_memory)
                std::rethrow_exception(all->fault);
            all->in_flight = true;
            boost::asio::co_spawn(all->where, fly(all), boost::asio::detached);
        }
        boost::system::error_code cancelled;
        if (all->in_flight) // a fetch that fails at once has landed already
            co_await all->landed.async_wait(boost::asio::redirect_error(db::use_awaitable, cancelled));
        if (all->fault)
            std::rethrow_exception(all->fault);
        co_return all->value;
    }

    std::shared_ptr<shared> shared_;
};

} // namespace handlers
