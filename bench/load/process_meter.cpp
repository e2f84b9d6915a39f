#include "bench/load/process_meter.hpp"

#include "bench/load/failure.hpp"

#include <sched.h>
#include <sys/types.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace bench {

namespace {

double seconds(const timespec& t)
{
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

// A process's CPU clock is exact; utime and stime of /proc/PID/stat are ticks of 10 ms.
double cpu_seconds_of(pid_t process)
{
    clockid_t clock{};
    timespec used{};
    if (clock_getcpuclockid(process, &clock) != 0 || clock_gettime(clock, &used) != 0)
        return 0;
    return seconds(used);
}

std::string proc_path(pid_t process, const char* name)
{
    return "/proc/" + std::to_string(process) + "/" + name;
}

/// The inodes of the sockets that listen on a port, from /proc/net/tcp or tcp6.
void find_listening_inodes(const char* table, std::uint16_t port, std::set<std::string>& inodes)
{
    std::ifstream file(table);
    std::string line;
    std::getline(file, line); // the headings
    while (std::getline(file, line)) {
        std::istringstream fields(line);
        std::string slot, local, remote, state, queues, timer, retransmits, user, timeout, inode;
        fields >> slot >> local >> remote >> state >> queues >> timer >> retransmits >> user >> timeout >>
            inode;
        constexpr auto listening = "0A";
        auto colon = local.rfind(':');
        if (state == listening && colon != std::string::npos &&
            std::stoul(local.substr(colon + 1), nullptr, 16) == port)
            inodes.insert("socket:[" + inode + "]");
    }
}

bool holds_any(pid_t process, const std::set<std::string>& sockets)
{
    std::error_code error;
    for (auto& entry : std::filesystem::directory_iterator(proc_path(process, "fd"), error)) {
        auto target = std::filesystem::read_symlink(entry.path(), error);
        if (!error && sockets.contains(target.string()))
            return true;
    }
    return false;
}

} // namespace

std::vector<pid_t> listeners_on(std::uint16_t port)
{
    std::set<std::string> sockets;
    find_listening_inodes("/proc/net/tcp", port, sockets);
    find_listening_inodes("/proc/net/tcp6", port, sockets);
    std::vector<pid_t> out;
    if (sockets.empty())
        return out;
    std::error_code error;
    for (auto& entry : std::filesystem::directory_iterator("/proc", error)) {
        auto name = entry.path().filename().string();
        pid_t process = 0;
        auto [end, error_code] = std::from_chars(name.data(), name.data() + name.size(), process);
        if (error_code == std::errc() && end == name.data() + name.size() && holds_any(process, sockets))
            out.push_back(process);
    }
    return out;
}

process_meter process_meter::with_children(pid_t parent)
{
    process_meter out({parent});
    out.and_children_ = true;
    return out;
}

std::vector<pid_t> process_meter::all() const
{
    auto out = processes_;
    if (and_children_)
        for (pid_t parent : processes_) {
            auto main_thread = "task/" + std::to_string(parent) + "/children";
            std::ifstream file(proc_path(parent, main_thread.c_str()));
            for (pid_t child = 0; file >> child;)
                out.push_back(child);
        }
    return out;
}

double process_meter::cpu_seconds() const
{
    double sum = 0;
    for (pid_t process : all())
        sum += cpu_seconds_of(process);
    return sum;
}

std::size_t process_meter::resident_bytes() const
{
    std::size_t pages = 0;
    for (pid_t process : all()) {
        std::ifstream file(proc_path(process, "statm"));
        std::size_t size = 0, resident = 0;
        if (file >> size >> resident)
            pages += resident;
    }
    return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

double own_cpu_seconds()
{
    timespec used{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return seconds(used);
}

std::vector<int> parse_cpus(const std::string& list)
{
    std::set<int> out;
    std::istringstream parts(list + (list.ends_with(',') ? "," : "")); // getline() drops an empty last part
    auto number = [&list](std::string_view digits) {
        int out = -1;
        auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), out);
        if (error != std::errc() || end != digits.data() + digits.size() || out < 0 || out >= CPU_SETSIZE)
            throw failure("not a list of processors: " + list);
        return out;
    };
    for (std::string part; std::getline(parts, part, ',');) {
        auto dash = part.find('-');
        int first = number(std::string_view(part).substr(0, dash));
        int last = dash == std::string::npos ? first : number(std::string_view(part).substr(dash + 1));
        if (last < first)
            throw failure("not a list of processors: " + list);
        for (int cpu = first; cpu <= last; ++cpu)
            out.insert(cpu);
    }
    return {out.begin(), out.end()};
}

std::string cpu_list(const std::vector<int>& cpus)
{
    std::string out;
    for (int cpu : cpus)
        out += (out.empty() ? "" : ",") + std::to_string(cpu);
    return out;
}

std::vector<int> allowed_cpus()
{
    cpu_set_t set;
    CPU_ZERO(&set);
    sched_getaffinity(0, sizeof set, &set);
    std::vector<int> out;
    for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu)
        if (CPU_ISSET(static_cast<std::size_t>(cpu), &set))
            out.push_back(cpu);
    return out;
}

void pin_to_cpus(const std::string& list)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int cpu : parse_cpus(list))
        CPU_SET(static_cast<std::size_t>(cpu), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        throw failure("this machine has no processors " + list);
}

} // namespace bench
