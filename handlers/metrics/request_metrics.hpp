// Request metrics of one core: counts by route and status, and latency histograms.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace handlers {

/** Written by its core alone and read by any thread: an increment is a relaxed load and store, without a lock
    or an atomic read-modify-write. A snapshot may be inconsistent by a few requests. */
class request_metrics {
public:
    /// The statuses that the server sends; the last slot counts all others.
    static constexpr std::array<unsigned, 24> statuses{200, 201, 202, 204, 302, 304, 400, 401,
                                                       403, 404, 405, 406, 408, 409, 413, 415,
                                                       417, 422, 429, 431, 500, 503, 505, 0};

    /// Upper bounds of the histogram in microseconds; one more slot counts what is above.
    static constexpr std::array<std::uint32_t, 12> bounds{
        50, 100, 250, 500, 1'000, 2'500, 10'000, 50'000, 100'000, 500'000, 1'000'000, 5'000'000};

    /// @param routes their number; one more slot counts unmatched requests
    explicit request_metrics(std::size_t routes)
        : cells_(std::make_unique<cell[]>(routes + 1)), routes_(routes)
    {}

    /// @param route its index; any larger number: an unmatched request
    void record(std::size_t route, unsigned status, std::chrono::nanoseconds took);

    std::uint64_t answered(std::size_t route, std::size_t status) const
    {
        return read(cells_[route].answered[status]);
    }

    /// Of one slot of the histogram alone: not cumulative.
    std::uint64_t timed(std::size_t route, std::size_t bound) const
    {
        return read(cells_[route].timed[bound]);
    }
    std::chrono::nanoseconds total_time(std::size_t route) const
    {
        return std::chrono::nanoseconds(static_cast<std::int64_t>(read(cells_[route].nanoseconds)));
    }

private:
    using number = std::atomic<std::uint64_t>;
    struct alignas(64) cell {
        std::array<number, statuses.size()> answered{};
        std::array<number, bounds.size() + 1> timed{};
        number nanoseconds{0};
    };

    static std::uint64_t read(const number& n) { return n.load(std::memory_order_relaxed); }
    static void add(number& n, std::uint64_t more) { n.store(read(n) + more, std::memory_order_relaxed); }

    std::unique_ptr<cell[]> cells_;
    std::size_t routes_;
};

} // namespace handlers
