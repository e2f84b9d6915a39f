// The measurements and reports of the reactor trap.
#include "tests/reactor_trap/watch.hpp"

#include "tests/reactor_trap/turns.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <execinfo.h>

namespace reactor_trap {

namespace {

/// A lock held longer by another thread counts as blocking. Generous: the holder may lose its processor, for
/// hundreds of milliseconds on a busy machine. A lock held over a write to a stalled pipe exceeds any limit.
constexpr std::int64_t longest_lock_wait_us = 1'000'000;

constexpr int most_reports = 20;

/// One reactor.
struct reactor {
    turns* turns;
    // Since the last epoll_wait().
    std::int64_t began_us = 0, began_cpu_us = 0;
    long began_switches = 0;
};

std::atomic<std::size_t> reactor_count{0};
std::atomic<int> reports{0};

thread_local reactor own{};

/// Of this thread; null if it is no reactor.
[[gnu::tls_model("initial-exec")]] thread_local reactor* self = nullptr; // no other access allocates

long voluntary_switches()
{
    rusage usage{};
    getrusage(RUSAGE_THREAD, &usage);
    return usage.ru_nvcsw;
}

int report_file()
{
    static const int file = [] {
        auto path = std::getenv("REACTOR_TRAP_REPORT");
        return path ? static_cast<int>(syscall(SYS_openat, AT_FDCWD, path,
                                               O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600))
                    : -1;
    }();
    return file;
}

void append(const char* text, std::size_t size)
{
    syscall(SYS_write, report_file(), text, size);
}

/// Report a call of this thread.
void report(const char* function, const char* detail)
{
    if (reports.fetch_add(1) >= most_reports)
        return;
    auto reported = self;
    self = nullptr; // what follows may call the functions below
    std::array<char, 512> line;
    auto size = std::snprintf(line.data(), line.size(), "blocking %s %s %s\n", reported->turns->name.data(),
                              function, detail ? detail : "");
    append(line.data(), std::min(static_cast<std::size_t>(size), line.size() - 1));
    std::array<void*, 40> frames;
    auto depth = backtrace(frames.data(), static_cast<int>(frames.size()));
    backtrace_symbols_fd(frames.data() + 2, std::max(depth - 2, 0), report_file());
    self = reported;
}

/// The measurements of all reactors, in a file that survives SIGKILL.
turns* measurements()
{
    static const auto all = [] {
        constexpr auto size = sizeof(turns) * most_reactors;
        auto report = std::getenv("REACTOR_TRAP_REPORT");
        std::array<char, 512> path{};
        std::snprintf(path.data(), path.size(), "%s.turns", report ? report : "/dev/null");
        auto file =
            static_cast<int>(syscall(SYS_openat, AT_FDCWD, path.data(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        void* memory = MAP_FAILED;
        if (file >= 0 && ftruncate(file, size) == 0)
            memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (memory == MAP_FAILED)
            memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        close(file);
        return static_cast<turns*>(memory);
    }();
    return all;
}

} // namespace

bool is_reactor()
{
    return self != nullptr;
}

void check(const char* function, const char* detail)
{
    if (self)
        report(function, detail);
}

void count_lock_wait(const char* function, std::int64_t time_us)
{
    self->turns->longest_lock_wait_us = std::max(self->turns->longest_lock_wait_us, time_us);
    if (time_us > longest_lock_wait_us)
        report(function, "for a long time");
}

void check_transfer(const char* function, int descriptor, int flags)
{
    if (!self)
        return;
    struct stat what{};
    auto saved = errno;
    if (fstat(descriptor, &what) == 0) {
        if (S_ISREG(what.st_mode))
            report(function, "a regular file");
        else if ((S_ISFIFO(what.st_mode) || S_ISSOCK(what.st_mode)) && (flags & MSG_DONTWAIT) == 0 &&
                 (fcntl(descriptor, F_GETFL) & O_NONBLOCK) == 0)
            report(function, S_ISSOCK(what.st_mode) ? "a blocking socket" : "a blocking pipe");
    }
    errno = saved;
}

void begin_turn()
{
    if (!self)
        return;
    self->began_us = now_us(CLOCK_MONOTONIC);
    self->began_cpu_us = now_us(CLOCK_THREAD_CPUTIME_ID);
    self->began_switches = voluntary_switches();
}

void count_allocation()
{
    if (self)
        ++self->turns->allocations;
}

void end_turn()
{
    if (!self || self->began_us == 0)
        return;
    auto time = now_us(CLOCK_MONOTONIC) - self->began_us;
    auto& all = *self->turns;
    ++all.count;
    if (time > all.longest_us) {
        all.longest_us = time;
        all.longest_cpu_us = now_us(CLOCK_THREAD_CPUTIME_ID) - self->began_cpu_us;
    }
    if (voluntary_switches() != self->began_switches) {
        ++all.blocked;
        all.longest_blocked_us = std::max(all.longest_blocked_us, time);
    }
}

void become_reactor(const char* name)
{
    auto number = reactor_count.fetch_add(1);
    if (number >= most_reactors)
        return;
    if (report_file() < 0) { // the test could not fail
        std::fputs("reactor trap: REACTOR_TRAP_REPORT names no file that can be written\n", stderr);
        std::abort();
    }
    own.turns = measurements() + number;
    std::strncpy(own.turns->name.data(), name, own.turns->name.size() - 1);
    self = &own;
}

} // namespace reactor_trap
