#include "tests/support/child_process.hpp"

#include "tests/support/eventually.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <string_view>

namespace support {

namespace {

std::system_error failure(const char* what)
{
    return {errno, std::generic_category(), what};
}

/// NAME=value: the variables of this process except for LATCHKEY_* and for those in `settings`, then
/// `settings`.
std::vector<std::string> make_environment(const environment& settings)
{
    auto is_replaced = [&](std::string_view line) {
        auto name = line.substr(0, line.find('='));
        return name.starts_with("LATCHKEY_") ||
               std::ranges::any_of(settings, [&](auto& one) { return one.first == name; });
    };
    std::vector<std::string> out;
    for (char** line = environ; *line; ++line)
        if (!is_replaced(*line))
            out.emplace_back(*line);
    for (auto& [name, value] : settings)
        out.push_back(name + "=" + value);
    return out;
}

/// The array of pointers that execve takes.
std::vector<char*> pointers_to(std::vector<std::string>& texts)
{
    std::vector<char*> out;
    for (auto& text : texts)
        out.push_back(text.data());
    out.push_back(nullptr);
    return out;
}

} // namespace

child_process::child_process(std::vector<std::string> command, const environment& settings, int captured)
    : file_(memfd_create("written", MFD_CLOEXEC))
{
    if (file_ < 0)
        throw failure("memfd_create");
    try {
        start(command, settings, captured);
    } catch (...) {
        close_all();
        throw;
    }
}

child_process::~child_process()
{
    kill();
    close_all();
}

void child_process::start(std::vector<std::string>& command, const environment& settings, int captured)
{
    std::array<int, 2> pipe;
    if (pipe2(pipe.data(), O_CLOEXEC) != 0)
        throw failure("pipe2");
    input_ = pipe[1];

    // Prepared before the fork: after it, a process with threads may only make system calls.
    auto lines = make_environment(settings);
    auto variables = pointers_to(lines), arguments = pointers_to(command);

    pid_ = fork();
    if (pid_ == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(pipe[0], STDIN_FILENO);
        dup2(file_, captured);
        execve(arguments[0], arguments.data(), variables.data());
        _exit(127);
    }
    auto outcome = failure("fork"); // before close() changes errno
    close(pipe[0]);
    if (pid_ < 0)
        throw outcome;
}

void child_process::close_all()
{
    for (int descriptor : {file_, input_})
        if (descriptor >= 0)
            close(descriptor);
}

bool child_process::is_running()
{
    if (pid_ < 0 || ended_)
        return false;
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_)
        return true;
    ended_ = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return false;
}

void child_process::send(int signal) const
{
    if (pid_ > 0 && !ended_)
        ::kill(pid_, signal);
}

std::string child_process::state()
{
    if (is_running())
        return "it runs";
    if (!ended_)
        return "it has not begun";
    return *ended_ < 0 ? "signal " + std::to_string(-*ended_) : "exit code " + std::to_string(*ended_);
}

std::optional<int> child_process::wait(std::chrono::milliseconds limit)
{
    if (!eventually(limit, [this] { return !is_running(); }))
        return std::nullopt;
    return ended_;
}

void child_process::kill()
{
    send(SIGKILL);
    wait();
}

std::string child_process::output() const
{
    std::string out;
    std::array<char, 65536> part;
    for (;;) {
        auto size = pread(file_, part.data(), part.size(), static_cast<off_t>(out.size()));
        if (size <= 0)
            return out;
        out.append(part.data(), static_cast<std::size_t>(size));
    }
}

} // namespace support
