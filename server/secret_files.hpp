// Secrets in files: the variable of a secret with `_FILE` at its end names a file that holds it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace server {

/// Whether a setting holds a secret. Such settings are not accepted as flags, which every user of the machine
/// can see.
bool is_secret(std::string_view name);

/// The secret that a setting such as `master_key_file` is for, or nothing.
std::optional<std::string_view> secret_in_file(std::string_view name);

/// The content of a file, or why there is none.
struct secret_file {
    std::string content;
    std::string error;
};

/** Read a secret. One line break at its end, as editors and `echo` write it, is removed.
    @param max_size of the file, in bytes
    @return an error for a file that cannot be read, or is larger */
secret_file read_secret_file(const std::string& path, std::size_t max_size = std::size_t{64} * 1024);

/// Pairs of a setting and its value, or its error message.
using name_value_list = std::vector<std::pair<std::string, std::string>>;

/** Replace the settings that name files by the secrets in them; those that fail are removed.
    @return an error for each file that cannot be read, and for each secret that is set twice */
name_value_list read_secret_files(name_value_list& settings);

} // namespace server
