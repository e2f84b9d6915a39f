#include "db/postgres/pipeline.hpp"

#include "db/postgres/connection.hpp"
#include "db/postgres/known_server.hpp"
#include "db/postgres/multiplexer.hpp"
#include "db/postgres/rollback_retries.hpp"
#include "db/postgres/row_security.hpp"
#include "db/postgres/spawn.hpp"
#include "db/postgres/suspended_request.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

namespace db {

using boost::system::error_code;
using std::chrono::milliseconds;

namespace {

constexpr milliseconds sweep_interval{100};
constexpr milliseconds first_retry{50};
constexpr milliseconds last_retry{1000};
constexpr auto replaced = "another primary has taken over";

} // namespace

/** The connection's state machine. Three activities drive it, all on the one thread: run() connects and then
    reads, write() sends whenever there is something to send and room for it, sweep() enforces deadlines. */
class pipeline::impl : public std::enable_shared_from_this<impl> {
public:
    impl(boost::asio::io_context& io, config settings);

    void start();
    void submit(std::unique_ptr<request> added);
    awaitable<void> close();
    void stop();

    bool connected() const { return connected_; }
    std::uint64_t generation() const { return generation_; }
    std::uint64_t retries() const { return retries_.count(); }
    std::size_t in_flight() const { return queue_.size() + retries_.size(); }

private:
    using clock = std::chrono::steady_clock;

    awaitable<void> run();
    awaitable<std::optional<failure>> connect();
    awaitable<failure> serve();
    awaitable<void> sweep();
    awaitable<void> pause(milliseconds length);

    void read();
    void deliver_notifications();
    void write_soon();
    void write();
    bool sets_workspace_role(const request& next) const
    {
        return next.work.workspace() && connection_->has_row_security();
    }
    bool send(const request& next);
    bool send(const statement& stmt, const params& values, std::size_t first, std::size_t count);
    bool flushed();
    void wait_writable();
    void fail_connection(const failure& why);

    void finish_all(multiplexer::finished done);
    void drop_pending();
    void emit(std::string_view event, std::string_view detail);
    milliseconds retry_delay();

    executor executor_;
    config settings_;
    std::shared_ptr<known_server> server_;

    /// The server of this connection.
    std::uint64_t accepted_ = 0;
    multiplexer queue_;
    multiplexer::finished done_;
    std::unique_ptr<connection> connection_;

    /// Why the present connection must be dropped.
    std::optional<failure> fatal_error_;

    /// The error of a batch that could not be sent in time.
    failure unsent_error_;
    params::pointers pointers_;

    steady_timer sweeper_;
    steady_timer retry_;
    clock::time_point connect_until_;

    /// When an answer last arrived, or the oldest unanswered request was sent.
    clock::time_point last_receive_;

    /// Attempts since the last success.
    std::size_t attempt_ = 0;
    std::uint64_t generation_ = 0;
    rollback_retries retries_;
    std::minstd_rand random_{std::random_device{}()};

    bool connected_ = false;
    bool write_posted_ = false;
    bool waits_writable_ = false;
    bool stale_ = false;
    bool closing_ = false;
    bool stopped_ = false;
    bool running_ = false;
};

pipeline::impl::impl(boost::asio::io_context& io, config settings)
    : executor_(io.get_executor()), settings_(std::move(settings)),
      server_(known_server::of(settings_.conninfo)),
      unsent_error_(failure_kind::unavailable, "deadline: not connected"), sweeper_(io), retry_(io),
      retries_(executor_)
{}

void pipeline::impl::start()
{
    running_ = true;
    auto self = shared_from_this();
    boost::asio::co_spawn(executor_, [self] { return self->run(); }, &rethrow_error);
    boost::asio::co_spawn(executor_, [self] { return self->sweep(); }, &rethrow_error);
}

void pipeline::impl::stop()
{
    closing_ = stopped_ = true;
    connected_ = false;
    if (connection_)
        connection_->cancel();
    sweeper_.cancel();
    retry_.cancel();
    drop_pending();
}

// Destroying a suspended coroutine destroys what it owns, possibly this object's owner:
// empty the queue first.
void pipeline::impl::drop_pending()
{
    auto sent = queue_.fail_sent(unsent_error_);
    auto unsent = queue_.fail_unsent(unsent_error_);
    auto done = std::move(done_);
    retries_.clear();
}

awaitable<void> pipeline::impl::close()
{
    closing_ = true;
    while (in_flight() > 0) // every batch has a deadline
        co_await pause(milliseconds(5));
    stop();
    while (running_)
        co_await pause(milliseconds(5));
}

awaitable<void> pipeline::impl::pause(milliseconds length)
{
    steady_timer once(executor_, length);
    co_await once.async_wait(use_awaitable);
}

void pipeline::impl::emit(std::string_view event, std::string_view detail)
{
    if (settings_.on_event)
        settings_.on_event(event, detail);
}

void pipeline::impl::finish_all(multiplexer::finished done)
{
    for (auto& each : done) {
        if (closing_ || !rollback_retries::may_repeat(*each)) {
            each->finish();
            continue;
        }
        retries_.repeat_later(std::move(each), [weak = weak_from_this()](std::unique_ptr<request> next) {
            if (auto self = weak.lock(); self && !self->stopped_)
                self->submit(std::move(next));
        });
    }
}

void pipeline::impl::submit(std::unique_ptr<request> added)
{
    auto fault = added->work.fault();
    if (fault || closing_ || queue_.size() >= settings_.queue_limit) {
        if (fault)
            added->error = std::move(fault);
        else if (closing_)
            added->error.emplace(failure_kind::unavailable, "closed");
        else
            added->error.emplace(failure_kind::overloaded, "too many batches in flight");
        added->finish();
        return;
    }
    queue_.add(std::move(added), clock::now() + settings_.queue_timeout);
    write_soon();
}

// Group commit of writes: everything submitted during one turn of the reactor is flushed together at its end,
// though with one send per batch, since libpq 15 flushes at every Sync. Sharing a Sync would share a failure.
void pipeline::impl::write_soon()
{
    if (!connected_ || write_posted_ || waits_writable_)
        return;
    write_posted_ = true;
    boost::asio::post(executor_, [self = shared_from_this()] {
        self->write_posted_ = false;
        self->write();
    });
}

// Stops when the socket is full, so that unsent batches can still expire and memory stays bounded.
void pipeline::impl::write()
{
    while (connected_ && !fatal_error_ && !stale_ && flushed()) {
        auto next = queue_.next_to_send();
        if (!next)
            return;
        auto now = clock::now();
        if (!queue_.expects_answer())
            last_receive_ = now;
        auto sent = send(*next);
        queue_.mark_sent(now + settings_.deadline, sets_workspace_role(*next) ? 1 : 0);
        if (!sent)
            fail_connection(failure_of(connection_->get()));
    }
}

bool pipeline::impl::send(const request& next)
{
    if (sets_workspace_role(next)) {
        params workspace;
        workspace.add(*next.work.workspace());
        if (!send(set_workspace_role, workspace, 0, 1))
            return false;
    }
    for (const auto& command : next.work.commands())
        if (!send(*command.stmt, next.work.parameters(), command.first_param, command.param_count))
            return false;
    return PQpipelineSync(connection_->get()) == 1;
}

bool pipeline::impl::send(const statement& stmt, const params& values, std::size_t first, std::size_t count)
{
    values.point(first, count, pointers_);
    auto pg = connection_->get();
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
bool pipeline::impl::flushed()
{
    auto left = PQflush(connection_->get());
    if (left < 0)
        fail_connection(failure_of(connection_->get()));
    if (left > 0)
        wait_writable();
    return left == 0;
}

void pipeline::impl::wait_writable()
{
    if (std::exchange(waits_writable_, true))
        return;
    auto woken = [self = shared_from_this(), generation = generation_](error_code) {
        if (generation != self->generation_)
            return;
        self->waits_writable_ = false;
        self->write();
    };
    connection_->socket().async_wait(connection::descriptor::wait_write, woken);
}

// Records the failure and wakes the reader, which then drops the connection: it may be in use there.
void pipeline::impl::fail_connection(const failure& why)
{
    if (!fatal_error_)
        fatal_error_ = why;
    connection_->cancel();
}

void pipeline::impl::read()
{
    auto pg = connection_->get();
    // A TLS record can exceed libpq's buffer, and its remainder does not make the socket readable.
    if (!PQconsumeInput(pg) || (PQsslInUse(pg) && !PQconsumeInput(pg)))
        fatal_error_ = failure_of(pg);
    last_receive_ = clock::now();
    if (!server_->is_current(accepted_)) {
        fatal_error_.emplace(failure_kind::unavailable, replaced);
        return;
    }
    while (queue_.expects_answer() && !PQisBusy(pg) && PQstatus(pg) == CONNECTION_OK) {
        auto done = queue_.take(result(PQgetResult(pg)));
        if (!done)
            continue;
        stale_ = stale_ || (done->error && done->error->kind() == failure_kind::stale);
        done_.push_back(std::move(done));
    }
    deliver_notifications();
}

void pipeline::impl::deliver_notifications()
{
    while (auto notice = PQnotifies(connection_->get())) {
        std::unique_ptr<PGnotify, decltype(&PQfreemem)> owned(notice, PQfreemem);
        if (settings_.on_notification)
            settings_.on_notification(notice->relname, notice->extra);
    }
}

// Always waits for input, so that it and the server can never wait for each other.
awaitable<failure> pipeline::impl::serve()
{
    while (!stopped_) {
        if (stale_ && !queue_.expects_answer())
            co_return failure(failure_kind::unavailable, "stale prepared statements, or a read-only server");
        if (fatal_error_)
            co_return *fatal_error_;
        error_code cancelled;
        auto token = boost::asio::redirect_error(use_awaitable, cancelled);
        co_await connection_->socket().async_wait(connection::descriptor::wait_read, token);
        if (fatal_error_ || stopped_)
            continue;
        try {
            read();
        } catch (const failure& desync) {
            fatal_error_ = desync;
        }
        finish_all(std::exchange(done_, {}));
        write();
    }
    co_return failure(failure_kind::unavailable, "closed");
}

awaitable<std::optional<failure>> pipeline::impl::connect()
{
    fatal_error_.reset();
    stale_ = waits_writable_ = false;
    connect_until_ = clock::now() + settings_.connect_timeout;
    connection_ = std::make_unique<connection>(executor_);
    try {
        connection::config how{settings_.conninfo,           settings_.names,
                               settings_.statement_timeout,  settings_.prepare,
                               settings_.prefer_index_scans, attempt_};
        co_await connection_->open(how);
        auto accepted = server_->accept(connection_->identity());
        if (!accepted)
            co_return failure(failure_kind::unavailable,
                              "the server is an earlier primary: its timeline is older");
        accepted_ = *accepted;
        co_return std::nullopt;
    } catch (const failure& why) {
        co_return why;
    } catch (const boost::system::system_error& why) {
        co_return fatal_error_.value_or(failure(failure_kind::unavailable, why.what()));
    }
}

awaitable<void> pipeline::impl::run()
{
    // If the io_context goes first, it destroys this frame, and pending requests can no longer be resumed.
    struct on_exit {
        impl& self;
        ~on_exit()
        {
            self.running_ = false;
            self.drop_pending();
        }
    } guard{*this};

    while (!stopped_) {
        auto refused = co_await connect();
        if (refused) {
            unsent_error_ = failure(failure_kind::unavailable,
                                    std::string("deadline: not connected: ") + refused->what());
            emit("connect failed", refused->what());
            if (refused->kind() == failure_kind::statement) // retries would fail alike
                finish_all(queue_.fail_unsent(*refused));
            ++attempt_;
        } else if (!stopped_) {
            unsent_error_ = failure(failure_kind::unavailable, "deadline: the connection was saturated");
            attempt_ = 0;
            ++generation_;
            connected_ = true;
            emit("connected", PQhost(connection_->get()));
            write();
            auto lost = co_await serve();
            connected_ = false;
            finish_all(queue_.fail_sent(lost));
            if (!stopped_)
                emit("connection lost", lost.what());
        }
        connection_.reset();
        if (stopped_)
            break;
        error_code cancelled;
        auto token = boost::asio::redirect_error(use_awaitable, cancelled);
        retry_.expires_after(retry_delay());
        co_await retry_.async_wait(token);
    }
}

// Exponential backoff with jitter over half of it, so that many clients do not reconnect at once.
milliseconds pipeline::impl::retry_delay()
{
    auto longest = std::min(first_retry * (1 << std::min<std::size_t>(attempt_, 8)), last_retry).count();
    return milliseconds(std::uniform_int_distribution(longest / 2, longest)(random_));
}

awaitable<void> pipeline::impl::sweep()
{
    static const failure too_slow(failure_kind::unavailable, "connect timeout");
    static const failure silent(failure_kind::unavailable, "the database stopped responding");
    while (!stopped_) {
        error_code cancelled;
        auto token = boost::asio::redirect_error(use_awaitable, cancelled);
        sweeper_.expires_after(sweep_interval);
        co_await sweeper_.async_wait(token);
        if (stopped_)
            break;
        auto now = clock::now();
        finish_all(queue_.expire(now, unsent_error_));
        if (!connection_)
            continue;
        if (!connected_ && now > connect_until_)
            fail_connection(too_slow);
        else if (connected_ && !server_->is_current(accepted_))
            fail_connection({failure_kind::unavailable, replaced});
        else if (connected_ && queue_.expects_answer() && now > last_receive_ + 2 * settings_.deadline)
            fail_connection(silent);
    }
}

const dns_resolver& system_resolver()
{
    static const dns_resolver only([] {
        dns_resolver::config settings;
        settings.keeps_last = true;
        return settings;
    }());
    return only;
}

pipeline::pipeline(boost::asio::io_context& io, config settings)
    : impl_(std::make_shared<impl>(io, std::move(settings)))
{
    impl_->start();
}

pipeline::~pipeline()
{
    impl_->stop();
}

template <class Answer, class Impl>
static awaitable<Answer> submit(std::shared_ptr<Impl> to, batch work)
{
    auto initiate = [to = std::move(to)](auto handler, batch work) {
        to->submit(std::make_unique<suspended_request<Answer>>(std::move(work), std::move(handler)));
    };
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<executor>,
                                       void(std::exception_ptr, Answer)>(std::move(initiate), use_awaitable,
                                                                         std::move(work));
}

awaitable<results> pipeline::run(batch work)
{
    return submit<results>(impl_, std::move(work));
}

awaitable<result> pipeline::run_one(batch work)
{
    return submit<result>(impl_, std::move(work));
}

awaitable<void> pipeline::ready()
{
    batch empty;
    co_await run(std::move(empty));
}

awaitable<void> pipeline::close()
{
    return impl_->close();
}

std::uint64_t pipeline::retries() const
{
    return impl_->retries();
}

bool pipeline::connected() const
{
    return impl_->connected();
}

std::uint64_t pipeline::generation() const
{
    return impl_->generation();
}

std::size_t pipeline::in_flight() const
{
    return impl_->in_flight();
}

} // namespace db
