// Rate quotas: shares of a rate limit that the nodes take from one counter for all of them.
#pragma once

#include "db/postgres/pool.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <vector>

namespace db::rate_quotas {

struct share_request {
    /// A hash of rule and subject, the same on all nodes.
    std::int64_t subject = 0;
    /// Requests of all nodes in one window.
    std::int32_t limit = 0;
    std::int32_t window_seconds = 0;
};

struct share {
    std::int64_t subject = 0;
    /// 0: nothing is left in this window.
    std::int32_t granted = 0;
    /// To the end of the window of all nodes, rounded up.
    std::int32_t seconds_left = 0;
};
BOOST_DESCRIBE_STRUCT(share, (), (subject, granted, seconds_left))

/** Takes a share of the limit for each request: what is left divided by the number of nodes, at least one. So
    shares become smaller as the limit approaches, and little is left over on nodes that do not need it (as in
    guided self-scheduling: Polychronopoulos and Kuck, 1987). The window begins with the first request.
    @param requests of different subjects
    @param nodes that share the limits, at least 1
    @return the shares, in any order
    @throw failure */
awaitable<std::vector<share>> take(pool& db, std::vector<share_request> requests, std::int32_t nodes);

} // namespace db::rate_quotas
