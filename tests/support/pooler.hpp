// A real pgbouncer in front of a database: transactions of many clients over few connections.
#pragma once

#include "tests/support/child_process.hpp"
#include "tests/support/temporary_folder.hpp"

#include <cstdint>
#include <optional>
#include <string>

namespace support {

/** pgbouncer in transaction mode, with two server connections to a database, on a free port of 127.0.0.1. */
class pooler {
public:
    /// Returns when it accepts connections. @throw runtime_error if it does not start
    explicit pooler(const std::string& conninfo);

    /// The same database, through the pooler.
    std::string conninfo() const;

private:
    temporary_folder folder_;
    std::uint16_t port_;
    std::optional<child_process> process_;
};

} // namespace support
