#include "db/principals/node.hpp"

#include "db/principals/notices.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <stdexcept>
#include <utility>

namespace db {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view changes_channel = "latchkey_changes", acks_channel = "latchkey_acknowledgements";
constexpr std::string_view probe_prefix = "probe ";

constexpr auto probe_timeout = 1000ms;
constexpr std::chrono::milliseconds retry_after{200}, listen_again_after{5000};

} // namespace

static const statement listen_to_changes{"node_listen", "LISTEN latchkey_changes"};
static const statement listen_to_acks{"node_listen_to_acks", "LISTEN latchkey_acknowledgements"};

static const statement loopback_probe{"node_probe",
                                      "SELECT pg_notify('latchkey_acknowledgements', 'probe ' || $1)"};

static const statement deregister_node{"node_deregister", "DELETE FROM nodes WHERE id = $1"};

/// A caller of wait_for_acks(), in its frame.
struct node::waiter {
    steady_timer timer;
    std::optional<bool> is_settled;
};

node::node(boost::asio::io_context& io, pool& other_connections, invalidation_bus& bus, db::lease& lease,
           config settings)
    : io_(io), other_connections_(other_connections), bus_(bus), lease_(lease),
      settings_(std::move(settings)), id_(boost::uuids::random_generator()()),
      holder_(settings_.lease_length), recalls_({.fence_after = settings_.fence_after,
                                                 .fence_unproved_after = settings_.lease_length,
                                                 .answer_timeout = settings_.ack_timeout}),
      ticker_(io),
      watch_(io, {.conninfo = settings_.connection.conninfo, .names = settings_.connection.names}),
      connection_(io, with_callbacks(settings_.connection))
{
    bus_.attach_node(id_, [this](uuid change) { return wait_for_acks(change); });
}

node::~node()
{
    lease_.drop();
    bus_.detach_node();
}

pipeline::config node::with_callbacks(pipeline::config settings)
{
    settings.on_event = [this, on_event = std::move(settings.on_event)](std::string_view event,
                                                                        std::string_view detail) {
        if (on_event)
            on_event(event, detail);
        if (event == "connected") {
            // The lease is dropped before the new connection listens: a change committed from then on is
            // either delivered to this node, or its committer sees the new epoch.
            handle(holder_.connected());
            recalls_.connected();
            connected_at_ = boot_clock::now();
            start(0ms);
        }
    };
    settings.on_notification = [this](std::string_view channel, std::string_view payload) {
        try {
            on_notify(channel, payload);
        } catch (const std::exception& why) {
            restart(why.what());
        }
    };
    return settings;
}

/// Run a task. Its unforeseen end must not pass unnoticed: it ends the lease, and is logged.
void node::spawn(awaitable<void> task)
{
    boost::asio::co_spawn(io_, std::move(task), [this](std::exception_ptr error) {
        if (!error)
            return;
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& why) {
            restart(why.what());
        }
    });
}

void node::restart(std::string_view why)
{
    handle(holder_.failed());
    if (settings_.connection.on_event)
        settings_.connection.on_event("lease ended", why);
    start(retry_after);
}

/// A registration or a renewal was refused as a statement, or is late.
void node::fail(std::uint64_t request)
{
    if (request != holder_.current().request)
        return;
    handle(holder_.failed());
    start(retry_after);
}

bool node::is_current(std::uint64_t connection) const
{
    return connection == connection_.generation() && connection_.connected() && !leaving_;
}

/// Listen and register, instead of any earlier start that has not ended.
void node::start(std::chrono::milliseconds after)
{
    spawn(start_later(++start_, connection_.generation(), after));
}

awaitable<void> node::start_later(std::uint64_t start, std::uint64_t connection,
                                  std::chrono::milliseconds after)
{
    if (after > 0ms)
        co_await sleep(after);
    if (start == start_ && is_current(connection))
        co_await serve_connection(start, connection);
}

/* A LISTEN or a probe that fails says nothing about whether notices arrive: it is tried again, and what was
   known remains. The tracker may not be kept from looking for longer than a lease. */
awaitable<void> node::serve_connection(std::uint64_t start, std::uint64_t connection)
{
    using reception = recall_tracker::reception;
    if (!settings_.connection.prepare)
        co_return handle(recalls_.listens(reception::none, boot_clock::now()));
    auto is_heard = false, has_failed = false;
    try {
        is_heard = co_await listen();
    } catch (const failure&) { // a statement was refused or late, or a connection is lost
        has_failed = true;
    }
    if (start != start_ || !is_current(connection))
        co_return;
    auto now = boot_clock::now();
    auto knows_nothing = !recalls_.current().ready && now - connected_at_ >= settings_.lease_length;
    if (!has_failed || knows_nothing)
        handle(recalls_.listens(is_heard ? reception::proved : reception::unproved, now));
    if (!is_heard)
        this->start(has_failed ? retry_after : listen_again_after);
    else if (settings_.has_cache)
        handle(holder_.listening(now));
}

/// LISTEN, then verify delivery with a NOTIFY sent on another connection (a pooler may drop it).
awaitable<bool> node::listen()
{
    batch both;
    both.add(listen_to_changes).add(listen_to_acks);
    co_await connection_.run(std::move(both));
    probe_ = to_string(boost::uuids::random_generator()());
    co_await other_connections_.run(loopback_probe, probe_);
    auto until = boot_clock::now() + probe_timeout;
    while (!probe_.empty() && boot_clock::now() < until)
        co_await sleep(5ms);
    co_return probe_.empty();
}

awaitable<void> node::deregister()
{
    leaving_ = true;
    handle(holder_.failed());
    if (settings_.has_cache && connection_.connected())
        co_await connection_.run(deregister_node, id_);
}

void node::on_notify(std::string_view channel, std::string_view payload)
{
    if (channel == acks_channel)
        return on_acknowledgement(payload);
    if (channel != changes_channel)
        return;
    add_notice(payload, id_, notices_);
    if (std::exchange(notices_posted_, true))
        return;
    boost::asio::post(io_, [this] { apply_notices(); });
}

/// An acknowledgement, or a loopback probe.
void node::on_acknowledgement(std::string_view payload)
{
    if (payload.starts_with(probe_prefix)) {
        if (payload.substr(probe_prefix.size()) == probe_)
            probe_.clear();
        return;
    }
    auto received = parse_acknowledgement(payload);
    if (received.to == id_)
        handle(recalls_.acknowledged(received.changes, received.from, boot_clock::now()));
}

/// What one read of the socket has delivered is evicted together. Called before any answer that came later
/// is handled.
void node::apply_notices()
{
    if (!std::exchange(notices_posted_, false))
        return;
    if (!notices_.affected.empty() || !notices_.changes.empty())
        handle(holder_.heard(std::exchange(notices_, {}), boot_clock::now()));
}

template <class Actions>
void node::handle(Actions actions)
{
    for (auto& each : actions)
        actions_.emplace_back(std::move(each));
    if (performing_)
        return;
    struct guard {
        bool& flag;
        ~guard() { flag = false; }
    } ends{performing_};
    performing_ = true;
    while (!actions_.empty()) {
        auto next = std::move(actions_.front());
        actions_.pop_front();
        auto perform_one = [this](auto& what) { this->perform(std::move(what)); };
        std::visit([&](auto& side) { std::visit(perform_one, side); }, next);
    }
    schedule_tick();
}

template void node::handle(lease_holder::actions);
template void node::handle(recall_tracker::actions);

void node::schedule_tick()
{
    auto first = holder_.wake_at();
    if (auto other = recalls_.wake_at(); other && (!first || *other < *first))
        first = other;
    if (!first) {
        ticker_.cancel();
        return;
    }
    auto left = std::chrono::ceil<std::chrono::milliseconds>(*first - boot_clock::now());
    ticker_.expires_after(std::max(left, std::chrono::milliseconds(0)));
    ticker_.async_wait([this](boost::system::error_code cancelled) {
        if (cancelled)
            return;
        apply_notices();
        auto now = boot_clock::now();
        handle(holder_.tick(now));
        handle(recalls_.tick(now));
    });
}

awaitable<void> node::wait_for_acks(uuid change)
{
    co_await boost::asio::co_spawn(io_, track_change(change), use_awaitable);
}

awaitable<void> node::track_change(uuid change)
{
    waiter self{steady_timer(io_.get_executor(), steady_timer::time_point::max()), std::nullopt};
    struct guard {
        std::shared_ptr<waiters> all;
        waiters::iterator entry;
        ~guard() { all->erase(entry); }
    } erases{waiters_, waiters_->emplace(change, &self)};
    handle(recalls_.committed(change, boot_clock::now()));
    while (!self.is_settled) {
        boost::system::error_code woken;
        co_await self.timer.async_wait(boost::asio::redirect_error(use_awaitable, woken));
    }
    if (!*self.is_settled)
        throw look_error_.value_or(
            failure(failure_kind::unavailable, "the other nodes are not known to have evicted"));
}

void node::finish(const uuid& change, bool is_settled)
{
    auto [begin, end] = waiters_->equal_range(change);
    for (auto each = begin; each != end; ++each) {
        each->second->is_settled = is_settled;
        each->second->timer.cancel();
    }
}

awaitable<void> node::sleep(std::chrono::milliseconds time)
{
    steady_timer timer(io_.get_executor(), time);
    boost::system::error_code woken;
    co_await timer.async_wait(boost::asio::redirect_error(use_awaitable, woken));
}

} // namespace db
