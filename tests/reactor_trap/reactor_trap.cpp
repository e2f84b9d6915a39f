// Reactor trap: a library, preloaded into the server by the tests, that reports blocking calls of its
// reactors.
//
// A thread is a reactor if its name is core-N, node or mail. Each call that could block it is appended with
// its stack to the file that REACTOR_TRAP_REPORT names. At the end the file gets a line for every reactor:
// its longest turn, which is the time from one epoll_wait() to the next, and the turns in which the kernel
// saw it sleep (voluntary context switches). Functions of the C library are replaced, so calls that a library
// makes to the kernel directly are seen by the second measure only.
#include "tests/reactor_trap/turns.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <dlfcn.h>
#include <execinfo.h>
#include <linux/futex.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>

namespace {

/// A lock held longer by another thread counts as blocking. Generous: the holder may lose its processor, for
/// hundreds of milliseconds on a busy machine. A lock held over a write to a stalled pipe exceeds any limit.
constexpr std::int64_t longest_lock_wait_us = 1'000'000;

constexpr int most_reports = 20;

/// One reactor.
struct reactor {
    reactor_trap::turns* turns;
    // Since the last epoll_wait().
    std::int64_t began_us = 0, began_cpu_us = 0;
    long began_switches = 0;
};

std::atomic<std::size_t> reactor_count{0};
std::atomic<int> reports{0};

thread_local reactor own{};

/// Of this thread; null if it is no reactor.
thread_local reactor* self = nullptr;

std::int64_t now_us(clockid_t clock)
{
    timespec time{};
    clock_gettime(clock, &time);
    return time.tv_sec * 1'000'000 + time.tv_nsec / 1000;
}

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

/// Report the call if this thread is a reactor.
void check(const char* function, const char* detail = nullptr)
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

/// Whether input or output of a descriptor may wait: for the disk, for a reader, for a peer.
void check_transfer(const char* function, int descriptor, int flags = 0)
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

/// The measurements of all reactors, in a file that survives SIGKILL.
reactor_trap::turns* measurements()
{
    static const auto all = [] {
        constexpr auto size = sizeof(reactor_trap::turns) * reactor_trap::most_reactors;
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
        return static_cast<reactor_trap::turns*>(memory);
    }();
    return all;
}

void become_reactor(const char* name)
{
    auto number = reactor_count.fetch_add(1);
    if (number >= reactor_trap::most_reactors)
        return;
    own.turns = measurements() + number;
    std::strncpy(own.turns->name.data(), name, own.turns->name.size() - 1);
    self = &own;
}

bool is_zero(const timespec* time)
{
    return time && time->tv_sec == 0 && time->tv_nsec == 0;
}

} // namespace

/// The replaced function, of the next library.
#define NEXT(function)                                                                                       \
    static const auto next = reinterpret_cast<decltype(&function)>(dlsym(RTLD_NEXT, #function))

extern "C" {

// ---- reactors

int pthread_setname_np(pthread_t thread, const char* name)
{
    NEXT(pthread_setname_np);
    if (thread == pthread_self() && !self &&
        (std::strncmp(name, "core-", 5) == 0 || std::strcmp(name, "node") == 0 ||
         std::strcmp(name, "mail") == 0))
        become_reactor(name);
    return next(thread, name);
}

int epoll_wait(int epoll, epoll_event* events, int count, int timeout)
{
    NEXT(epoll_wait);
    end_turn();
    auto out = next(epoll, events, count, timeout);
    auto saved = errno;
    begin_turn();
    errno = saved;
    return out;
}

// ---- files

#define OPEN(function)                                                                                       \
    int function(const char* path, int flags, ...)                                                           \
    {                                                                                                        \
        NEXT(function);                                                                                      \
        va_list rest;                                                                                        \
        va_start(rest, flags);                                                                               \
        auto mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : mode_t{};                       \
        va_end(rest);                                                                                        \
        check(#function, path);                                                                              \
        return next(path, flags, mode);                                                                      \
    }
OPEN(open)
OPEN(open64)

#define OPENAT(function)                                                                                     \
    int function(int folder, const char* path, int flags, ...)                                               \
    {                                                                                                        \
        NEXT(function);                                                                                      \
        va_list rest;                                                                                        \
        va_start(rest, flags);                                                                               \
        auto mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(rest, mode_t) : mode_t{};                       \
        va_end(rest);                                                                                        \
        check(#function, path);                                                                              \
        return next(folder, path, flags, mode);                                                              \
    }
OPENAT(openat)
OPENAT(openat64)

FILE* fopen(const char* path, const char* mode)
{
    NEXT(fopen);
    check("fopen", path);
    return next(path, mode);
}

FILE* fopen64(const char* path, const char* mode)
{
    NEXT(fopen64);
    check("fopen64", path);
    return next(path, mode);
}

DIR* opendir(const char* path)
{
    NEXT(opendir);
    check("opendir", path);
    return next(path);
}

int fsync(int descriptor)
{
    NEXT(fsync);
    check("fsync");
    return next(descriptor);
}

int fdatasync(int descriptor)
{
    NEXT(fdatasync);
    check("fdatasync");
    return next(descriptor);
}

ssize_t read(int from, void* to, size_t size)
{
    NEXT(read);
    check_transfer("read", from);
    return next(from, to, size);
}

ssize_t write(int to, const void* from, size_t size)
{
    NEXT(write);
    check_transfer("write", to);
    return next(to, from, size);
}

// ---- sockets

ssize_t recv(int from, void* to, size_t size, int flags)
{
    NEXT(recv);
    check_transfer("recv", from, flags);
    return next(from, to, size, flags);
}

ssize_t send(int to, const void* from, size_t size, int flags)
{
    NEXT(send);
    check_transfer("send", to, flags);
    return next(to, from, size, flags);
}

ssize_t recvmsg(int from, msghdr* message, int flags)
{
    NEXT(recvmsg);
    check_transfer("recvmsg", from, flags);
    return next(from, message, flags);
}

ssize_t sendmsg(int to, const msghdr* message, int flags)
{
    NEXT(sendmsg);
    check_transfer("sendmsg", to, flags);
    return next(to, message, flags);
}

int connect(int socket, const sockaddr* address, socklen_t size)
{
    NEXT(connect);
    check_transfer("connect", socket);
    return next(socket, address, size);
}

int getaddrinfo(const char* name, const char* service, const addrinfo* hints, addrinfo** found)
{
    NEXT(getaddrinfo);
    if (name && !(hints && (hints->ai_flags & AI_NUMERICHOST)))
        check("getaddrinfo", name);
    return next(name, service, hints, found);
}

int getnameinfo(const sockaddr* address, socklen_t size, char* host, socklen_t host_size, char* service,
                socklen_t service_size, int flags)
{
    NEXT(getnameinfo);
    if (host && (flags & NI_NUMERICHOST) == 0)
        check("getnameinfo");
    return next(address, size, host, host_size, service, service_size, flags);
}

// ---- waiting

int poll(pollfd* descriptors, nfds_t count, int timeout)
{
    NEXT(poll);
    if (timeout != 0)
        check("poll");
    return next(descriptors, count, timeout);
}

int ppoll(pollfd* descriptors, nfds_t count, const timespec* timeout, const sigset_t* signals)
{
    NEXT(ppoll);
    if (!is_zero(timeout))
        check("ppoll");
    return next(descriptors, count, timeout, signals);
}

int select(int count, fd_set* readable, fd_set* writable, fd_set* exceptional, timeval* timeout)
{
    NEXT(select);
    if (!timeout || timeout->tv_sec != 0 || timeout->tv_usec != 0)
        check("select");
    return next(count, readable, writable, exceptional, timeout);
}

int nanosleep(const timespec* length, timespec* left)
{
    NEXT(nanosleep);
    check("nanosleep");
    return next(length, left);
}

int clock_nanosleep(clockid_t clock, int flags, const timespec* length, timespec* left)
{
    NEXT(clock_nanosleep);
    check("clock_nanosleep");
    return next(clock, flags, length, left);
}

int usleep(useconds_t length)
{
    NEXT(usleep);
    check("usleep");
    return next(length);
}

pid_t waitpid(pid_t process, int* status, int options)
{
    NEXT(waitpid);
    if ((options & WNOHANG) == 0)
        check("waitpid");
    return next(process, status, options);
}

// ---- threads

int pthread_mutex_lock(pthread_mutex_t* mutex)
{
    NEXT(pthread_mutex_lock);
    if (!self)
        return next(mutex);
    if (auto error = pthread_mutex_trylock(mutex); error != EBUSY)
        return error;
    auto begin = now_us(CLOCK_MONOTONIC);
    auto out = next(mutex);
    count_lock_wait("pthread_mutex_lock", now_us(CLOCK_MONOTONIC) - begin);
    return out;
}

int pthread_cond_wait(pthread_cond_t* condition, pthread_mutex_t* mutex)
{
    NEXT(pthread_cond_wait);
    check("pthread_cond_wait");
    return next(condition, mutex);
}

int pthread_cond_timedwait(pthread_cond_t* condition, pthread_mutex_t* mutex, const timespec* until)
{
    NEXT(pthread_cond_timedwait);
    check("pthread_cond_timedwait");
    return next(condition, mutex, until);
}

int pthread_cond_clockwait(pthread_cond_t* condition, pthread_mutex_t* mutex, clockid_t clock,
                           const timespec* until)
{
    NEXT(pthread_cond_clockwait);
    check("pthread_cond_clockwait");
    return next(condition, mutex, clock, until);
}

int pthread_join(pthread_t thread, void** result)
{
    NEXT(pthread_join);
    check("pthread_join");
    return next(thread, result);
}

int sem_wait(sem_t* semaphore)
{
    NEXT(sem_wait);
    check("sem_wait");
    return next(semaphore);
}

/// std::atomic::wait() calls futex through this.
long syscall(long number, ...)
{
    NEXT(syscall);
    va_list rest;
    va_start(rest, number);
    std::array<long, 6> argument;
    for (auto& each : argument)
        each = va_arg(rest, long);
    va_end(rest);
    if (number == SYS_futex) {
        auto operation = argument[1] & FUTEX_CMD_MASK;
        if (self && (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET)) {
            // Also called to initialize a static variable that another thread is initializing.
            auto begin = now_us(CLOCK_MONOTONIC);
            auto out =
                next(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
            auto saved = errno;
            count_lock_wait("futex", now_us(CLOCK_MONOTONIC) - begin);
            errno = saved;
            return out;
        }
    }
    return next(number, argument[0], argument[1], argument[2], argument[3], argument[4], argument[5]);
}

} // extern "C"
