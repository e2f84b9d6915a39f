// The hosts of a connection string: names resolved beforehand, so that libpq never calls the system's
// resolver.
#pragma once

#include "db/postgres/async.hpp"
#include "db/postgres/dns_resolver.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace db {

/// The parameters of a connection by their libpq names.
using keywords = std::map<std::string, std::string>;

/** One of the hosts that libpq tries in turn. With an address, libpq connects to that and uses the host for
    TLS and password files only; without either, or with a path, to a unix socket. */
struct host_entry {
    std::string host, address, port;

    /// Whether libpq would have to resolve the host.
    bool is_name() const;
};

/// Read a connection string or URL. @throw failure if libpq cannot
keywords parse_conninfo(const std::string& conninfo);

/** Read `host`, `hostaddr` and `port`, including their environment variables.
    @throw failure if the lists differ in length, or a service file may add hosts */
std::vector<host_entry> read_hosts(const keywords& settings);

/// Replace `host`, `hostaddr` and `port`.
void write_hosts(keywords& settings, const std::vector<host_entry>& hosts);

/** Give every named host its address; one with several becomes several entries. Names that cannot be resolved
    are left out, and addresses stay as they are. Waits for the names at the same time, and returns their last
    known addresses if they take longer than the limit.
    @throw failure if no host is left */
awaitable<std::vector<host_entry>> resolve_hosts(const dns_resolver& names, std::vector<host_entry> hosts,
                                                 std::chrono::milliseconds limit);

} // namespace db
