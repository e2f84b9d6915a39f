#include "tests/support/server.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <fstream>
#include <stdexcept>
#include <thread>

namespace support {

namespace {

constexpr std::chrono::milliseconds between_looks{5};

/** Look until `holds` or the time is up. @return whether it does */
template <class Condition>
bool eventually(std::chrono::milliseconds limit, Condition holds)
{
    auto until = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= until)
            return false;
        std::this_thread::sleep_for(between_looks);
    }
    return true;
}

/** This process's variables without any of ours, then the given ones: NAME=value. */
std::vector<std::string> make_environment(const environment& settings)
{
    std::vector<std::string> out;
    for (char** line = environ; *line; ++line)
        if (!std::string_view(*line).starts_with("LATCHKEY_"))
            out.emplace_back(*line);
    for (auto& [name, value] : settings)
        out.push_back(name + "=" + value);
    return out;
}

void set(environment& settings, const std::pair<std::string, std::string>& one)
{
    std::erase_if(settings, [&](const auto& old) { return old.first == one.first; });
    settings.push_back(one);
}

} // namespace

std::string random_master_key()
{
    std::array<unsigned char, 32> bytes;
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        throw std::runtime_error("no randomness");
    std::array<unsigned char, 45> text; // 44 characters and a NUL
    auto size = EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
    return {text.begin(), text.begin() + size};
}

running_server::running_server(const std::string& database_url, const environment& settings)
    : log_file_(memfd_create("log", MFD_CLOEXEC))
{
    if (log_file_ < 0)
        throw std::system_error(errno, std::generic_category(), "memfd_create");
    environment all{{"LATCHKEY_LISTEN", "127.0.0.1:0"},
                    {"LATCHKEY_DATABASE_URL", database_url},
                    {"LATCHKEY_MASTER_KEY", random_master_key()},
                    {"LATCHKEY_PASSWORD_HASH", "m=64,t=1,p=1"},
                    {"LATCHKEY_RATE_LIMIT_PER_MINUTE", "0"},
                    {"LATCHKEY_THREADS", "4"},
                    {"LATCHKEY_LOG_LEVEL", "debug"}};
    for (auto& one : settings)
        set(all, one);
    master_key_ = std::ranges::find(all, "LATCHKEY_MASTER_KEY", [](auto& one) { return one.first; })->second;
    try {
        start(all);
        await_listening();
    } catch (...) {
        kill();
        close(log_file_);
        throw;
    }
}

running_server::~running_server()
{
    kill();
    close(log_file_);
}

void running_server::start(const environment& settings)
{
    // All is made ready before the fork: after it a process with threads may only make system calls.
    auto lines = make_environment(settings);
    std::vector<char*> variables;
    for (auto& line : lines)
        variables.push_back(line.data());
    variables.push_back(nullptr);
    std::string program = LATCHKEY_PROGRAM, command = "serve";
    std::array<char*, 3> arguments{program.data(), command.data(), nullptr};

    pid_ = fork();
    if (pid_ < 0)
        throw std::system_error(errno, std::generic_category(), "fork");
    if (pid_ > 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(log_file_, STDERR_FILENO);
    execve(program.data(), arguments.data(), variables.data());
    _exit(127);
}

void running_server::await_listening()
{
    constexpr std::string_view before = R"("event":"listening","address":"127.0.0.1:)";
    std::string text;
    auto found = std::string::npos;
    eventually(std::chrono::seconds(30), [&] {
        bool lives = is_running();
        text = log();
        found = text.find(before);
        return found != std::string::npos || !lives;
    });
    if (found == std::string::npos)
        throw std::runtime_error("the server does not listen: " + text);
    auto digits = text.data() + found + before.size();
    std::from_chars(digits, text.data() + text.size(), port_);
}

bool running_server::is_running()
{
    if (pid_ < 0 || ended_)
        return false;
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_)
        return true;
    ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return false;
}

std::size_t running_server::resident_bytes() const
{
    std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
    std::size_t total = 0, resident = 0;
    if (!(statm >> total >> resident))
        throw std::runtime_error("the server's memory cannot be read");
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

void running_server::send(int signal) const
{
    if (pid_ > 0 && !ended_)
        ::kill(pid_, signal);
}

int running_server::stop(std::chrono::milliseconds limit)
{
    send(SIGTERM);
    auto code = wait(limit);
    if (!code)
        throw std::runtime_error("the server does not stop");
    return *code;
}

std::optional<int> running_server::wait(std::chrono::milliseconds limit)
{
    if (!eventually(limit, [this] { return !is_running(); }))
        return std::nullopt;
    return ended_;
}

void running_server::kill()
{
    send(SIGKILL);
    wait(std::chrono::seconds(10));
}

std::string running_server::log() const
{
    std::string out;
    std::array<char, 65536> part;
    for (;;) {
        auto size = pread(log_file_, part.data(), part.size(), static_cast<off_t>(out.size()));
        if (size <= 0)
            return out;
        out.append(part.data(), static_cast<std::size_t>(size));
    }
}

bool running_server::logs(std::string_view text, std::chrono::milliseconds limit) const
{
    return eventually(limit, [&] { return log().find(text) != std::string::npos; });
}

} // namespace support
