#include "server/mail/mail_transport.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace server {

namespace {

class file_transport : public mail_transport {
public:
    explicit file_transport(const std::string& folder) : folder_(folder) {}

    delivery send(const mail_message& message) override
    {
        std::error_code error;
        std::filesystem::create_directories(folder_, error);
        if (error)
            return defer(error.message());
        auto name = folder_ / (message.id.substr(0, message.id.find('@')) + ".eml");
        auto temporary = name;
        temporary += ".new";
        if (!write(temporary, to_mime(message)))
            return defer(std::strerror(errno));
        std::filesystem::rename(temporary, name, error);
        if (error)
            return defer(error.message());
        return {delivery::sent, false, {}};
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
        bool is_complete = written == bytes.size() && ::fsync(file) == 0;
        return ::close(file) == 0 && is_complete;
    }

    /// A full disk or a missing permission concerns every message.
    delivery defer(const std::string& cause) const
    {
        return {delivery::deferred, true, "cannot write to " + folder_.string() + ": " + cause};
    }

    std::filesystem::path folder_;
};

} // namespace

std::unique_ptr<mail_transport> make_file_transport(const std::string& folder)
{
    return std::make_unique<file_transport>(folder);
}

} // namespace server
