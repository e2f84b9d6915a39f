#include "db/postgres/pipelined_connection.hpp"

#include "db/postgres/row_security.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <utility>

namespace db {

using boost::system::error_code;

static constexpr auto replaced = "another primary has taken over";

pipelined_connection::pipelined_connection(executor where, const pipeline_config& settings,
                                           multiplexer& queue, known_server& server)
    : executor_(where), settings_(settings), queue_(queue), server_(server), connection_(where),
      connect_until_(clock::now() + settings.connect_timeout)
{}

awaitable<void> pipelined_connection::open(std::size_t attempt)
{
    auto check_statements = !server_.statements_checked();
    connection::config how{settings_.conninfo,
                           settings_.names,
                           settings_.statement_timeout,
                           settings_.prepare,
                           settings_.prefer_index_scans,
                           attempt,
                           check_statements};
    try {
        co_await connection_.open(how);
    } catch (const boost::system::system_error& why) {
        throw fatal_error_.value_or(failure(failure_kind::unavailable, why.what()));
    }
    if (check_statements)
        server_.set_statements_checked();
    auto accepted = server_.accept(connection_.identity());
    if (!accepted)
        throw failure(failure_kind::unavailable, "the server is an earlier primary: its timeline is older");
    accepted_ = *accepted;
    open_ = true;
}

void pipelined_connection::stop()
{
    open_ = false;
    connection_.cancel();
}

// Wakes the reader, which then drops the connection: it may be in use here.
void pipelined_connection::fail(const failure& why)
{
    if (!fatal_error_)
        fatal_error_ = why;
    connection_.cancel();
}

std::optional<failure> pipelined_connection::lost() const
{
    if (stale_ && !queue_.expects_answer())
        return failure(failure_kind::unavailable, "stale prepared statements, or a read-only server");
    return fatal_error_;
}

void pipelined_connection::enforce_deadlines(clock::time_point now)
{
    static const failure too_slow(failure_kind::unavailable, "connect timeout");
    static const failure silent(failure_kind::unavailable, "the database stopped responding");
    if (!open_) {
        if (now > connect_until_)
            fail(too_slow);
    } else if (!server_.is_current(accepted_)) {
        fail({failure_kind::unavailable, replaced});
    } else if (queue_.expects_answer() && now > last_receive_ + 2 * settings_.deadline) {
        fail(silent);
    }
}

// Group commit of writes: everything submitted during one turn of the reactor is flushed together at its end,
// though with one send per batch, since libpq 15 flushes at every Sync. Sharing a Sync would share a failure.
void pipelined_connection::write_soon()
{
    if (!open_ || write_posted_ || waits_writable_)
        return;
    write_posted_ = true;
    boost::asio::post(executor_, [weak = weak_from_this()] {
        if (auto self = weak.lock()) {
            self->write_posted_ = false;
            self->write();
        }
    });
}

// Stops when the socket is full, so that unsent batches can still expire and memory stays bounded.
void pipelined_connection::write()
{
    while (open_ && !fatal_error_ && !stale_ && flushed()) {
        auto next = queue_.next_to_send();
        if (!next)
            return;
        auto now = clock::now();
        if (!queue_.expects_answer())
            last_receive_ = now;
        multiplexer::preamble ahead;
        auto sent = send(*next, ahead);
        queue_.mark_sent(now + settings_.deadline, ahead);
        if (!sent)
            fail(failure_of(connection_.get()));
    }
}

const statement& pipelined_connection::statement_of(const batch::command& of) const
{
    return of.stmt == &set_workspace_role && !connection_.has_row_security() ? keep_role : *of.stmt;
}

/// Queue a batch at libpq, behind a Parse of each statement that the connection lacks. @param ahead set
bool pipelined_connection::send(const request& next, multiplexer::preamble& ahead)
{
    if (sets_workspace_role(next))
        ahead.prologue = &set_workspace_role;
    if (ahead.prologue && !prepare(*ahead.prologue, ahead))
        return false;
    for (const auto& command : next.work.commands())
        if (!prepare(statement_of(command), ahead))
            return false;

    if (ahead.prologue) {
        params workspace;
        workspace.add(*next.work.workspace());
        if (!send(*ahead.prologue, workspace, 0, 1))
            return false;
    }
    for (const auto& command : next.work.commands())
        if (!send(statement_of(command), next.work.parameters(), command.first_param, command.param_count))
            return false;
    return PQpipelineSync(connection_.get()) == 1;
}

bool pipelined_connection::prepare(const statement& used, multiplexer::preamble& ahead)
{
    if (!settings_.prepare || !prepared_.claim(used))
        return true;
    ++ahead.parses;
    auto pg = connection_.get();
    return PQsendPrepare(pg, used.name(), used.sql(), 0, nullptr) == 1 && PQpipelineSync(pg) == 1;
}

bool pipelined_connection::send(const statement& stmt, const params& values, std::size_t first,
                                std::size_t count)
{
    values.point(first, count, pointers_);
    auto pg = connection_.get();
    auto size = static_cast<int>(count);
    auto pointers = pointers_.values.data();
    auto lengths = pointers_.lengths.data();
    auto formats = pointers_.formats.data();
    constexpr int binary = 1;
    auto queued = settings_.prepare
                      ? PQsendQueryPrepared(pg, stmt.name(), size, pointers, lengths, formats, binary)
                      : PQsendQueryParams(pg, stmt.sql(), size, nullptr, pointers, lengths, formats, binary);
    return queued == 1;
}

// True if libpq has no unsent output. If it has, either readiness is a reason to retry: room to write, or
// input, since a server that cannot write does not read either.
bool pipelined_connection::flushed()
{
    auto left = PQflush(connection_.get());
    if (left < 0)
        fail(failure_of(connection_.get()));
    if (left > 0)
        wait_writable();
    return left == 0;
}

void pipelined_connection::wait_writable()
{
    if (std::exchange(waits_writable_, true))
        return;
    auto woken = [weak = weak_from_this()](error_code) {
        if (auto self = weak.lock()) {
            self->waits_writable_ = false;
            self->write();
        }
    };
    connection_.socket().async_wait(connection::descriptor::wait_write, woken);
}

// Always waits for input, so that it and the server can never wait for each other.
awaitable<multiplexer::finished> pipelined_connection::receive()
{
    multiplexer::finished done;
    error_code cancelled;
    auto token = boost::asio::redirect_error(use_awaitable, cancelled);
    co_await connection_.socket().async_wait(connection::descriptor::wait_read, token);
    if (fatal_error_ || !open_)
        co_return done;
    try {
        read(done);
    } catch (const failure& desync) {
        fatal_error_ = desync;
    }
    co_return done;
}

void pipelined_connection::read(multiplexer::finished& done)
{
    auto pg = connection_.get();
    // A TLS record can exceed libpq's buffer, and its remainder does not make the socket readable.
    if (!PQconsumeInput(pg) || (PQsslInUse(pg) && !PQconsumeInput(pg)))
        fatal_error_ = failure_of(pg);
    last_receive_ = clock::now();
    if (!server_.is_current(accepted_)) {
        fatal_error_.emplace(failure_kind::unavailable, replaced);
        return;
    }
    while (queue_.expects_answer() && !PQisBusy(pg) && PQstatus(pg) == CONNECTION_OK) {
        auto answered = queue_.take(result(PQgetResult(pg)), prepared_);
        if (!answered)
            continue;
        stale_ = stale_ || (answered->error && answered->error->kind() == failure_kind::stale);
        done.push_back(std::move(answered));
    }
    deliver_notifications();
}

void pipelined_connection::deliver_notifications()
{
    while (auto notice = PQnotifies(connection_.get())) {
        std::unique_ptr<PGnotify, decltype(&PQfreemem)> owned(notice, PQfreemem);
        if (settings_.on_notification)
            settings_.on_notification(notice->relname, notice->extra);
    }
}

} // namespace db
