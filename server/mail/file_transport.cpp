#include "server/mail/mail_transport.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace server {

namespace {

class folder_transport : public mail_transport {
public:
    explicit folder_transport(const std::string& folder) : folder_(folder) {}

    delivery send(const mail& letter) override
    {
        std::error_code error;
        std::filesystem::create_directories(folder_, error);
        if (error)
            return failed(error.message());
        auto name = folder_ / (letter.id.substr(0, letter.id.find('@')) + ".eml");
        auto unfinished = name;
        unfinished += ".new";
        if (!write(unfinished, to_mime(letter)))
            return failed(std::strerror(errno));
        std::filesystem::rename(unfinished, name, error);
        if (error)
            return failed(error.message());
        return {delivery::outcome::sent, false, {}};
    }

private:
    static bool write(const std::filesystem::path& path, const std::string& bytes)
    {
        int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (file < 0)
            return false;
        std::size_t written = 0;
        while (written < bytes.size()) {
            auto n = ::write(file, bytes.data() + written, bytes.size() - written);
            if (n < 0 && errno != EINTR)
                break;
            written += n > 0 ? static_cast<std::size_t>(n) : 0;
        }
        bool whole = written == bytes.size() && ::fsync(file) == 0;
        return ::close(file) == 0 && whole;
    }

    delivery failed(const std::string& why) const
    {
        return {delivery::outcome::later, true, "cannot write to " + folder_.string() + ": " + why};
    }

    std::filesystem::path folder_;
};

} // namespace

std::unique_ptr<mail_transport> send_to_folder(const std::string& folder)
{
    return std::make_unique<folder_transport>(folder);
}

} // namespace server
