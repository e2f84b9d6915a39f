// A temporary folder that is removed with its object.
#pragma once

#include <system_error>

#include <filesystem>
#include <stdexcept>
#include <stdlib.h>
#include <string>

namespace support {

class temporary_folder {
public:
    explicit temporary_folder(const std::filesystem::path& parent = std::filesystem::temp_directory_path())
    {
        // A short name: the path of a socket has at most 107 bytes. mkdtemp replaces the X.
        path_ = (parent / "latchkey-test-XXXXXX").string();
        if (!mkdtemp(path_.data()))
            throw std::runtime_error("cannot make a temporary folder");
    }

    /// Removes the folder with its contents.
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
