#include "tests/support/server.hpp"

#include "tests/support/eventually.hpp"
#include "tests/support/reactors.hpp"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <fstream>
#include <sstream>
#include <stdexcept>

namespace support {

namespace {

void set(environment& settings, const std::pair<std::string, std::string>& one)
{
    std::erase_if(settings, [&](const auto& old) { return old.first == one.first; });
    settings.push_back(one);
}

environment with_defaults(const std::string& database_url, const environment& settings)
{
    environment all{{"LATCHKEY_LISTEN", "127.0.0.1:0"},
                    {"LATCHKEY_DATABASE_URL", database_url},
                    {"LATCHKEY_MASTER_KEY", random_master_key()},
                    {"LATCHKEY_PASSWORD_HASH", "m=64,t=1,p=1"},
                    {"LATCHKEY_RATE_LIMIT_PER_MINUTE", "0"},
                    {"LATCHKEY_THREADS", "2"},
                    // Each connection is a process, and prepares what it uses: most of a short server's CPU.
                    {"LATCHKEY_DATABASE_CONNECTIONS", "1"},
                    {"LATCHKEY_LOG_LEVEL", "debug"}};
    for (auto& one : settings)
        set(all, one);
    return all;
}

environment with_data_dir(const environment& settings, const std::string& folder)
{
    auto all = watch_reactors(folder + "/reactors");
    all.emplace_back("LATCHKEY_DATA_DIR", folder);
    for (auto& one : settings)
        set(all, one);
    return all;
}

} // namespace

std::optional<std::int64_t> running_server::allocations() const
{
    return allocations_of(data_.path() + "/reactors", "core-0");
}

std::string running_server::log_lines(std::string_view text) const
{
    std::istringstream all(log());
    std::string out;
    for (std::string line; std::getline(all, line);)
        if (line.find(text) != line.npos)
            out += "\n" + line;
    return out;
}

std::string random_master_key()
{
    std::array<unsigned char, 32> bytes;
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        throw std::runtime_error("no randomness");
    std::array<unsigned char, 45> text; // 44 characters and a NUL
    auto size = EVP_EncodeBlock(text.data(), bytes.data(), static_cast<int>(bytes.size()));
    return {text.begin(), text.begin() + size};
}

std::string program_path()
{
    return LATCHKEY_PROGRAM;
}

running_server::running_server(const std::string& database_url, const environment& settings)
    : running_server(with_defaults(database_url, settings))
{}

running_server::running_server(const environment& settings)
    : master_key_(
          std::ranges::find(settings, "LATCHKEY_MASTER_KEY", [](auto& one) { return one.first; })->second),
      process_({program_path(), "serve"}, with_data_dir(settings, data_.path()), STDERR_FILENO)
{
    await_listening();
    await_reactors(data_.path() + "/reactors");
}

running_server::~running_server()
{
    process_.kill();
    read_reactor_report(data_.path() + "/reactors");
}

void running_server::await_listening()
{
    constexpr std::string_view before = R"("event":"listening","address":"127.0.0.1:)";
    std::string text;
    auto found = std::string::npos;
    eventually([&] {
        bool runs = is_running();
        text = log();
        found = text.find(before);
        return found != std::string::npos || !runs;
    });
    if (found == std::string::npos)
        throw std::runtime_error("the server does not listen; " + process_.state() + ": " + text);
    auto digits = text.data() + found + before.size();
    std::from_chars(digits, text.data() + text.size(), port_);
}

std::uint16_t running_server::admin_port() const
{
    constexpr std::string_view before = R"("admin_address":"127.0.0.1:)";
    auto text = log();
    std::uint16_t out = 0;
    if (auto found = text.find(before); found != std::string::npos)
        std::from_chars(text.data() + found + before.size(), text.data() + text.size(), out);
    return out;
}

std::size_t running_server::resident_bytes() const
{
    std::ifstream statm("/proc/" + std::to_string(process_.id()) + "/statm");
    std::size_t total = 0, resident = 0;
    if (!(statm >> total >> resident))
        throw std::runtime_error("the server's memory cannot be read");
    return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

int running_server::stop(std::chrono::milliseconds limit)
{
    send(SIGTERM);
    auto code = wait(limit);
    if (!code)
        throw std::runtime_error("the server does not stop");
    return *code;
}

bool running_server::logs(std::string_view text, std::chrono::milliseconds limit) const
{
    return eventually(limit, [&] { return log().find(text) != std::string::npos; });
}

} // namespace support
