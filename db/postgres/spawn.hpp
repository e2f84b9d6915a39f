// Starting coroutines that run on their own, such that their failure is seen.
#pragma once

#include "db/postgres/async.hpp"

#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <utility>

namespace db {

/** Completion handler of background coroutines: an exception leaves io_context::run(), and with it the
    thread, which ends the process with the cause in its log. `asio::detached` swallows it, and the loop has
    silently ended: a core that accepts nothing, a node that renews no lease. A supervisor restarts a process.
 */
inline void rethrow_error(std::exception_ptr error)
{
    if (error)
        std::rethrow_exception(error);
}

/// Run a coroutine in the background. It handles the errors that it can survive itself.
inline void spawn(const executor& on, awaitable<void> work)
{
    boost::asio::co_spawn(on, std::move(work), &rethrow_error);
}

} // namespace db
