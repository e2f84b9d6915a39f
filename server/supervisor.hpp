// Supervisor: starts the cores, the mail workers and the background jobs, and drains them on a signal.
#pragma once

#include "server/config.hpp"

namespace server {

/** Serve until SIGTERM or SIGINT, then drain: finish the requests in flight. A second signal stops at once.
    @throw db::failure if the database is unavailable at start, std::runtime_error if the server cannot listen
    or a signing key cannot be opened */
void serve_until_drained(const config& settings);

} // namespace server
