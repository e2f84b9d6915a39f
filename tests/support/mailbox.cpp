#include "tests/support/mailbox.hpp"

#include "tests/support/eventually.hpp"

#include <system_error>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

namespace support {

static email read_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    return parse_email(std::string(std::istreambuf_iterator<char>(file), {}));
}

std::vector<std::string> mailbox::files() const
{
    std::error_code absent;
    std::vector<std::pair<std::filesystem::file_time_type, std::string>> found;
    for (auto& entry : std::filesystem::directory_iterator(folder_, absent))
        if (entry.path().extension() == ".eml")
            found.emplace_back(entry.last_write_time(), entry.path().string());
    std::ranges::sort(found);
    std::vector<std::string> out;
    for (auto& [time, path] : found)
        out.push_back(std::move(path));
    return out;
}

std::vector<email> mailbox::emails() const
{
    std::vector<email> out;
    for (auto& path : files())
        out.push_back(read_file(path));
    return out;
}

/// Whether the header To holds exactly this address: "a@example.org" is no recipient of "by-a@example.org".
static bool is_to(const email& one, std::string_view address)
{
    return one.to == address || one.to.find("<" + std::string(address) + ">") != one.to.npos;
}

std::optional<email> mailbox::wait_for(std::string_view recipient, std::string_view subject,
                                       std::chrono::milliseconds limit)
{
    std::optional<email> out;
    eventually(limit, [&] {
        for (auto& path : files()) {
            if (returned_.contains(path))
                continue;
            auto one = read_file(path);
            if (!is_to(one, recipient) || one.subject.find(subject) == one.subject.npos)
                continue;
            returned_.insert(path);
            out = std::move(one);
            return true;
        }
        return false;
    });
    return out;
}

} // namespace support
