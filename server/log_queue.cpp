#include "server/log_queue.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace server {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

thread_local bool is_writer = false;

/// The slot of this thread, free for another one once this has ended.
struct slot_lease {
    log_slot* owned = nullptr;
    ~slot_lease()
    {
        if (owned)
            owned->in_use.store(false, std::memory_order_release);
    }
};
thread_local slot_lease own_slot;

log_slot* acquire_slot()
{
    auto& all = log_queue::instance().slots;
    for (auto each = all.load(std::memory_order_acquire); each; each = each->next) {
        bool expected = false;
        if (each->in_use.compare_exchange_strong(expected, true, std::memory_order_acquire))
            return each;
    }
    auto added = new log_slot;
    added->next = all.load(std::memory_order_relaxed);
    while (!all.compare_exchange_weak(added->next, added, std::memory_order_release))
        ;
    return added;
}

} // namespace

log_queue::log_queue() : wake_up(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

log_queue& log_queue::instance()
{
    static auto& only = *new log_queue;
    return only;
}

void log_queue::wake_writer() const
{
    std::uint64_t one = 1;
    [[maybe_unused]] auto size = ::write(wake_up, &one, sizeof one);
}

bool log_queue::has_lines() const
{
    for (auto each = slots.load(std::memory_order_acquire); each; each = each->next)
        if (!each->ring.empty())
            return true;
    return false;
}

write_result write_some(std::string_view text, std::chrono::milliseconds limit, std::size_t& written)
{
    written = 0;
    pollfd out{STDERR_FILENO, POLLOUT, 0};
    auto ready = ::poll(&out, 1, static_cast<int>(limit.count()));
    if (ready == 0 || (ready < 0 && errno == EINTR))
        return write_result::stalled;
    if ((out.revents & POLLOUT) == 0)
        return write_result::gone;
    auto size = ::write(STDERR_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
    if (size >= 0) {
        written = static_cast<std::size_t>(size);
        return write_result::written;
    }
    return errno == EAGAIN || errno == EINTR ? write_result::stalled : write_result::gone;
}

void become_log_writer()
{
    is_writer = true;
}

void write_log(std::string_view line)
{
    auto& all = log_queue::instance();
    auto mode = all.mode.load(std::memory_order_acquire);
    if (mode == log_mode::queued) {
        if (!own_slot.owned)
            own_slot.owned = acquire_slot();
        own_slot.owned->ring.push(line);
        if (all.asleep.load() && all.asleep.exchange(false))
            all.wake_writer();
        return;
    }
    if (mode == log_mode::closed || write_to_stderr(line, log_flush_limit) < line.size())
        all.lost.fetch_add(1, std::memory_order_relaxed);
}

bool flush_log(std::chrono::milliseconds limit)
{
    auto& all = log_queue::instance();
    if (all.mode.load() != log_mode::queued)
        return true;
    all.wake_writer();
    constexpr int step = 5; // ms
    for (auto left = limit.count(); all.has_lines(); left -= step) {
        if (left <= 0 || is_writer)
            return false;
        ::poll(nullptr, 0, step);
    }
    return true;
}

std::uint64_t dropped_log_lines()
{
    auto& all = log_queue::instance();
    auto sum = all.lost.load(std::memory_order_relaxed);
    for (auto each = all.slots.load(std::memory_order_acquire); each; each = each->next)
        sum += each->ring.dropped();
    return sum;
}

std::size_t write_to_stderr(std::string_view text, std::chrono::milliseconds limit)
{
    auto until = clock::now() + limit;
    std::size_t done = 0;
    while (done < text.size()) {
        auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - clock::now());
        std::size_t written = 0;
        auto result = write_some(text.substr(done), std::max(left, 0ms), written);
        if (result == write_result::gone || (result == write_result::stalled && left <= 0ms))
            break;
        done += written;
    }
    return done;
}

} // namespace server
