#include "handlers/authn/response_floor.hpp"

#include <boost/asio/this_coro.hpp>

namespace handlers {

awaitable<void> beat::next() const
{
    auto beats = (clock::now() - begun_) / length_ + 1;
    db::steady_timer wait(co_await boost::asio::this_coro::executor, begun_ + beats * length_);
    co_await wait.async_wait(db::use_awaitable);
}

} // namespace handlers
