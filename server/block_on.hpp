// Runs a coroutine from ordinary code: block_on().
#pragma once

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <optional>
#include <utility>

namespace server {

/** Run one coroutine to completion on the calling thread.
    @param io not running; stopped afterwards
    @param work callable that returns an awaitable of a value
    @return the value of the coroutine, or rethrows its exception */
template <class F>
auto block_on(boost::asio::io_context& io, F work)
{
    using value_type = typename decltype(work())::value_type;
    std::optional<value_type> result;
    std::exception_ptr error;
    boost::asio::co_spawn(io, work(), [&](std::exception_ptr e, value_type value) {
        error = e;
        result = std::move(value);
        io.stop();
    });
    io.restart();
    io.run();
    if (error)
        std::rethrow_exception(error);
    return std::move(*result);
}

} // namespace server
