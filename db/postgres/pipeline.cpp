#include "db/postgres/pipeline.hpp"

#include "db/postgres/connection.hpp"
#include "db/postgres/multiplexer.hpp"
#include "db/postgres/row_security.hpp"

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

template <class Answer>
using awaiting = typename boost::asio::async_result<boost::asio::use_awaitable_t<executor>,
                                                    void(std::exception_ptr, Answer)>::handler_type;

/// A request of a suspended coroutine. Destroying it unfinished destroys the coroutine with it.
template <class Answer>
class suspended final : public request {
public:
    suspended(batch what, awaiting<Answer> who) : request(std::move(what)), who_(std::move(who)) {}

    // Posted, not called: the coroutine may go on to use, or destroy, the very pipeline that calls.
    void finish() override
    {
        auto where = boost::asio::get_associated_executor(who_);
        auto cause = error ? std::make_exception_ptr(*error) : std::exception_ptr();
        boost::asio::post(where, [who = std::move(who_), cause, answer = take_answer()]() mutable {
            who(cause, std::move(answer));
        });
    }

private:
    Answer take_answer()
    {
        if constexpr (std::same_as<Answer, results>)
            return std::move(answers);
        else
            return error ? result() : std::move(answers[0]);
    }

    awaiting<Answer> who_;
};

} // namespace

/** What a pipeline is made of. Three things move it, all on the one thread: live() connects and then reads,
    write() sends whenever there is something to send and room for it, sweep() looks at the clock. */
class pipeline::line : public std::enable_shared_from_this<line> {
public:
    line(boost::asio::io_context& io, config settings);

    void start();
    void submit(std::unique_ptr<request> what);
    awaitable<void> close();
    void stop();

    bool connected() const { return connected_; }
    std::uint64_t generation() const { return generation_; }
    std::size_t in_flight() const { return queue_.size(); }

private:
    using clock = std::chrono::steady_clock;

    awaitable<void> live();
    awaitable<std::optional<failure>> connect();
    awaitable<failure> serve();
    awaitable<void> sweep();
    awaitable<void> pause(milliseconds length);

    void read();
    void hear_notifications();
    void write_soon();
    void write();
    bool step_within(const request& what) const { return what.work.workspace() && connection_->walled(); }
    bool send(const request& what);
    bool send(const statement& what, const params& values, std::size_t first, std::size_t count);
    bool flushed();
    void await_room();
    void break_off(const failure& why);

    void settle(multiplexer::finished done);
    void forget_waiting();
    void tell(std::string_view event, std::string_view detail);
    milliseconds retry_delay();

    executor executor_;
    config settings_;
    multiplexer queue_;
    multiplexer::finished done_;
    std::unique_ptr<connection> connection_;
    std::optional<failure> broken_; // why the present connection is to be given up
    failure unsent_;                // what a batch is told that could not be sent in time
    params::pointers pointers_;

    steady_timer sweeper_;
    steady_timer retry_;
    clock::time_point connect_until_;
    clock::time_point heard_at_; // when an answer last came, or the first one owed was asked for
    std::size_t attempt_ = 0;    // since the last success
    std::uint64_t generation_ = 0;
    std::minstd_rand random_{std::random_device{}()};

    bool connected_ = false;
    bool write_posted_ = false;
    bool awaits_room_ = false;
    bool stale_ = false;
    bool closing_ = false;
    bool stopped_ = false;
    bool living_ = false;
};

pipeline::line::line(boost::asio::io_context& io, config settings)
    : executor_(io.get_executor()), settings_(std::move(settings)),
      unsent_(failure_kind::unavailable, "deadline: not connected"), sweeper_(io), retry_(io)
{}

void pipeline::line::start()
{
    living_ = true;
    auto self = shared_from_this();
    // `detached` would swallow an exception, and the line stand still without a word.
    auto ended = [](std::exception_ptr error) {
        if (error)
            std::rethrow_exception(error);
    };
    boost::asio::co_spawn(executor_, [self] { return self->live(); }, ended);
    boost::asio::co_spawn(executor_, [self] { return self->sweep(); }, ended);
}

void pipeline::line::stop()
{
    closing_ = stopped_ = true;
    connected_ = false;
    if (connection_)
        connection_->cancel();
    sweeper_.cancel();
    retry_.cancel();
    forget_waiting();
}

// Destroying a waiting coroutine may destroy what else it owns, this line's owner for one: empty the queue
// first.
void pipeline::line::forget_waiting()
{
    auto sent = queue_.lose(unsent_);
    auto unsent = queue_.refuse(unsent_);
    auto done = std::move(done_);
}

awaitable<void> pipeline::line::close()
{
    closing_ = true;
    while (queue_.size() > 0) // each has a deadline
        co_await pause(milliseconds(5));
    stop();
    while (living_)
        co_await pause(milliseconds(5));
}

awaitable<void> pipeline::line::pause(milliseconds length)
{
    steady_timer once(executor_, length);
    co_await once.async_wait(use_awaitable);
}

void pipeline::line::tell(std::string_view event, std::string_view detail)
{
    if (settings_.on_event)
        settings_.on_event(event, detail);
}

void pipeline::line::settle(multiplexer::finished done)
{
    for (auto& each : done)
        each->finish();
}

void pipeline::line::submit(std::unique_ptr<request> what)
{
    auto fault = what->work.fault();
    if (fault || closing_ || queue_.size() >= settings_.queue_limit) {
        if (fault)
            what->error = std::move(fault);
        else if (closing_)
            what->error.emplace(failure_kind::unavailable, "closed");
        else
            what->error.emplace(failure_kind::overloaded, "too many batches in flight");
        what->finish();
        return;
    }
    queue_.add(std::move(what), clock::now() + settings_.queue_timeout);
    write_soon();
}

// All that is submitted while the reactor handles one round of events leaves together at its end: in one go,
// but with a send for each batch, since libpq 15 flushes at every Sync. Sharing a Sync would share a failure.
void pipeline::line::write_soon()
{
    if (!connected_ || write_posted_ || awaits_room_)
        return;
    write_posted_ = true;
    boost::asio::post(executor_, [self = shared_from_this()] {
        self->write_posted_ = false;
        self->write();
    });
}

// Stops where the line is full, so that what is unsent can still be given up, and memory stays bounded.
void pipeline::line::write()
{
    while (connected_ && !broken_ && !stale_ && flushed()) {
        auto next = queue_.next_to_send();
        if (!next)
            return;
        auto now = clock::now();
        if (!queue_.expects_answer())
            heard_at_ = now;
        auto sent = send(*next);
        queue_.mark_sent(now + settings_.deadline, step_within(*next) ? 1 : 0);
        if (!sent)
            break_off(failure_of(connection_->get()));
    }
}

bool pipeline::line::send(const request& what)
{
    if (step_within(what)) {
        params workspace;
        workspace.add(*what.work.workspace());
        if (!send(enter_workspace, workspace, 0, 1))
            return false;
    }
    for (const auto& command : what.work.commands())
        if (!send(*command.what, what.work.parameters(), command.first_param, command.param_count))
            return false;
    return PQpipelineSync(connection_->get()) == 1;
}

bool pipeline::line::send(const statement& what, const params& values, std::size_t first, std::size_t count)
{
    values.point(first, count, pointers_);
    auto pg = connection_->get();
    auto size = static_cast<int>(count);
    auto pointers = pointers_.values.data();
    auto lengths = pointers_.lengths.data();
    auto formats = pointers_.formats.data();
    constexpr int binary = 1;
    auto queued = settings_.prepare
                      ? PQsendQueryPrepared(pg, what.name(), size, pointers, lengths, formats, binary)
                      : PQsendQueryParams(pg, what.sql(), size, nullptr, pointers, lengths, formats, binary);
    return queued == 1;
}

// True if libpq holds nothing back. If it does, either readiness is a reason to try again: room to write, or
// something to read, since a server that cannot write does not read either.
bool pipeline::line::flushed()
{
    auto left = PQflush(connection_->get());
    if (left < 0)
        break_off(failure_of(connection_->get()));
    if (left > 0)
        await_room();
    return left == 0;
}

void pipeline::line::await_room()
{
    if (std::exchange(awaits_room_, true))
        return;
    auto woken = [self = shared_from_this(), generation = generation_](error_code) {
        if (generation != self->generation_)
            return;
        self->awaits_room_ = false;
        self->write();
    };
    connection_->socket().async_wait(connection::descriptor::wait_write, woken);
}

// The reader gives the connection up, for it may be in the middle of using it.
void pipeline::line::break_off(const failure& why)
{
    if (!broken_)
        broken_ = why;
    connection_->cancel();
}

void pipeline::line::read()
{
    auto pg = connection_->get();
    // A TLS record can be longer than the room libpq has for it, and its rest does not make the socket
    // readable.
    if (!PQconsumeInput(pg) || (PQsslInUse(pg) && !PQconsumeInput(pg)))
        broken_ = failure_of(pg);
    heard_at_ = clock::now();
    while (queue_.expects_answer() && !PQisBusy(pg) && PQstatus(pg) == CONNECTION_OK) {
        auto done = queue_.take(result(PQgetResult(pg)));
        if (!done)
            continue;
        stale_ = stale_ || (done->error && done->error->kind() == failure_kind::stale);
        done_.push_back(std::move(done));
    }
    hear_notifications();
}

void pipeline::line::hear_notifications()
{
    while (auto notice = PQnotifies(connection_->get())) {
        std::unique_ptr<PGnotify, decltype(&PQfreemem)> owned(notice, PQfreemem);
        if (settings_.on_notification)
            settings_.on_notification(notice->relname, notice->extra);
    }
}

// Always waits for something to read, so it and the server can never wait for each other.
awaitable<failure> pipeline::line::serve()
{
    while (!stopped_) {
        if (stale_ && !queue_.expects_answer())
            co_return failure(failure_kind::unavailable, "the prepared statements are out of date");
        if (broken_)
            co_return *broken_;
        error_code cancelled;
        auto token = boost::asio::redirect_error(use_awaitable, cancelled);
        co_await connection_->socket().async_wait(connection::descriptor::wait_read, token);
        if (broken_ || stopped_)
            continue;
        try {
            read();
        } catch (const failure& out_of_step) {
            broken_ = out_of_step;
        }
        settle(std::exchange(done_, {}));
        write();
    }
    co_return failure(failure_kind::unavailable, "closed");
}

awaitable<std::optional<failure>> pipeline::line::connect()
{
    broken_.reset();
    stale_ = awaits_room_ = false;
    connect_until_ = clock::now() + settings_.connect_timeout;
    connection_ = std::make_unique<connection>(executor_);
    try {
        connection::config how{settings_.conninfo, settings_.statement_timeout, settings_.prepare,
                               settings_.by_index_alone, attempt_};
        co_await connection_->open(how);
        co_return std::nullopt;
    } catch (const failure& why) {
        co_return why;
    } catch (const boost::system::system_error& why) {
        co_return broken_.value_or(failure(failure_kind::unavailable, why.what()));
    }
}

awaitable<void> pipeline::line::live()
{
    // If the io_context goes first, it destroys this frame; nobody is left then who could resume the waiting.
    struct on_exit {
        line& self;
        ~on_exit()
        {
            self.living_ = false;
            self.forget_waiting();
        }
    } guard{*this};

    while (!stopped_) {
        auto refused = co_await connect();
        if (refused) {
            unsent_ = failure(failure_kind::unavailable,
                              std::string("deadline: not connected: ") + refused->what());
            tell("connect failed", refused->what());
            if (refused->kind() == failure_kind::statement) // waiting would not mend it
                settle(queue_.refuse(*refused));
            ++attempt_;
        } else if (!stopped_) {
            unsent_ = failure(failure_kind::unavailable, "deadline: the database was too busy to be asked");
            attempt_ = 0;
            ++generation_;
            connected_ = true;
            tell("connected", PQhost(connection_->get()));
            write();
            auto lost = co_await serve();
            connected_ = false;
            settle(queue_.lose(lost));
            if (!stopped_)
                tell("connection lost", lost.what());
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

// Doubles from attempt to attempt, and half of it is chance: a thousand clients shall not return all at once.
milliseconds pipeline::line::retry_delay()
{
    auto longest = std::min(first_retry * (1 << std::min<std::size_t>(attempt_, 8)), last_retry).count();
    return milliseconds(std::uniform_int_distribution(longest / 2, longest)(random_));
}

awaitable<void> pipeline::line::sweep()
{
    static const failure too_slow(failure_kind::unavailable, "connecting took too long");
    static const failure silent(failure_kind::unavailable, "the database has fallen silent");
    while (!stopped_) {
        error_code cancelled;
        auto token = boost::asio::redirect_error(use_awaitable, cancelled);
        sweeper_.expires_after(sweep_interval);
        co_await sweeper_.async_wait(token);
        if (stopped_)
            break;
        auto now = clock::now();
        settle(queue_.expire(now, unsent_));
        if (!connection_)
            continue;
        if (!connected_ && now > connect_until_)
            break_off(too_slow);
        else if (connected_ && queue_.expects_answer() && now > heard_at_ + 2 * settings_.deadline)
            break_off(silent);
    }
}

pipeline::pipeline(boost::asio::io_context& io, config settings)
    : line_(std::make_shared<line>(io, std::move(settings)))
{
    line_->start();
}

pipeline::~pipeline()
{
    line_->stop();
}

template <class Answer, class Line>
static awaitable<Answer> submit(std::shared_ptr<Line> to, batch work)
{
    auto initiate = [to = std::move(to)](auto handler, batch what) {
        to->submit(std::make_unique<suspended<Answer>>(std::move(what), std::move(handler)));
    };
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<executor>,
                                       void(std::exception_ptr, Answer)>(std::move(initiate), use_awaitable,
                                                                         std::move(work));
}

awaitable<results> pipeline::run(batch work)
{
    return submit<results>(line_, std::move(work));
}

awaitable<result> pipeline::run_one(batch work)
{
    return submit<result>(line_, std::move(work));
}

awaitable<void> pipeline::ready()
{
    batch nothing;
    co_await run(std::move(nothing));
}

awaitable<void> pipeline::close()
{
    return line_->close();
}

bool pipeline::connected() const
{
    return line_->connected();
}

std::uint64_t pipeline::generation() const
{
    return line_->generation();
}

std::size_t pipeline::in_flight() const
{
    return line_->in_flight();
}

} // namespace db
