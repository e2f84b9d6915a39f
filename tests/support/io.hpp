// Running a coroutine to completion from a test.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace support {

/** Run `body`, a callable without parameters that returns an awaitable, to completion on this thread.
    @return its result
    @throw its exception, or runtime_error if it takes longer than `limit` */
template <class Body>
auto run(boost::asio::io_context& io, Body body, std::chrono::milliseconds limit = std::chrono::seconds(60))
{
    using value = typename std::invoke_result_t<Body&>::value_type;
    constexpr bool returns_nothing = std::is_void_v<value>;
    std::exception_ptr error;
    std::conditional_t<returns_nothing, bool, std::optional<value>> answer{};
    bool done = false;

    auto start = [&body] { return body(); };
    if constexpr (returns_nothing) {
        boost::asio::co_spawn(io.get_executor(), start, [&](std::exception_ptr thrown) {
            error = thrown;
            done = true;
        });
    } else {
        boost::asio::co_spawn(io.get_executor(), start, [&](std::exception_ptr thrown, value returned) {
            error = thrown;
            answer = std::move(returned);
            done = true;
        });
    }

    io.restart();
    auto until = std::chrono::steady_clock::now() + limit;
    while (!done)
        if (io.run_one_until(until) == 0)
            throw std::runtime_error("the coroutine did not end in time");
    if (error)
        std::rethrow_exception(error);
    if constexpr (!returns_nothing)
        return std::move(*answer);
}

} // namespace support
