#include "bench/scenarios/server_process.hpp"

#include "bench/load/failure.hpp"
#include "bench/load/interrupt.hpp"
#include "bench/scenarios/shell.hpp"
#include "crypto/random.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <thread>

namespace bench {

using namespace std::chrono_literals;

namespace {

const std::string postgres_script = LATCHKEY_SOURCE_DIR "/scripts/postgres";

/// Run a shell command. @return its first line of output; @throw failure if its exit status is not 0
std::string run(const std::string& command)
{
    auto result = run_shell(command);
    if (result.status != 0)
        throw failure("this failed: " + command);
    return result.output.substr(0, result.output.find('\n'));
}

/// @param number of the port among those of this process
std::uint16_t find_free_port(std::size_t number)
{
    // Below the ephemeral range: no connection can take the port before the server binds to it.
    auto first = static_cast<std::uint16_t>(10'000 + getpid() % 8'000 + 100 * static_cast<int>(number));
    for (auto port = first; port < first + 1'000; ++port) {
        sockaddr_in here{};
        here.sin_family = AF_INET;
        here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        here.sin_port = htons(port);
        int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        bool is_bound = bind(probe, reinterpret_cast<const sockaddr*>(&here), sizeof here) == 0;
        ::close(probe);
        if (is_bound)
            return port;
    }
    throw failure("no free port on 127.0.0.1");
}

std::string make_master_key()
{
    constexpr std::string_view digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    auto bytes = crypto::random_bytes<32>();
    std::string out;
    for (std::size_t i = 0; i < 33; i += 3) {
        auto at = [&](std::size_t n) { return n < bytes.size() ? std::uint32_t{bytes[n]} : 0u; };
        auto group = at(i) << 16 | at(i + 1) << 8 | at(i + 2);
        for (int shift = 18; shift >= 0; shift -= 6)
            out.push_back(digits[group >> shift & 63]);
    }
    out.back() = '='; // 32 bytes leave one byte of the last group empty
    return out;
}

std::string tail_of(const std::filesystem::path& file)
{
    std::ifstream in(file);
    std::stringstream text;
    text << in.rdbuf();
    auto out = text.str();
    constexpr std::size_t max_size = 2000;
    return out.size() > max_size ? out.substr(out.size() - max_size) : out;
}

} // namespace

server_process::server_process(const server_plan& plan)
    : program_(plan.program.empty() ? std::string(LATCHKEY_PROGRAM) : plan.program), settings_(plan.settings)
{
    auto name = (std::filesystem::temp_directory_path() / "latchkey-bench-XXXXXX").string();
    if (!mkdtemp(name.data()))
        throw failure("cannot make a temporary folder");
    folder_ = name;
    chmod(name.c_str(), 0711); // the user postgres must be able to traverse it
    try {
        start_database();
        master_key_ = make_master_key();
        start_servers(plan.nodes);
    } catch (...) {
        stop();
        throw;
    }
}

server_process::~server_process()
{
    stop();
}

std::string server_process::log_of(std::size_t node) const
{
    return (folder_ / ("server-" + std::to_string(node) + ".log")).string();
}

void server_process::start_database()
{
    auto cluster = shell_quoted((folder_ / "postgres").string());
    auto watchdog = " --while " + std::to_string(getpid());
    database_url_ = run(shell_quoted(postgres_script) + " start " + cluster + watchdog);
    database_process_ = std::stoi(run(shell_quoted(postgres_script) + " pid " + cluster));
}

void server_process::restart(const std::vector<node_plan>& nodes)
{
    stop_servers();
    start_servers(nodes);
}

void server_process::start_servers(const std::vector<node_plan>& nodes)
{
    where_.clear();
    for (std::size_t node = 0; node < nodes.size(); ++node) {
        start_server(nodes[node], node);
        wait_until_ready(node); // the first one migrates the database
    }
}

void server_process::start_server(const node_plan& plan, std::size_t node)
{
    if (access(program_.c_str(), X_OK) != 0)
        throw failure("no server program at " + program_ + ": build it, or name it after --start-server");
    if (plan.uses_tls && certificate_.certificate.empty())
        certificate_ = make_certificate(folder_);
    auto port = find_free_port(node);
    auto listen = "127.0.0.1:" + std::to_string(port);
    auto log = log_of(node);
    auto data = (folder_ / ("data-" + std::to_string(node))).string();
    url here{.host = "127.0.0.1", .port = port, .target = "/", .uses_tls = plan.uses_tls};
    auto issuer = where_.empty() ? here.origin() : where_.front().origin();
    pid_t parent = getpid();
    pid_t child = fork();
    if (child < 0)
        throw failure("cannot start another process");
    if (child > 0) {
        processes_.push_back(child);
        where_.push_back(here);
        return;
    }

    // In the child: nothing may throw or return before exec. Its output goes to the log.
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    setpgid(0, 0); // Ctrl-C goes to this tool, which then stops the server
    int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    try {
        if (!plan.cpus.empty())
            pin_to_cpus(plan.cpus);
    } catch (const failure& why) {
        std::fprintf(stderr, "%s\n", why.what());
        _exit(1);
    }
    setenv("LATCHKEY_LISTEN", listen.c_str(), 1);
    setenv("LATCHKEY_PUBLIC_URL", issuer.c_str(), 1); // each accepts the tokens of all
    setenv("LATCHKEY_DATABASE_URL", database_url_.c_str(), 1);
    setenv("LATCHKEY_MASTER_KEY", master_key_.c_str(), 1);
    setenv("LATCHKEY_DATA_DIR", data.c_str(), 1);
    setenv("LATCHKEY_RATE_LIMIT_PER_MINUTE", "0", 1);
    if (plan.threads > 0)
        setenv("LATCHKEY_THREADS", std::to_string(plan.threads).c_str(), 1);
    if (plan.uses_tls) {
        setenv("LATCHKEY_TLS_CERT", certificate_.certificate.c_str(), 1);
        setenv("LATCHKEY_TLS_KEY", certificate_.key.c_str(), 1);
    }
    for (auto& [name, value] : settings_)
        setenv(name.c_str(), value.c_str(), 1);
    execl(program_.c_str(), program_.c_str(), "serve", nullptr);
    _exit(127);
}

void server_process::wait_until_ready(std::size_t node)
{
    auto deadline = std::chrono::steady_clock::now() + 30s;
    for (;;) {
        if (interrupted())
            throw failure("interrupted");
        if (waitpid(processes_[node], nullptr, WNOHANG) == processes_[node]) {
            processes_.pop_back();
            throw failure("the server did not start:\n" + tail_of(log_of(node)));
        }
        try {
            if (http_client(where_[node]).call("GET", "/readyz").status == 200)
                return;
        } catch (const failure&) {
            // It does not listen yet.
        }
        if (std::chrono::steady_clock::now() > deadline)
            throw failure("the server is not ready after 30 s:\n" + tail_of(log_of(node)));
        std::this_thread::sleep_for(50ms);
    }
}

void server_process::stop_servers()
{
    for (auto process : processes_)
        kill(process, SIGTERM);
    auto deadline = std::chrono::steady_clock::now() + 10s;
    for (auto process : std::exchange(processes_, {}))
        while (waitpid(process, nullptr, WNOHANG) == 0) {
            if (std::chrono::steady_clock::now() > deadline)
                kill(process, SIGKILL);
            std::this_thread::sleep_for(20ms);
        }
}

void server_process::stop()
{
    stop_servers();
    std::error_code ignored;
    if (database_process_ > 0) {
        try {
            run(shell_quoted(postgres_script) + " stop " + shell_quoted((folder_ / "postgres").string()) +
                " immediate");
        } catch (const failure&) {
            // The watchdog of scripts/postgres stops it with this process.
        }
        database_process_ = 0;
    }
    std::filesystem::remove_all(folder_, ignored);
}

} // namespace bench
