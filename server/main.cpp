// latchkey: reads its settings and runs a command.
#include "server/cli/commands.hpp"
#include "server/cli/help.hpp"

#include <unistd.h>

#include <csignal>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct command {
    std::string_view first, second; // words
    int (*run)(const server::config&) = nullptr;
    int (*run_on)(const server::config&, const std::string& argument) = nullptr; // if it takes one
    int (*run_bare)(const server::settings_text&) = nullptr; // if it needs no server's settings
};

constexpr command commands[] = {
    {"serve", "", &server::serve},
    {"migrate", "", &server::migrate},
    {"keys", "rotate", &server::rotate_signing_keys},
    {"users", "disable", nullptr, &server::disable_user},
    {"users", "restore", nullptr, &server::restore_user},
    {"openapi", "", nullptr, nullptr, &server::print_openapi},
    {"health", "", nullptr, nullptr, &server::check_health},
    {"mcp", "", nullptr, nullptr, &server::bridge_mcp},
};

int refuse(const std::vector<std::string>& lines)
{
    for (auto& line : lines)
        std::cerr << "latchkey: " << line << '\n';
    return 2;
}

int run(const command& what, std::span<char* const> flags)
{
    std::string argument;
    if (what.run_on) {
        if (flags.empty() || std::string_view(flags.front()).starts_with("-"))
            return refuse({"whose? see latchkey --help"});
        argument = flags.front();
        flags = flags.subspan(1);
    }
    auto given = server::read_flags(flags);
    if (auto wrong = std::get_if<std::string>(&given))
        return refuse({*wrong});
    auto settings_given = server::read_environment(environ);
    auto& from_flags = std::get<server::settings_text>(given);
    if (what.run_bare) {
        settings_given.insert(settings_given.end(), from_flags.begin(), from_flags.end());
        return what.run_bare(settings_given);
    }
    auto made = server::make_config(std::move(settings_given), std::move(from_flags));
    if (auto wrong = std::get_if<std::vector<std::string>>(&made))
        return refuse(*wrong);
    auto& settings = std::get<server::config>(made);
    server::set_log_level(settings.level);
    return what.run_on ? what.run_on(settings, argument) : what.run(settings);
}

} // namespace

int main(int argc, char** argv)
{
    std::signal(SIGPIPE, SIG_IGN);
    std::span<char* const> arguments(argv + 1, static_cast<std::size_t>(argc > 0 ? argc - 1 : 0));
    std::string_view first = arguments.empty() ? "--help" : arguments[0];
    std::string_view second = arguments.size() > 1 ? arguments[1] : "";

    if (first == "--help" || first == "-h" || first == "help") {
        std::cout << server::help_text;
        return arguments.empty() ? 2 : 0;
    }
    if (first == "--version") {
        std::cout << "latchkey " << LATCHKEY_VERSION << '\n';
        return 0;
    }
    for (auto& known : commands) {
        std::size_t words = known.second.empty() ? 1 : 2;
        if (first != known.first || (words == 2 && second != known.second))
            continue;
        auto flags = arguments.subspan(words);
        for (std::string_view flag : flags)
            if (flag == "--help") {
                std::cout << server::help_text;
                return 0;
            }
        return run(known, flags);
    }
    return refuse({"there is no command '" + std::string(first) + "'; see latchkey --help"});
}
