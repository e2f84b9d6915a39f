// Shell commands of the bench tool.
#pragma once

#include <string>

namespace bench {

/// As one word of a shell command.
std::string shell_quoted(const std::string& text);

struct shell_result {
    /// Standard output.
    std::string output;
    /// As of pclose(3); 0: success.
    int status = 0;
};

/// Run a command, and wait until it ends. @throw failure if there is no process for it
shell_result run_shell(const std::string& command);

} // namespace bench
