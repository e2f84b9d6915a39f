// What one core has answered: how often, with what, and how long it took.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace handlers {

/** Written by its core alone and read by anybody: a count is a load and a store, with neither lock nor locked
    instruction. A snapshot may be a few requests apart in itself. */
class request_counts {
public:
    /** Statuses that the server gives; the last place is for any other. */
    static constexpr std::array<unsigned, 24> statuses{200, 201, 202, 204, 302, 304, 400, 401,
                                                       403, 404, 405, 406, 408, 409, 413, 415,
                                                       417, 422, 429, 431, 500, 503, 505, 0};

    /** Upper bounds of the histogram, in microseconds; above the last is one more place. */
    static constexpr std::array<std::uint32_t, 12> bounds{
        50, 100, 250, 500, 1'000, 2'500, 10'000, 50'000, 100'000, 500'000, 1'000'000, 5'000'000};

    /** @param routes how many there are; one more place is for what no route wants */
    explicit request_counts(std::size_t routes)
        : cells_(std::make_unique<cell[]>(routes + 1)), routes_(routes)
    {}

    /** @param route its number; any other number counts for none */
    void note(std::size_t route, unsigned status, std::chrono::nanoseconds took);

    std::uint64_t answered(std::size_t route, std::size_t status) const
    {
        return read(cells_[route].answered[status]);
    }

    /** Of one place of the histogram alone, not of those below. */
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
