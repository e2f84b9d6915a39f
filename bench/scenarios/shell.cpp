#include "bench/scenarios/shell.hpp"

#include "bench/load/failure.hpp"

#include <cstdio>

namespace bench {

std::string shell_quoted(const std::string& text)
{
    std::string out = "'";
    for (char c : text)
        out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

shell_result run_shell(const std::string& command)
{
    FILE* pipe = popen(command.c_str(), "re");
    if (!pipe)
        throw failure("cannot run " + command);
    shell_result out;
    for (int c = std::fgetc(pipe); c != EOF; c = std::fgetc(pipe))
        out.output.push_back(static_cast<char>(c));
    out.status = pclose(pipe);
    return out;
}

} // namespace bench
