// A folder that goes when the test does.
#pragma once

#include <system_error>

#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <string>

namespace support {

class temporary_folder {
public:
    temporary_folder()
    {
        // A short name, since a socket's path has at most 107 bytes; mkdtemp fills in its end.
        path_ = (std::filesystem::temp_directory_path() / "latchkey-test-XXXXXX").string();
        if (!mkdtemp(path_.data()))
            throw std::runtime_error("cannot make a temporary folder");
    }

    /// Removes all that is in it.
    ~temporary_folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    temporary_folder(const temporary_folder&) = delete;
    temporary_folder& operator=(const temporary_folder&) = delete;

    const std::string& path() const { return path_; }

private:
    std::string path_;
};

} // namespace support
