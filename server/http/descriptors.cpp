#include "server/http/descriptors.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace server {

bool is_error_of_one_client(const boost::system::error_code& error)
{
    if (error.category() != boost::system::system_category())
        return false;
    switch (error.value()) {
    case ECONNABORTED:
    case EINTR:
    case EPROTO:
    case EPERM: // a firewall rule
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
        return true;
    default:
        return false;
    }
}

descriptor_reserve::descriptor_reserve(std::size_t size)
{
    rlimit limit{};
    constexpr auto most = static_cast<rlim_t>(std::numeric_limits<int>::max());
    auto all = getrlimit(RLIMIT_NOFILE, &limit) == 0 ? std::min(limit.rlim_cur, most) : most;
    first_ = static_cast<int>(all - std::min<rlim_t>(size, all / 4));
}

bool descriptor_reserve::is_reached(int any) const
{
    auto lowest = fcntl(any, F_DUPFD_CLOEXEC, 0);
    if (lowest >= 0)
        close(lowest);
    return lowest < 0 || lowest >= first_;
}

} // namespace server
