#include "db/postgres/pipeline.hpp"

#include "db/postgres/known_server.hpp"
#include "db/postgres/multiplexer.hpp"
#include "db/postgres/pipelined_connection.hpp"
#include "db/postgres/rollback_retries.hpp"
#include "db/postgres/spawn.hpp"
#include "db/postgres/suspended_request.hpp"

#include <boost/asio/co_spawn.hpp>
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

/// Of a connection that waits for nothing: then a sweep only notices that another server has taken over.
constexpr milliseconds idle_sweep_interval{1000};
constexpr milliseconds first_retry{50};
constexpr milliseconds last_retry{1000};

} // namespace

/** The queue, and the one connection at a time that serves it. Two activities drive it, both on the one
    thread: run() connects, reads, and connects again after a loss; sweep() enforces deadlines. */
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
    clock::time_point next_sweep() const;
    awaitable<void> pause(milliseconds length);

    void finish_all(multiplexer::finished done);
    void drop_pending();
    void emit(std::string_view event, std::string_view detail);
    milliseconds retry_delay();

    executor executor_;
    config settings_;
    std::shared_ptr<known_server> server_;
    multiplexer queue_;

    /// The present attempt or connection, or null between two.
    std::shared_ptr<pipelined_connection> connection_;

    /// The error of a batch that could not be sent in time.
    failure unsent_error_;

    steady_timer sweeper_;
    steady_timer retry_;

    /// Attempts since the last success.
    std::size_t attempt_ = 0;
    std::uint64_t generation_ = 0;
    rollback_retries retries_;
    std::minstd_rand random_{std::random_device{}()};

    bool connected_ = false;
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
        connection_->stop();
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
    if (connected_)
        connection_->write_soon();
}

awaitable<failure> pipeline::impl::serve()
{
    while (!stopped_) {
        if (auto lost = connection_->lost())
            co_return *lost;
        auto done = co_await connection_->receive();
        finish_all(std::move(done));
        connection_->write();
    }
    co_return failure(failure_kind::unavailable, "closed");
}

awaitable<std::optional<failure>> pipeline::impl::connect()
{
    connection_ = std::make_shared<pipelined_connection>(executor_, settings_, queue_, *server_);
    try {
        co_await connection_->open(attempt_);
        co_return std::nullopt;
    } catch (const failure& why) {
        co_return why;
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
            emit("connected", connection_->host());
            connection_->write();
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

/** A batch that is submitted meanwhile is swept in time: half of its deadline is not over by then. All
    pipelines of a thread sweep at the same multiples of the interval, so that an idle thread wakes up once
    for all of them. */
pipeline::impl::clock::time_point pipeline::impl::next_sweep() const
{
    auto interval = sweep_interval;
    if (connected_ && queue_.size() == 0) {
        auto least = std::min({settings_.queue_timeout, settings_.deadline, settings_.connect_timeout});
        interval = std::clamp(least / 2, sweep_interval, idle_sweep_interval);
    }
    auto now = clock::now().time_since_epoch();
    return clock::time_point(now - now % interval + interval);
}

awaitable<void> pipeline::impl::sweep()
{
    while (!stopped_) {
        error_code cancelled;
        auto token = boost::asio::redirect_error(use_awaitable, cancelled);
        sweeper_.expires_at(next_sweep());
        co_await sweeper_.async_wait(token);
        if (stopped_)
            break;
        auto now = clock::now();
        finish_all(queue_.expire(now, unsent_error_));
        if (connection_)
            connection_->enforce_deadlines(now);
    }
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
