// Entry point: parses the command line and runs a command.
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
    /// One or two words.
    std::string_view first, second;
    /// Exactly one of these: without an argument, with one, or without the configuration of a server.
    int (*run)(const server::config&) = nullptr;
    int (*run_with_argument)(const server::config&, const std::string& argument) = nullptr;
    int (*run_unconfigured)(const server::setting_list&) = nullptr;
};

constexpr command commands[] = {
    {"serve", "", &server::serve},
    {"migrate", "", &server::migrate},
    {"keys", "rotate", &server::rotate_signing_keys},
    {"users", "disable", nullptr, &server::disable_user},
    {"users", "restore", nullptr, &server::restore_user},
    {"openapi", "", nullptr, nullptr, &server::print_openapi},
    {"health", "", nullptr, nullptr, &server::check_health},
    {"ready", "", nullptr, nullptr, &server::check_readiness},
    {"mcp", "", nullptr, nullptr, &server::bridge_mcp},
};

/// Print usage errors. @return exit code 2
int usage_error(const std::vector<std::string>& lines)
{
    for (auto& line : lines)
        std::cerr << "latchkey: " << line << '\n';
    return 2;
}

int run(const command& chosen, std::span<char* const> flags)
{
    std::string argument;
    if (chosen.run_with_argument) {
        if (flags.empty() || std::string_view(flags.front()).starts_with("-"))
            return usage_error({"missing argument: EMAIL (see latchkey --help)"});
        argument = flags.front();
        flags = flags.subspan(1);
    }
    auto parsed_flags = server::read_flags(flags);
    if (auto error = std::get_if<std::string>(&parsed_flags))
        return usage_error({*error});
    auto settings = server::read_environment(environ);
    auto& flag_settings = std::get<server::setting_list>(parsed_flags);
    if (chosen.run_unconfigured) {
        settings.insert(settings.end(), flag_settings.begin(), flag_settings.end());
        return chosen.run_unconfigured(settings);
    }
    auto configured = server::make_config(std::move(settings), std::move(flag_settings));
    if (auto error = std::get_if<std::vector<std::string>>(&configured))
        return usage_error(*error);
    auto& config = std::get<server::config>(configured);
    server::set_log_level(config.level);
    return chosen.run_with_argument ? chosen.run_with_argument(config, argument) : chosen.run(config);
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
    return usage_error({"unknown command '" + std::string(first) + "' (see latchkey --help)"});
}
