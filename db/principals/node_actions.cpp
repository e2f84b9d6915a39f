// The actions of the lease protocol: what a node evicts, and what it sends to PostgreSQL.
#include "db/principals/node.hpp"

#include <optional>
#include <utility>

namespace db {

namespace {

using namespace std::chrono_literals;

/// How long after the end of its lease a node's row is deleted, and how often that is attempted.
constexpr auto reap_after = 60s, reap_every = 10s;

} // namespace

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

// A renewal that is lost in a crash of PostgreSQL was answered on a connection that the crash ended, and the
// other nodes count the lease from what they read on their next connections. So no renewal waits for the
// disk: its connection delivers no notice meanwhile. It does wait for a synchronous standby: that is how the
// earlier of two primaries renews no lease.
static const statement skip_flush{"node_skip_flush", R"(
    SELECT set_config('synchronous_commit', 'off', true)
    WHERE current_setting('synchronous_standby_names') = '')"};

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
    auto append = [](std::vector<uuid>& to, const std::vector<uuid>& from) {
        to.insert(to.end(), from.begin(), from.end());
    };
    append(unsent_acks_.changes, what.changes);
    append(unsent_acks_.origins, what.origins);
    if (!std::exchange(sending_acks_, true))
        spawn(send_acknowledgements());
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

/* What is to be acknowledged meanwhile is sent together, since each transaction with a NOTIFY waits for the
   commits of those before it. On another connection than the one that listens, which delivers no notice and
   answers no renewal while it waits. What an acknowledgement says stays true, so that it may arrive late. */
awaitable<void> node::send_acknowledgements()
{
    while (!unsent_acks_.changes.empty()) {
        auto next = std::exchange(unsent_acks_, {});
        bool is_sent = false;
        if (other_connections_.connected()) {
            try {
                co_await other_connections_.run(acknowledge_changes, id_, next.changes, next.origins);
                is_sent = true;
            } catch (const failure&) {
                // That connection is lost; the one that listens may not be.
            }
        }
        if (is_sent)
            continue;
        try {
            co_await connection_.run(acknowledge_changes, id_, next.changes, next.origins);
        } catch (const failure&) {
            // The connection is lost; the origin publishes the change again.
        }
    }
    sending_acks_ = false; // no guard: at the end of the process, the frame may outlive the node
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
    work.add(skip_flush).add(renew_lease, id_, what.epoch).add(find_others, id_);
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
    if (auto row = (*answers)[1].as_optional<renewal_row>())
        handle(holder_.renewed(what.request, row->at.time_since_epoch(), now));
    else
        handle(holder_.refused(what.request, now));
    auto others = answers->last().as_vector<node_record>();
    handle(recalls_.observed(others, sent, now));
    if (on_live_nodes)
        on_live_nodes(recalls_.live() + 1);
    co_await reap_dead_nodes();
}

/// The tracker, which has a few looks at a time, is informed of any end.
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
    } catch (...) {
        fencing_ = false;
        throw;
    }
    fencing_ = false;
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

} // namespace db
