// TLS: what it adds to a key check, and what a handshake costs.
#pragma once

#include "bench/scenarios/options.hpp"

namespace bench {

/** Check keys over HTTPS and HTTP in turns, as Kong measures its key authentication: one route, one key and a
    hundred keys, at a fixed rate and in a closed loop. Then one check on each new connection: without TLS,
   and with resumed and full handshakes. @return the exit status */
int run_tls(const options& wanted);

} // namespace bench
