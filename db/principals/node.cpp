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

/// How long after the end of its lease a node's row is deleted, and how often that is attempted.
constexpr auto reap_after = 60s, reap_every = 10s;

} // namespace

static const statement listen_to_changes{"node_listen", "LISTEN latchkey_changes"};
static const statement listen_to_acks{"node_listen_to_acks", "LISTEN latchkey_acknowledgements"};

static const statement loopback_probe{"node_probe",
                                      "SELECT pg_notify('latchkey_acknowledgements', 'probe ' || $1)"};

// Refused, without a row, if a later one was executed: PostgreSQL may execute a request of a connection long
// after the connection was given up, while the node holds a lease that it got on the next one. The time is
// not now(), which is the start of the transaction: that may have waited for a lock.
static const statement register_node{"node_register", R"(
    INSERT INTO nodes AS n (id, epoch, renewals, lease_ms, request)
    VALUES ($1, nextval('node_epochs'), 1, $2, $3)
    ON CONFLICT (id) DO UPDATE SET epoch = excluded.epoch, renewals = n.renewals + 1, fenced = false,
                                   request = excluded.request, renewed_at = now()
    WHERE n.request < excluded.request
    RETURNING epoch, clock_timestamp() AS at)"};

// Fencing: a fenced node finds at its next renewal that it has to register again.
static const statement renew_lease{"node_renew", R"(
    UPDATE nodes SET renewals = renewals + 1, renewed_at = now()
    WHERE id = $1 AND epoch = $2 AND NOT fenced AND NOT pg_is_in_recovery()
    RETURNING epoch, clock_timestamp() AS at)"};

static const statement find_others{"node_find_others",
                                   "SELECT id, epoch, renewals, lease_ms FROM nodes WHERE id <> $1"};

// It waits for no lock, which would delay this node's own renewals: what it skips is fenced the next time.
static const statement fence_nodes{"node_fence", R"(
    UPDATE nodes SET fenced = true
    WHERE id IN (SELECT n.id FROM nodes n JOIN unnest($1::uuid[], $2::bigint[]) AS target (id, epoch)
                                  ON n.id = target.id AND n.epoch = target.epoch
                 ORDER BY n.id FOR UPDATE OF n SKIP LOCKED))"};

static const statement deregister_node{"node_deregister", "DELETE FROM nodes WHERE id = $1"};

static const statement reap_node{"node_reap", R"(
    DELETE FROM nodes WHERE id = (SELECT id FROM nodes WHERE id = $1 AND epoch = $2 AND renewals = $3
                                  FOR UPDATE SKIP LOCKED))"};

static const statement republish_changes{"node_republish", "SELECT republish_changes($1, $2, $3)"};

static const statement acknowledge_changes{"node_acknowledge", "SELECT acknowledge_changes($1, $2, $3)"};

namespace {

struct renewal_row {
    std::int64_t epoch = 0;
    timestamp at;
};
BOOST_DESCRIBE_STRUCT(renewal_row, (), (epoch, at))

} // namespace

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
      ticker_(io), connection_(io, with_callbacks(settings_.connection))
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

void node::perform(lease_holder::drop_lease)
{
    lease_.drop();
}

void node::perform(lease_holder::grant_lease what)
{
    lease_.grant(what.until);
}

void node::perform(lease_holder::start_eviction what)
{
    spawn(evict(what.round, std::move(what.affected)));
}

void node::perform(lease_holder::acknowledge what)
{
    spawn(send_acknowledgements(std::move(what)));
}

void node::perform(lease_holder::register_node what)
{
    spawn(send_registration(what.request));
}

void node::perform(lease_holder::renew what)
{
    spawn(send_renewal(what));
}

void node::perform(recall_tracker::look what)
{
    spawn(send_look(std::move(what)));
}

void node::perform(recall_tracker::fence what)
{
    spawn(send_fence(std::move(what)));
}

void node::perform(recall_tracker::settled what)
{
    finish(what.change, true);
}

void node::perform(recall_tracker::gave_up what)
{
    finish(what.change, false);
}

awaitable<void> node::evict(std::uint64_t round, invalidation affected)
{
    co_await bus_.evict(std::move(affected));
    handle(holder_.evicted(round, boot_clock::now()));
}

awaitable<void> node::send_acknowledgements(lease_holder::acknowledge what)
{
    try {
        co_await connection_.run(acknowledge_changes, id_, what.changes, what.origins);
    } catch (const failure&) {
        // The connection is lost; the origin publishes the change again.
    }
}

awaitable<void> node::send_registration(std::uint64_t request)
{
    auto connection = connection_.generation();
    auto length = static_cast<std::int32_t>(settings_.lease_length.count());
    std::optional<renewal_row> row;
    try {
        auto number = static_cast<std::int64_t>(request);
        auto answer = co_await connection_.run(register_node, id_, length, number);
        row = answer.as_one<renewal_row>();
    } catch (const failure&) {
        // Handled below.
    }
    if (!is_current(connection))
        co_return;
    if (!row)
        co_return fail(request);
    apply_notices();
    handle(holder_.registered(request, row->epoch, row->at.time_since_epoch(), boot_clock::now()));
}

/// Renew, and look at the other nodes.
awaitable<void> node::send_renewal(lease_holder::renew what)
{
    auto connection = connection_.generation();
    auto sent = boot_clock::now();
    std::optional<results> answers;
    batch work;
    work.add(renew_lease, id_, what.epoch).add(find_others, id_);
    try {
        answers = co_await connection_.run(std::move(work));
    } catch (const failure&) {
        // Handled below.
    }
    if (!is_current(connection))
        co_return;
    if (!answers)
        co_return fail(what.request);
    apply_notices();
    auto now = boot_clock::now();
    if (auto row = answers->first().as_optional<renewal_row>())
        handle(holder_.renewed(what.request, row->at.time_since_epoch(), now));
    else
        handle(holder_.refused(what.request, now));
    auto others = answers->last().as_vector<node_record>();
    handle(recalls_.observed(others, sent, now));
    if (on_live_nodes)
        on_live_nodes(recalls_.live() + 1);
    co_await reap_dead_nodes();
}

/// A registration or a renewal was refused as a statement, or is late.
void node::fail(std::uint64_t request)
{
    if (request != holder_.current().request)
        return;
    handle(holder_.failed());
    start(retry_after);
}

/// Whatever ends it, the tracker is informed: it has a few looks at a time.
awaitable<void> node::send_look(recall_tracker::look what)
{
    auto connection = connection_.generation();
    std::optional<std::vector<node_record>> others;
    batch work;
    if (!what.changes.empty())
        work.add(republish_changes, id_, what.awaited, what.changes);
    work.add(find_others, id_);
    try {
        if (connection_.connected()) {
            auto answers = co_await connection_.run(std::move(work));
            others = answers.last().as_vector<node_record>();
        }
    } catch (const failure& why) {
        look_error_ = why;
    } catch (const std::exception& why) {
        look_error_ = failure(failure_kind::unavailable, why.what());
    }
    auto now = boot_clock::now();
    if (!others || connection != connection_.generation())
        co_return handle(recalls_.look_failed(what.id, now));
    handle(recalls_.looked(what.id, *others, now));
}

/// One at a time. It is repeated until the changes are settled.
awaitable<void> node::send_fence(recall_tracker::fence what)
{
    if (fencing_ || !connection_.connected())
        co_return;
    struct guard {
        bool& flag;
        ~guard() { flag = false; }
    } ends{fencing_};
    fencing_ = true;
    std::vector<uuid> ids;
    std::vector<std::int64_t> epochs;
    for (auto& each : what.targets) {
        ids.push_back(each.node);
        epochs.push_back(each.epoch);
    }
    try {
        co_await connection_.run(fence_nodes, ids, epochs);
        if (settings_.connection.on_event)
            settings_.connection.on_event("nodes fenced", std::to_string(ids.size()));
    } catch (const failure&) {
        // The next time.
    }
}

awaitable<void> node::reap_dead_nodes()
{
    auto now = boot_clock::now();
    if (now - reaped_at_ < reap_every)
        co_return;
    reaped_at_ = now;
    try {
        for (auto& each : recalls_.dead(reap_after))
            co_await connection_.run(reap_node, each.id, each.epoch, each.renewals);
    } catch (const failure&) {
        // The next time.
    }
}

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
