// A remote document cached with a TTL; concurrent callers share one fetch (single flight).
#pragma once

#include "db/postgres/async.hpp"
#include "db/postgres/spawn.hpp"

#include <boost/asio/redirect_error.hpp>

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

namespace handlers {

/** One document, for one core. Callers that need it during a fetch wait for that fetch, which continues when
    its callers are cancelled. A failure is rethrown to every caller within `negative_ttl`, so that a failing
    server is not flooded. Copies are handles to the same document. Destroy it before its io_context. */
template <class T>
class cached_document {
public:
    using pointer = std::shared_ptr<const T>;
    using clock = std::chrono::steady_clock;

    struct fetched {
        pointer value;
        clock::duration ttl;
    };

    /// May throw. Must not capture the cached_document itself.
    using fetcher = std::function<db::awaitable<fetched>()>;

    cached_document(db::executor executor, fetcher fetch, clock::duration negative_ttl)
        : shared_(std::make_shared<shared>(executor, std::move(fetch), negative_ttl))
    {}

    /// The document, from the cache while it is fresh. @throw the exception of the fetch
    db::awaitable<pointer> get() { return load(shared_, false); }

    /// Fetches the document, or joins the fetch in flight. If that fails, the cached document stays.
    /// @throw the exception of the fetch
    db::awaitable<pointer> renew() { return load(shared_, true); }

    bool is_fetching() const { return shared_->in_flight; }

private:
    struct shared {
        shared(db::executor on, fetcher how, clock::duration ttl)
            : executor(on), fetch(std::move(how)), negative_ttl(ttl), done(on, clock::time_point::max())
        {}

        const db::executor executor;
        const fetcher fetch;
        const clock::duration negative_ttl;
        /// A condition variable: never expires, and is cancelled when a fetch ends.
        db::steady_timer done;
        bool in_flight = false;
        pointer value;
        clock::time_point fresh_until;
        /// Of the last fetch.
        std::exception_ptr error;
        clock::time_point failed_at;
    };

    static db::awaitable<void> fetch(std::shared_ptr<shared> state)
    {
        try {
            auto result = co_await state->fetch();
            state->value = std::move(result.value);
            state->fresh_until = clock::now() + result.ttl;
            state->error = nullptr;
        } catch (...) {
            state->error = std::current_exception();
            state->failed_at = clock::now();
        }
        state->in_flight = false;
        state->done.cancel();
    }

    static db::awaitable<pointer> load(std::shared_ptr<shared> state, bool refresh)
    {
        auto now = clock::now();
        if (!refresh && state->value && now < state->fresh_until)
            co_return state->value;
        if (!state->in_flight) {
            if (state->error && now < state->failed_at + state->negative_ttl)
                std::rethrow_exception(state->error);
            state->in_flight = true;
            db::spawn(state->executor, fetch(state));
        }
        boost::system::error_code cancelled;
        if (state->in_flight) // a fetch that fails at once is over by now
            co_await state->done.async_wait(boost::asio::redirect_error(db::use_awaitable, cancelled));
        if (state->error)
            std::rethrow_exception(state->error);
        co_return state->value;
    }

    std::shared_ptr<shared> shared_;
};

} // namespace handlers
