#include "db/principals/node.hpp"

#include "db/postgres/spawn.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <stdexcept>
#include <utility>

namespace db {

namespace {

using namespace std::chrono_literals;

constexpr std::string_view changes_channel = "latchkey_changes", acks_channel = "latchkey_acknowledgements";
constexpr std::string_view probe_kind = "probe";

/// Polling intervals while a change awaits acknowledgements.
constexpr auto first_poll_after = 100ms, poll_every = 250ms;

constexpr auto probe_timeout = 1000ms;
constexpr std::chrono::milliseconds retry_after{200}, listen_again_after{5000};

/// How long after the end of its lease a node's row is deleted, and how often that is attempted.
constexpr auto reap_after = 60s, reap_every = 10s;

/// A safety margin for clocks that run at different rates (PostgreSQL's is not involved): a twentieth is far
/// more than any drift.
std::chrono::milliseconds margin_of(std::chrono::milliseconds length)
{
    return length / 20;
}

std::optional<uuid> read_uuid(std::string_view text)
{
    try {
        return boost::uuids::string_generator()(text.begin(), text.end());
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

/// Take the next word off the front of a notice.
std::string_view take_word(std::string_view& text)
{
    auto end = std::min(text.find(' '), text.size());
    auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

} // namespace

static const statement listen_to_changes{"node_listen", "LISTEN latchkey_changes"};
static const statement listen_to_acks{"node_listen_to_acks", "LISTEN latchkey_acknowledgements"};

static const statement loopback_probe{"node_probe",
                                      "SELECT pg_notify('latchkey_acknowledgements', 'probe ' || $1)"};

static const statement register_node{"node_register", R"(
    INSERT INTO nodes AS n (id, epoch, renewals, lease_ms) VALUES ($1, 1, 1, $2)
    ON CONFLICT (id) DO UPDATE SET epoch = n.epoch + 1, renewals = n.renewals + 1, renewed_at = now()
    RETURNING epoch)"};

static const statement renew_lease{"node_renew", R"(
    UPDATE nodes SET renewals = renewals + 1, renewed_at = now() WHERE id = $1 AND epoch = $2)"};

static const statement find_others{"node_find_others",
                                   "SELECT id, epoch, renewals, lease_ms FROM nodes WHERE id <> $1"};

// Fencing: a node with a raised epoch finds at its next renewal that it has to register again.
static const statement fence_others{"node_fence_others", R"(
    WITH locked AS (SELECT id FROM nodes WHERE id <> $1 ORDER BY id FOR NO KEY UPDATE)
    UPDATE nodes SET epoch = epoch + 1 WHERE id IN (SELECT id FROM locked)
    RETURNING id, epoch, renewals, lease_ms)"};

static const statement deregister_node{"node_deregister", "DELETE FROM nodes WHERE id = $1"};

static const statement reap_node{"node_reap",
                                 "DELETE FROM nodes WHERE id = $1 AND epoch = $2 AND renewals = $3"};

static const statement republish_change{"node_republish", "SELECT republish_change($1, $2)"};

static const statement acknowledge{"node_acknowledge", "SELECT acknowledge_changes($1, $2, $3)"};

node::node(boost::asio::io_context& io, pool& other_connections, invalidation_bus& bus, db::lease& lease,
           config settings)
    : io_(io), other_connections_(other_connections), bus_(bus), lease_(lease),
      settings_(std::move(settings)), id_(boost::uuids::random_generator()()),
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
        if (event == "connected")
            spawn(io_.get_executor(), serve_connection());
    };
    settings.on_notification = [this](std::string_view channel, std::string_view payload) {
        on_notify(channel, payload);
    };
    return settings;
}

/* The lease is dropped before the new connection listens: a change committed from then on is either delivered
   to this node, or its committer sees the new epoch, which begins once the cache is empty. */
awaitable<void> node::serve_connection()
{
    auto connection = connection_.generation();
    lease_.drop();
    acks_.reset();
    listen_state_ = settings_.connection.prepare ? listen_state::unknown : listen_state::fails;
    if (!settings_.connection.prepare)
        co_return;
    auto again_after = listen_again_after;
    try {
        co_await listen();
        if (listen_state_ == listen_state::works && !settings_.has_cache)
            co_return;
        if (listen_state_ == listen_state::works)
            co_await keep_lease(connection);
    } catch (const failure&) { // a statement was refused or late, or the connection is lost
        listen_state_ = listen_state::fails;
        again_after = retry_after;
    }
    lease_.drop();
    co_await sleep(again_after);
    if (connection == connection_.generation() && connection_.connected() && !leaving_)
        spawn(io_.get_executor(), serve_connection());
}

/// LISTEN, then verify delivery with a NOTIFY sent on another connection (a pooler may drop it).
awaitable<void> node::listen()
{
    batch both;
    both.add(listen_to_changes).add(listen_to_acks);
    co_await connection_.run(std::move(both));
    probe_ = to_string(boost::uuids::random_generator()());
    auto until = boot_clock::now() + probe_timeout;
    co_await other_connections_.run(loopback_probe, probe_);
    while (!probe_.empty() && boot_clock::now() < until)
        co_await sleep(5ms);
    listen_state_ = probe_.empty() ? listen_state::works : listen_state::fails;
}

awaitable<void> node::keep_lease(std::uint64_t connection)
{
    auto is_same = [&] { return connection == connection_.generation() && !leaving_; };
    while (is_same()) {
        lease_.drop();
        auto registered = co_await connection_.run(register_node, id_,
                                                   static_cast<std::int32_t>(settings_.lease_length.count()));
        epoch_ = registered.scalar<std::int64_t>();
        while (is_same()) {
            // If the cores do not evict in time, the lease must expire.
            if (!is_lagging()) {
                bool ours = co_await renew();
                if (!ours)
                    break;
            }
            co_await reap_dead_nodes();
            co_await sleep(settings_.lease_length / 4);
        }
    }
}

/// @return false if another node has fenced this one, or the connection has changed
awaitable<bool> node::renew()
{
    auto connection = connection_.generation();
    auto sent = boot_clock::now();
    batch work;
    work.add(renew_lease, id_, epoch_).add(find_others, id_);
    auto answers = co_await connection_.run(std::move(work));
    if (connection != connection_.generation() || leaving_)
        co_return false;

    auto others = answers.last().as_vector<node_record>();
    acks_.observe(others, boot_clock::now());
    if (on_live_nodes)
        on_live_nodes(acks_.live(boot_clock::now()) + 1);
    if (answers.first().affected() == 0)
        co_return false;

    // After a gap the cache must be emptied first: the others need not have waited for this node.
    if (!lease_.holds()) {
        invalidation all;
        all.everything = true;
        co_await bus_.evict(std::move(all));
        if (connection != connection_.generation() || leaving_)
            co_return false;
    }
    lease_.grant(sent + settings_.lease_length - margin_of(settings_.lease_length));
    co_return true;
}

awaitable<void> node::reap_dead_nodes()
{
    auto now = boot_clock::now();
    if (now - reaped_at_ < reap_every)
        co_return;
    reaped_at_ = now;
    for (auto& each : acks_.dead(now, reap_after))
        co_await connection_.run(reap_node, each.id, each.epoch, each.renewals);
}

awaitable<void> node::deregister()
{
    leaving_ = true;
    lease_.drop();
    if (settings_.has_cache && connection_.connected())
        co_await connection_.run(deregister_node, id_);
}

void node::on_notify(std::string_view channel, std::string_view payload)
{
    if (channel == acks_channel)
        return on_acknowledgement(payload);
    if (channel != changes_channel)
        return;
    notices_.emplace_back(payload);
    if (!applying_since_) {
        applying_since_ = boot_clock::now();
        spawn(io_.get_executor(), apply_notices());
    }
}

/// The acknowledging node, the node it answers, and the changes; or a loopback probe.
void node::on_acknowledgement(std::string_view payload)
{
    auto first = take_word(payload);
    if (first == probe_kind) {
        if (payload == probe_)
            probe_.clear();
        return;
    }
    auto from = read_uuid(first);
    if (!from || read_uuid(take_word(payload)) != id_)
        return;
    while (!payload.empty()) {
        auto change = read_uuid(take_word(payload));
        if (!change)
            continue;
        acks_.acknowledge(*change, *from);
        auto [begin, end] = sleepers_->equal_range(*change);
        for (auto each = begin; each != end; ++each)
            each->second->cancel();
    }
}

/// Several notices, of one transaction or of more, applied together.
struct node::notice_batch {
    invalidation affected;

    /// Changes of other nodes to acknowledge, and for each the node that made it.
    std::vector<uuid> changes, origins;

    void add(std::string_view notice, const uuid& self)
    {
        auto kind = take_word(notice);
        auto id = read_uuid(take_word(notice));
        if (id && kind == "credential") {
            affected.credentials.push_back(*id);
        } else if (id && kind == "user") {
            affected.users.push_back(*id);
        } else if (id && kind == "workspace") {
            affected.workspaces.push_back(*id);
        } else if (id && kind == "end") {
            auto origin = read_uuid(take_word(notice));
            if (origin && *origin != self) {
                changes.push_back(*id);
                origins.push_back(*origin);
            }
        } else {
            affected.everything = true; // a notice of a newer version
        }
    }
};

/// Evict in the order of delivery: an acknowledged change implies that all notices before it were applied.
awaitable<void> node::apply_notices()
{
    while (!notices_.empty()) {
        applying_since_ = boot_clock::now();
        notice_batch now;
        for (auto& notice : std::exchange(notices_, {}))
            now.add(notice, id_);
        if (!now.affected.empty())
            co_await bus_.evict(std::move(now.affected));
        if (now.changes.empty())
            continue;
        try {
            co_await connection_.run(acknowledge, id_, now.changes, now.origins);
        } catch (const failure&) {
            // The connection is lost; the origin publishes the change again.
        }
    }
    applying_since_.reset();
}

bool node::is_lagging() const
{
    return applying_since_ && boot_clock::now() - *applying_since_ > settings_.lease_length / 2;
}

awaitable<void> node::wait_for_acks(uuid change)
{
    co_await boost::asio::co_spawn(io_, track_change(change), use_awaitable);
}

awaitable<void> node::track_change(uuid change)
{
    auto give_up_at = boot_clock::now() + settings_.ack_timeout;
    auto poll_after = first_poll_after;
    for (;;) {
        std::optional<failure> failed;
        try {
            if (!acks_.is_tracking(change)) {
                auto others = co_await find_other_nodes();
                acks_.begin(change, others, boot_clock::now());
            }
            if (acks_.is_complete(change, boot_clock::now()))
                co_return;
            co_await sleep_until_ack(change, poll_after);
            if (acks_.is_complete(change, boot_clock::now()))
                co_return;
            co_await poll_acks(change);
            poll_after = poll_every;
            give_up_at = boot_clock::now() + settings_.ack_timeout; // the database responds
        } catch (const failure& why) {
            failed = why;
        }
        if (failed && boot_clock::now() >= give_up_at) {
            acks_.abandon(change);
            throw *failed;
        }
        if (failed)
            co_await sleep(retry_after);
    }
}

/// The other nodes' rows. A node that cannot receive acknowledgements fences the others: each registers again
/// with an empty cache, or lets its lease expire.
awaitable<std::vector<node_record>> node::find_other_nodes()
{
    while (listen_state_ == listen_state::unknown)
        co_await sleep(5ms);
    auto& how = listen_state_ == listen_state::works ? find_others : fence_others;
    auto found = co_await connection_.run(how, id_);
    co_return found.as_vector<node_record>();
}

/// Publish again: an acknowledgement can be lost, and a node can have begun to listen after the first notice.
awaitable<void> node::poll_acks(uuid change)
{
    batch work;
    work.add(republish_change, change, id_).add(find_others, id_);
    auto answers = co_await connection_.run(std::move(work));
    auto others = answers.last().as_vector<node_record>();
    acks_.observe(others, boot_clock::now());
}

awaitable<void> node::sleep_until_ack(uuid change, std::chrono::milliseconds at_most)
{
    steady_timer timer(io_.get_executor(), at_most);
    struct guard {
        std::shared_ptr<timers> all;
        timers::iterator entry;
        ~guard() { all->erase(entry); }
    } erases{sleepers_, sleepers_->emplace(change, &timer)};
    boost::system::error_code woken;
    co_await timer.async_wait(boost::asio::redirect_error(use_awaitable, woken));
}

awaitable<void> node::sleep(std::chrono::milliseconds time)
{
    steady_timer timer(io_.get_executor(), time);
    boost::system::error_code woken;
    co_await timer.async_wait(boost::asio::redirect_error(use_awaitable, woken));
}

} // namespace db
