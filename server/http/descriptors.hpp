// File descriptors: errors of accept(), and a reserve that clients cannot use up.
#pragma once

#include <boost/system/error_code.hpp>

#include <cstddef>

namespace server {

/** Whether an error of accept() concerns the one connection, which is gone, and not the process: accept(2)
    passes on network errors that are pending on the new socket. All other errors last, so that accepting
    again at once would be a busy loop: no descriptors (EMFILE, ENFILE) or no memory (ENOBUFS, ENOMEM). */
bool is_error_of_one_client(const boost::system::error_code& error);

/** The descriptors that listeners leave to the rest of the process: connections to the database, emails, name
    lookups. New descriptors have the lowest free number, so a number tells how many are in use. */
class descriptor_reserve {
public:
    /// @param size number of reserved descriptors; a quarter of the limit at most (RLIMIT_NOFILE)
    explicit descriptor_reserve(std::size_t size);

    /// Whether a descriptor just opened, or the next one, belongs to the reserve.
    bool is_near(int descriptor) const { return descriptor + 1 >= first_; }

    /// Whether the next descriptor would belong to the reserve. Two system calls.
    /// @param any an open descriptor
    bool is_reached(int any) const;

private:
    int first_;
};

} // namespace server
