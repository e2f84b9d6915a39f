// The traffic of one connection: sends the requests of a queue, and receives their answers.
#pragma once

#include "db/postgres/connection.hpp"
#include "db/postgres/known_server.hpp"
#include "db/postgres/multiplexer.hpp"
#include "db/postgres/pipeline_config.hpp"
#include "db/postgres/prepared_statements.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

namespace db {

/** One connection of a pipeline, from its first attempt until it is lost. The pipeline owns it, connects it
    with open() and then calls receive() in a loop; the connection sends whenever there is something to send
    and room for it. For one thread. */
class pipelined_connection : public std::enable_shared_from_this<pipelined_connection> {
public:
    using clock = std::chrono::steady_clock;

    /// The references must outlive the connection.
    pipelined_connection(executor where, const pipeline_config& settings, multiplexer& queue,
                         known_server& server);

    /** Connect, and accept the server.
        @param attempt selects which of several hosts to try first
        @throw failure */
    awaitable<void> open(std::size_t attempt);

    /// Send what is queued, once the present turn of the reactor has ended.
    void write_soon();

    /// Send what is queued.
    void write();

    /// Wait for input, and match it to requests. @return those that ended, or none if the connection is lost
    awaitable<multiplexer::finished> receive();

    /// Why the connection must be dropped, or nothing.
    std::optional<failure> lost() const;

    /// Send nothing more, and end open() and receive().
    void stop();

    /// Fail if connecting takes too long, the server has fallen silent, or another has taken over.
    void enforce_deadlines(clock::time_point now);

    /// The host, as libpq names it.
    const char* host() const { return PQhost(connection_.get()); }

private:
    void read(multiplexer::finished& done);
    void deliver_notifications();
    bool sets_workspace_role(const request& next) const
    {
        return next.work.workspace() && connection_.has_row_security();
    }
    const statement& statement_of(const batch::command& of) const;
    bool send(const request& next, multiplexer::preamble& ahead);
    bool prepare(const statement& used, multiplexer::preamble& ahead);
    bool send(const statement& stmt, const params& values, std::size_t first, std::size_t count);
    bool flushed();
    void wait_writable();
    void fail(const failure& why);

    executor executor_;
    const pipeline_config& settings_;
    multiplexer& queue_;
    known_server& server_;
    connection connection_;
    prepared_statements prepared_;

    /// The server's number at known_server.
    std::uint64_t accepted_ = 0;

    std::optional<failure> fatal_error_;
    params::pointers pointers_;
    clock::time_point connect_until_;

    /// When an answer last arrived, or the oldest unanswered request was sent.
    clock::time_point last_receive_;

    bool open_ = false;
    bool write_posted_ = false;
    bool waits_writable_ = false;
    bool stale_ = false;
};

} // namespace db
