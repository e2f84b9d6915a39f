// The executor, awaitable and timer types of db/, and the value types that cross every statement.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/uuid/uuid.hpp>

#include <array>
#include <chrono>
#include <cstdint>

namespace db {

/// Concrete rather than any_io_executor: no virtual call and no allocation per suspension.
using executor = boost::asio::io_context::executor_type;

template <class T>
using awaitable = boost::asio::awaitable<T, executor>;

inline constexpr boost::asio::use_awaitable_t<executor> use_awaitable{};

using steady_timer =
    boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                      boost::asio::wait_traits<std::chrono::steady_clock>, executor>;

using uuid = boost::uuids::uuid;

/// In the resolution of timestamptz.
using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

using digest = std::array<std::uint8_t, 32>;

} // namespace db
