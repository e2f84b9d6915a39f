// Reactor trap: a library, preloaded into the server by the tests, that reports blocking calls of its
// reactors.
//
// A thread is a reactor if its name is core-N, node or mail. Each call that could block it is appended with
// its stack to the file that REACTOR_TRAP_REPORT names. A file beside it (turns.hpp) has of every reactor its
// longest turn, which is the time from one epoll_wait() to the next, and the turns in which the kernel saw it
// sleep (voluntary context switches). Functions of the C library are replaced, so calls that a library
// makes to the kernel directly are seen by the second measure only. It also counts the blocks of memory that
// each reactor takes from the heap.
#include "tests/reactor_trap/watch.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <dirent.h>
#include <dlfcn.h>
#include <linux/futex.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>

using namespace reactor_trap;

namespace {

bool is_zero(const timespec* time)
{
    return time && time->tv_sec == 0 && time->tv_nsec == 0;
}

/// libpq looks for its password file at every connect, unless it has a password. The one exception.
bool is_password_file(const char* path)
{
    const char* name = std::strrchr(path, '/');
    return name && std::strcmp(name, "/.pgpass") == 0;
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
    if (thread == pthread_self() && !is_reactor() &&
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

#define FOPEN(function)                                                                                      \
    FILE* function(const char* path, const char* mode)                                                       \
    {                                                                                                        \
        NEXT(function);                                                                                      \
        check(#function, path);                                                                              \
        return next(path, mode);                                                                             \
    }
FOPEN(fopen)
FOPEN(fopen64)

DIR* opendir(const char* path)
{
    NEXT(opendir);
    check("opendir", path);
    return next(path);
}

#define OF_PATH(function)                                                                                    \
    int function(const char* path)                                                                           \
    {                                                                                                        \
        NEXT(function);                                                                                      \
        check(#function, path);                                                                              \
        return next(path);                                                                                   \
    }
OF_PATH(unlink)
OF_PATH(rmdir)

#define STAT(function, buffer)                                                                               \
    int function(const char* path, struct buffer* out)                                                       \
    {                                                                                                        \
        NEXT(function);                                                                                      \
        if (!is_password_file(path))                                                                         \
            check(#function, path);                                                                          \
        return next(path, out);                                                                              \
    }
STAT(stat, stat)
STAT(stat64, stat64)
STAT(lstat, stat)
STAT(lstat64, stat64)

int fstatat(int folder, const char* path, struct stat* out, int flags)
{
    NEXT(fstatat);
    check("fstatat", path);
    return next(folder, path, out, flags);
}

int statx(int folder, const char* path, int flags, unsigned mask, struct statx* out)
{
    NEXT(statx);
    check("statx", path);
    return next(folder, path, flags, mask, out);
}

int access(const char* path, int mode)
{
    NEXT(access);
    check("access", path);
    return next(path, mode);
}

int rename(const char* from, const char* to)
{
    NEXT(rename);
    check("rename", from);
    return next(from, to);
}

int renameat(int from_folder, const char* from, int to_folder, const char* to)
{
    NEXT(renameat);
    check("renameat", from);
    return next(from_folder, from, to_folder, to);
}

int unlinkat(int folder, const char* path, int flags)
{
    NEXT(unlinkat);
    check("unlinkat", path);
    return next(folder, path, flags);
}

int mkdir(const char* path, mode_t mode)
{
    NEXT(mkdir);
    check("mkdir", path);
    return next(path, mode);
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

#define VECTOR(function)                                                                                     \
    ssize_t function(int descriptor, const iovec* parts, int count)                                          \
    {                                                                                                        \
        NEXT(function);                                                                                      \
        check_transfer(#function, descriptor);                                                               \
        return next(descriptor, parts, count);                                                               \
    }
VECTOR(readv)
VECTOR(writev)

#define AT_OFFSET(function, pointer, offset_type)                                                            \
    ssize_t function(int descriptor, pointer bytes, size_t size, offset_type at)                             \
    {                                                                                                        \
        NEXT(function);                                                                                      \
        check_transfer(#function, descriptor);                                                               \
        return next(descriptor, bytes, size, at);                                                            \
    }
AT_OFFSET(pread, void*, off_t)
AT_OFFSET(pread64, void*, off64_t)
AT_OFFSET(pwrite, const void*, off_t)
AT_OFFSET(pwrite64, const void*, off64_t)

// ---- sockets

int accept(int socket, sockaddr* address, socklen_t* size)
{
    NEXT(accept);
    check_transfer("accept", socket);
    return next(socket, address, size);
}

int accept4(int socket, sockaddr* address, socklen_t* size, int flags)
{
    NEXT(accept4);
    check_transfer("accept4", socket);
    return next(socket, address, size, flags);
}

ssize_t recvfrom(int from, void* to, size_t size, int flags, sockaddr* address, socklen_t* address_size)
{
    NEXT(recvfrom);
    check_transfer("recvfrom", from, flags);
    return next(from, to, size, flags, address, address_size);
}

ssize_t sendto(int to, const void* from, size_t size, int flags, const sockaddr* address,
               socklen_t address_size)
{
    NEXT(sendto);
    check_transfer("sendto", to, flags);
    return next(to, from, size, flags, address, address_size);
}

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
    if (!is_reactor())
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

#define RWLOCK(function, try_function)                                                                       \
    int function(pthread_rwlock_t* lock)                                                                     \
    {                                                                                                        \
        NEXT(function);                                                                                      \
        if (!is_reactor())                                                                                   \
            return next(lock);                                                                               \
        if (auto error = try_function(lock); error != EBUSY)                                                 \
            return error;                                                                                    \
        auto begin = now_us(CLOCK_MONOTONIC);                                                                \
        auto out = next(lock);                                                                               \
        count_lock_wait(#function, now_us(CLOCK_MONOTONIC) - begin);                                         \
        return out;                                                                                          \
    }
RWLOCK(pthread_rwlock_rdlock, pthread_rwlock_tryrdlock)
RWLOCK(pthread_rwlock_wrlock, pthread_rwlock_trywrlock)

int sem_timedwait(sem_t* semaphore, const timespec* until)
{
    NEXT(sem_timedwait);
    check("sem_timedwait");
    return next(semaphore, until);
}

int sem_clockwait(sem_t* semaphore, clockid_t clock, const timespec* until)
{
    NEXT(sem_clockwait);
    check("sem_clockwait");
    return next(semaphore, clock, until);
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
        if (is_reactor() && (operation == FUTEX_WAIT || operation == FUTEX_WAIT_BITSET)) {
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
