#include "handlers/authn/response_floor.hpp"

#include <boost/asio/this_coro.hpp>

namespace handlers {

awaitable<void> response_floor::wait() const
{
    auto intervals = (clock::now() - start_) / interval_ + 1;
    db::steady_timer timer(co_await boost::asio::this_coro::executor, start_ + intervals * interval_);
    co_await timer.async_wait(db::use_awaitable);
}

} // namespace handlers
