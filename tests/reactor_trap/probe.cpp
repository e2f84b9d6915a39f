// Probe of the reactor trap: calls one function on a thread with the name of a reactor.
//
// Without an argument it prints the names of all calls. `probe NAME` makes one of them, which the trap has to
// report under this name; `probe allowed` makes calls that cannot wait.
#include <arpa/inet.h>
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

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <dirent.h>
#include <functional>
#include <linux/futex.h>
#include <netdb.h>
#include <pthread.h>
#include <semaphore.h>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using namespace std::chrono_literals;

const char* path = nullptr; // of an existing file
char bytes[1] = {'x'};
iovec part{bytes, 1};

/// A lock of another thread, held longer than the trap tolerates.
constexpr auto long_wait = 1300ms;

int opened()
{
    return open(path, O_RDWR);
}

/// The reading end of a pipe that has a byte to read; the writing end is open.
int pipe_with_byte()
{
    int ends[2];
    if (pipe(ends) != 0 || write(ends[1], bytes, 1) != 1)
        std::abort();
    return ends[0];
}

/// One end of a connected pair of sockets that has a byte to read.
int socket_with_byte()
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0 || send(ends[1], bytes, 1, MSG_DONTWAIT) != 1)
        std::abort();
    return ends[0];
}

/// A listener with a connection to accept.
int listener_with_client(int type = 0)
{
    int listener = socket(AF_INET, SOCK_STREAM | type, 0), client = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto plain = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener, plain, size) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, plain, &size) != 0 || connect(client, plain, size) != 0)
        std::abort();
    return listener;
}

int blocking_listener()
{
    return listener_with_client();
}

void connect_socket(int type = 0)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(9);
    connect(socket(AF_INET, SOCK_STREAM | type, 0), reinterpret_cast<sockaddr*>(&address), sizeof address);
}

timespec past()
{
    return {1, 0};
}

/// Runs `wait` while another thread holds a lock.
template <class Take, class Release, class Wait>
void against(Take take, Release release, Wait wait)
{
    std::atomic<bool> is_taken{false};
    std::thread holder([&] {
        take();
        is_taken = true;
        std::this_thread::sleep_for(long_wait);
        release();
    });
    while (!is_taken)
        sched_yield();
    wait();
    holder.detach();
}

msghdr message()
{
    msghdr out{};
    out.msg_iov = &part;
    out.msg_iovlen = 1;
    return out;
}

pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

/// What a call needs is made by `prepare`, before the thread becomes a reactor.
struct probed {
    const char* name;
    std::function<int()> prepare;
    std::function<void(int)> call;
};

int nothing()
{
    return 0;
}

sem_t* posted()
{
    static sem_t semaphore;
    sem_init(&semaphore, 0, 1);
    return &semaphore;
}

const std::vector<probed> all{
    {"open", nothing, [](int) { open(path, O_RDONLY); }},
    {"open64", nothing, [](int) { open64(path, O_RDONLY); }},
    {"openat", nothing, [](int) { openat(AT_FDCWD, path, O_RDONLY); }},
    {"openat64", nothing, [](int) { openat64(AT_FDCWD, path, O_RDONLY); }},
    {"fopen", nothing, [](int) { fopen(path, "r"); }},
    {"fopen64", nothing, [](int) { fopen64(path, "r"); }},
    {"opendir", nothing, [](int) { opendir("/"); }},
    {"stat", nothing,
     [](int) {
         struct stat out;
         stat(path, &out);
     }},
    {"stat64", nothing,
     [](int) {
         struct stat64 out;
         stat64(path, &out);
     }},
    {"lstat", nothing,
     [](int) {
         struct stat out;
         lstat(path, &out);
     }},
    {"lstat64", nothing,
     [](int) {
         struct stat64 out;
         lstat64(path, &out);
     }},
    {"fstatat", nothing,
     [](int) {
         struct stat out;
         fstatat(AT_FDCWD, path, &out, 0);
     }},
    {"statx", nothing,
     [](int) {
         struct statx out;
         statx(AT_FDCWD, path, 0, STATX_SIZE, &out);
     }},
    {"access", nothing, [](int) { access(path, R_OK); }},
    {"rename", nothing, [](int) { rename("/nowhere/a", "/nowhere/b"); }},
    {"renameat", nothing, [](int) { renameat(AT_FDCWD, "/nowhere/a", AT_FDCWD, "/nowhere/b"); }},
    {"unlink", nothing, [](int) { unlink("/nowhere/a"); }},
    {"unlinkat", nothing, [](int) { unlinkat(AT_FDCWD, "/nowhere/a", 0); }},
    {"rmdir", nothing, [](int) { rmdir("/nowhere/a"); }},
    {"mkdir", nothing, [](int) { mkdir("/nowhere/a", 0700); }},
    {"fsync", opened, [](int file) { fsync(file); }},
    {"fdatasync", opened, [](int file) { fdatasync(file); }},
    {"read", pipe_with_byte, [](int from) { (void)!read(from, bytes, 1); }},
    {"write", opened, [](int to) { (void)!write(to, bytes, 1); }},
    {"readv", socket_with_byte, [](int from) { (void)!readv(from, &part, 1); }},
    {"writev", socket_with_byte, [](int to) { (void)!writev(to, &part, 1); }},
    {"pread", opened, [](int file) { (void)!pread(file, bytes, 1, 0); }},
    {"pread64", opened, [](int file) { (void)!pread64(file, bytes, 1, 0); }},
    {"pwrite", opened, [](int file) { (void)!pwrite(file, bytes, 1, 0); }},
    {"pwrite64", opened, [](int file) { (void)!pwrite64(file, bytes, 1, 0); }},
    {"accept", blocking_listener, [](int from) { accept(from, nullptr, nullptr); }},
    {"accept4", blocking_listener, [](int from) { accept4(from, nullptr, nullptr, 0); }},
    {"recv", socket_with_byte, [](int from) { recv(from, bytes, 1, 0); }},
    {"send", socket_with_byte, [](int to) { send(to, bytes, 1, 0); }},
    {"recvfrom", socket_with_byte, [](int from) { recvfrom(from, bytes, 1, 0, nullptr, nullptr); }},
    {"sendto", socket_with_byte, [](int to) { sendto(to, bytes, 1, 0, nullptr, 0); }},
    {"recvmsg", socket_with_byte,
     [](int from) {
         auto whole = message();
         recvmsg(from, &whole, 0);
     }},
    {"sendmsg", socket_with_byte,
     [](int to) {
         auto whole = message();
         sendmsg(to, &whole, 0);
     }},
    {"connect", nothing, [](int) { connect_socket(); }},
    {"getaddrinfo", nothing,
     [](int) {
         addrinfo* found = nullptr;
         getaddrinfo("localhost", nullptr, nullptr, &found);
     }},
    {"getnameinfo", nothing,
     [](int) {
         sockaddr_in address{};
         address.sin_family = AF_INET;
         address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
         char host[256];
         getnameinfo(reinterpret_cast<sockaddr*>(&address), sizeof address, host, sizeof host, nullptr, 0, 0);
     }},
    {"poll", nothing, [](int) { poll(nullptr, 0, 1); }},
    {"ppoll", nothing,
     [](int) {
         timespec time{0, 1};
         ppoll(nullptr, 0, &time, nullptr);
     }},
    {"select", nothing,
     [](int) {
         timeval time{0, 1};
         select(0, nullptr, nullptr, nullptr, &time);
     }},
    {"nanosleep", nothing,
     [](int) {
         timespec time{0, 1};
         nanosleep(&time, nullptr);
     }},
    {"clock_nanosleep", nothing,
     [](int) {
         timespec time{0, 1};
         clock_nanosleep(CLOCK_MONOTONIC, 0, &time, nullptr);
     }},
    {"usleep", nothing, [](int) { usleep(1); }},
    {"waitpid", nothing, [](int) { waitpid(-1, nullptr, 0); }},
    {"pthread_mutex_lock", nothing,
     [](int) {
         against([] { pthread_mutex_lock(&mutex); }, [] { pthread_mutex_unlock(&mutex); },
                 [] { pthread_mutex_lock(&mutex); });
     }},
    {"pthread_rwlock_rdlock", nothing,
     [](int) {
         against([] { pthread_rwlock_wrlock(&rwlock); }, [] { pthread_rwlock_unlock(&rwlock); },
                 [] { pthread_rwlock_rdlock(&rwlock); });
     }},
    {"pthread_rwlock_wrlock", nothing,
     [](int) {
         against([] { pthread_rwlock_wrlock(&rwlock); }, [] { pthread_rwlock_unlock(&rwlock); },
                 [] { pthread_rwlock_wrlock(&rwlock); });
     }},
    {"pthread_cond_wait", nothing,
     [](int) {
         std::thread([] {
             for (;;) {
                 pthread_cond_signal(&condition);
                 std::this_thread::sleep_for(1ms);
             }
         }).detach();
         pthread_mutex_lock(&mutex);
         pthread_cond_wait(&condition, &mutex);
     }},
    {"pthread_cond_timedwait", nothing,
     [](int) {
         auto time = past();
         pthread_mutex_lock(&mutex);
         pthread_cond_timedwait(&condition, &mutex, &time);
     }},
    {"pthread_cond_clockwait", nothing,
     [](int) {
         auto time = past();
         pthread_mutex_lock(&mutex);
         pthread_cond_clockwait(&condition, &mutex, CLOCK_MONOTONIC, &time);
     }},
    {"pthread_join", nothing, [](int) { std::thread([] {}).join(); }},
    {"sem_wait", nothing, [](int) { sem_wait(posted()); }},
    {"sem_timedwait", nothing,
     [](int) {
         auto time = past();
         sem_timedwait(posted(), &time);
     }},
    {"sem_clockwait", nothing,
     [](int) {
         auto time = past();
         sem_clockwait(posted(), CLOCK_MONOTONIC, &time);
     }},
    {"futex", nothing,
     [](int) {
         int value = 0;
         timespec time{1, 300'000'000};
         syscall(SYS_futex, &value, FUTEX_WAIT_PRIVATE, 0, &time, nullptr, 0);
     }},
};

/// What reactors do all the time.
void make_allowed_calls(int socket, int listener)
{
    auto whole = message();
    timespec zero{0, 0};
    timeval zero_time{0, 0};
    (void)!read(socket, bytes, 1);
    (void)!readv(socket, &part, 1);
    (void)!write(socket, bytes, 1);
    (void)!writev(socket, &part, 1);
    recv(socket, bytes, 1, 0);
    send(socket, bytes, 1, 0);
    recvfrom(socket, bytes, 1, 0, nullptr, nullptr);
    sendto(socket, bytes, 1, 0, nullptr, 0);
    recvmsg(socket, &whole, 0);
    sendmsg(socket, &whole, 0);
    recv(socket_with_byte(), bytes, 1, MSG_DONTWAIT);
    accept(listener, nullptr, nullptr);
    accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
    connect_socket(SOCK_NONBLOCK);
    poll(nullptr, 0, 0);
    ppoll(nullptr, 0, &zero, nullptr);
    select(0, nullptr, nullptr, nullptr, &zero_time);
    pthread_mutex_lock(&mutex);
    pthread_rwlock_rdlock(&rwlock);
    addrinfo hints{}, *found = nullptr;
    hints.ai_flags = AI_NUMERICHOST;
    getaddrinfo("127.0.0.1", nullptr, &hints, &found);
}

/// On a thread with the name of a reactor that has turns.
template <class Call>
void on_reactor(Call call)
{
    std::thread([&] {
        pthread_setname_np(pthread_self(), "core-0");
        int epoll = epoll_create1(0);
        epoll_event event;
        for (int turn = 0; turn < 3; ++turn)
            epoll_wait(epoll, &event, 1, 0);
        call();
    }).join();
}

} // namespace

int main(int count, char** arguments)
{
    char file[] = "/tmp/reactor-trap-XXXXXX";
    close(mkstemp(file));
    path = file;
    std::string wanted = count > 1 ? arguments[1] : "";
    bool is_known = wanted.empty();
    for (auto& each : all) {
        if (wanted.empty())
            std::puts(each.name);
        if (wanted != each.name)
            continue;
        is_known = true;
        auto descriptor = each.prepare();
        on_reactor([&] { each.call(descriptor); });
    }
    if (wanted == "allowed") {
        is_known = true;
        auto socket = socket_with_byte(), listener = listener_with_client(SOCK_NONBLOCK);
        fcntl(socket, F_SETFL, O_NONBLOCK);
        on_reactor([&] { make_allowed_calls(socket, listener); });
    }
    unlink(file);
    std::fflush(stdout);
    _exit(is_known ? 0 : 1); // some calls leave threads
}
