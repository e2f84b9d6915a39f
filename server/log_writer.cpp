#include "server/log_writer.hpp"

#include "server/log.hpp"
#include "server/log_queue.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <pthread.h>
#include <string>

namespace server {

namespace {

using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

/// Lines that arrive within this time are written together; it bounds the wake-ups of the writer.
constexpr std::chrono::milliseconds batch_time{5};
constexpr std::chrono::seconds drop_report_interval{1};

/// The writer's thread.
class drain {
public:
    void run()
    {
        become_log_writer();
        sigset_t no_reader;
        sigemptyset(&no_reader);
        sigaddset(&no_reader, SIGPIPE);
        pthread_sigmask(SIG_BLOCK, &no_reader, nullptr);
        auto& all = log_queue::instance();
        for (;;) {
            bool is_last = all.stopping.load();
            bool wrote = false;
            for (auto each = all.slots.load(std::memory_order_acquire); each; each = each->next)
                wrote = write_lines(each->ring) || wrote;
            report_drops(is_last);
            if (is_last && !all.has_lines())
                return;
            if (wrote) {
                wait(batch_time);
                continue;
            }
            all.asleep.store(true);
            if (!all.has_lines() && !all.stopping.load())
                wait(-1ms);
            all.asleep.store(false);
        }
    }

private:
    /// Until woken; a negative limit is none.
    static void wait(std::chrono::milliseconds limit)
    {
        pollfd woken{log_queue::instance().wake_up, POLLIN, 0};
        ::poll(&woken, 1, static_cast<int>(limit.count()));
        std::uint64_t count = 0;
        [[maybe_unused]] auto size = ::read(log_queue::instance().wake_up, &count, sizeof count);
    }

    /// Write the lines that a ring holds now. @return whether there were any
    bool write_lines(log_ring& ring)
    {
        std::size_t budget = ring.capacity(); // then the other rings have their turn
        bool wrote = false;
        for (;;) {
            auto size = ring.peek(chunk_.data(), chunk_.size());
            if (size == 0)
                return wrote;
            std::string_view text(chunk_.data(), size);
            if (auto end = text.rfind('\n'); end != text.npos)
                text = text.substr(0, end + 1);
            wrote = true;
            std::size_t written = 0;
            auto result = write_some(text, stall_poll, written);
            is_read_ = result == write_result::written;
            switch (result) {
            case write_result::written:
                break;
            case write_result::stalled:
                std::this_thread::sleep_for(1ms); // no busy loop if another process set O_NONBLOCK
                continue;
            case write_result::gone:
                log_queue::instance().lost.fetch_add(
                    static_cast<std::uint64_t>(std::ranges::count(text, '\n')), std::memory_order_relaxed);
                written = text.size();
                break;
            }
            ring.pop(written);
            bool is_line_end = written > 0 && text[written - 1] == '\n';
            budget -= std::min(budget, written);
            if (budget == 0 && is_line_end)
                return wrote;
        }
    }

    void report_drops(bool is_last)
    {
        auto dropped = dropped_log_lines();
        auto now = clock::now();
        if (!is_read_ || dropped == reported_ || (now < next_report_ && !is_last))
            return;
        next_report_ = now + drop_report_interval;
        // Into this thread's own ring: written by the next round, when the reader takes it.
        log_line(log_level::warning, "log lines dropped")
            .add("count", static_cast<std::int64_t>(dropped - reported_));
        reported_ = dropped;
    }

    static constexpr std::chrono::milliseconds stall_poll{1000};

    std::array<char, PIPE_BUF> chunk_;
    /// Whether the last write succeeded.
    bool is_read_ = false;
    std::uint64_t reported_ = 0;
    clock::time_point next_report_{};
};

/// A sanitizer reports fatal signals itself.
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool is_sanitized = true;
#else
constexpr bool is_sanitized = false;
#endif

/// The kernel has reset the action to the default (SA_RESETHAND), which takes place when this returns.
void on_fatal_signal(int signal)
{
    flush_log(log_flush_limit);
    std::raise(signal); // another process may have sent it
}

void on_terminate()
{
    std::string cause = "no exception";
    if (auto error = std::current_exception()) {
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& e) {
            cause = e.what();
        } catch (...) {
            cause = "an exception of an unknown type";
        }
    }
    log_line(log_level::error, "terminated").add("cause", cause);
    flush_log(log_flush_limit);
    std::abort();
}

} // namespace

log_writer::log_writer()
{
    log_queue::instance().stopping.store(false);
    std::promise<void> done;
    done_ = done.get_future();
    thread_ = std::thread([done = std::move(done)]() mutable {
        pthread_setname_np(pthread_self(), "log");
        drain().run();
        done.set_value();
    });
    log_queue::instance().mode.store(log_mode::queued);
}

log_writer::~log_writer()
{
    auto& all = log_queue::instance();
    all.stopping.store(true);
    all.wake_writer();
    bool is_done = done_.wait_for(log_flush_limit) == std::future_status::ready;
    all.mode.store(is_done ? log_mode::direct : log_mode::closed);
    if (is_done)
        thread_.join();
    else
        thread_.detach(); // in poll() or write(), which nothing can end
}

void flush_log_on_crash()
{
    struct sigaction action{};
    action.sa_handler = &on_fatal_signal;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (int signal : {SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV})
        if (!is_sanitized)
            sigaction(signal, &action, nullptr);
    std::set_terminate(&on_terminate);
}

} // namespace server
