#include "server/secret_files.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace server {

namespace {

constexpr std::string_view secrets[] = {"database_url", "google_client_secret", "master_key", "smtp_url"};
constexpr std::string_view file_suffix = "_file";

} // namespace

bool is_secret(std::string_view name)
{
    return std::ranges::find(secrets, name) != std::end(secrets);
}

std::optional<std::string_view> secret_in_file(std::string_view name)
{
    if (!name.ends_with(file_suffix))
        return std::nullopt;
    name.remove_suffix(file_suffix.size());
    return is_secret(name) ? std::optional(name) : std::nullopt;
}

secret_file read_secret_file(const std::string& path, std::size_t max_size)
{
    secret_file out;
    int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    auto size = file < 0 ? ssize_t{-1} : ssize_t{1};
    std::array<char, 4096> part;
    while (size > 0 && out.content.size() <= max_size) {
        do {
            size = ::read(file, part.data(), part.size());
        } while (size < 0 && errno == EINTR);
        if (size > 0)
            out.content.append(part.data(), static_cast<std::size_t>(size));
    }
    if (size < 0)
        out.error = std::strerror(errno);
    else if (out.content.size() > max_size)
        out.error = "it has more than " + std::to_string(max_size / 1024) + " KiB";
    if (file >= 0)
        ::close(file);
    if (out.content.ends_with('\n'))
        out.content.pop_back();
    return out;
}

name_value_list read_secret_files(name_value_list& settings)
{
    name_value_list out, errors;
    for (auto& [name, value] : settings) {
        auto secret = secret_in_file(name);
        if (!secret) {
            out.emplace_back(name, value);
            continue;
        }
        secret_file file;
        if (std::ranges::count(settings, *secret, &name_value_list::value_type::first) > 0)
            file.error = "the variable without _FILE is set as well: use one of them";
        else if (file = read_secret_file(value); !file.error.empty())
            file.error = value + " cannot be read: " + file.error;
        if (file.error.empty())
            out.emplace_back(*secret, std::move(file.content));
        else
            errors.emplace_back(name, std::move(file.error));
    }
    settings = std::move(out);
    return errors;
}

} // namespace server
