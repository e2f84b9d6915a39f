#include "db/principals/invalidation_bus.hpp"

#include "db/postgres/spawn.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <map>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace db {

namespace {

/** An event that one coroutine waits for. Only that coroutine's thread uses it, and it has no member of an
    io_context: it may outlive the coroutine, and any thread may destroy it. */
struct event {
    bool has_happened = false;
    steady_timer* sleeper = nullptr;

    void happen()
    {
        has_happened = true;
        if (sleeper)
            sleeper->cancel();
    }
};

/// Wait for an event. The timer is local to this frame, so it does not outlive its io_context.
awaitable<void> wait_for(std::shared_ptr<event> awaited)
{
    steady_timer sleeper(co_await boost::asio::this_coro::executor, steady_timer::time_point::max());
    struct guard {
        event& of;
        ~guard() { of.sleeper = nullptr; }
    } clears_sleeper{*awaited};
    awaited->sleeper = &sleeper;
    while (!awaited->has_happened) {
        boost::system::error_code woken;
        co_await sleeper.async_wait(boost::asio::redirect_error(use_awaitable, woken));
    }
}

/// One eviction on all cores. The event is its end; the state's lock guards the rest.
struct eviction : event {
    invalidation affected;

    /// Cores that have not evicted yet.
    std::size_t pending = 0;
    boost::asio::io_context* caller = nullptr;
    bool caller_registered = false;
};

using eviction_ref = std::shared_ptr<eviction>;

} // namespace

class invalidation_bus::state : public std::enable_shared_from_this<state> {
public:
    struct attached_node {
        uuid origin{};
        invalidation_bus::wait_for_acks wait_for_acks;
    };

    explicit state(config settings) : settings_(settings) {}

    void register_core(boost::asio::io_context& io, principals& cache)
    {
        std::scoped_lock lock(mutex_);
        cores_.push_back({&io, &cache, {}, {}});
    }

    /// The transactions of a core that wait for their group. @return null if the core is not registered
    std::shared_ptr<commit_queue> find_queue(const boost::asio::io_context& io, const pool& db)
    {
        std::scoped_lock lock(mutex_);
        auto found = find(io);
        if (found == cores_.end())
            return nullptr;
        auto& queue = found->queues[&db];
        if (!queue)
            queue = std::make_shared<commit_queue>();
        return queue;
    }

    std::chrono::milliseconds patience() const { return settings_.patience; }

    /// Completes every eviction that waits for this core: it serves no requests any more.
    void unregister_core(boost::asio::io_context& io)
    {
        std::scoped_lock lock(mutex_);
        auto leaving = find(io);
        auto pending = std::move(leaving->pending);
        cores_.erase(leaving);
        for (const auto& each : pending)
            complete(each);
    }

    /// Start an eviction on all cores. @return the eviction to wait for
    eviction_ref begin(boost::asio::io_context& caller, invalidation affected)
    {
        auto started = std::make_shared<eviction>();
        started->affected = std::move(affected);
        started->caller = &caller;
        auto own = find_cache(caller);
        auto has_evicted = !own || own->evict_slice(started->affected, true);
        std::scoped_lock lock(mutex_);
        for (auto& core : cores_)
            if (core.io != &caller || !has_evicted) {
                core.pending.push_back(started);
                ++started->pending;
                post(*core.io, started, core.io != &caller);
            }
        started->caller_registered = own != nullptr;
        started->has_happened = started->pending == 0;
        return started;
    }

    /// Evict once more when a batch with an unknown outcome has certainly ended.
    void begin_again_later(boost::asio::io_context& caller, invalidation affected)
    {
        spawn(caller.get_executor(), again(shared_from_this(), &caller, std::move(affected)));
    }

    /// Set while no core runs.
    std::optional<attached_node> node;

private:
    struct core {
        boost::asio::io_context* io;
        principals* cache;
        std::vector<eviction_ref> pending;

        /// Used on the core's thread.
        std::map<const pool*, std::shared_ptr<commit_queue>> queues;
    };

    static awaitable<void> again(std::shared_ptr<state> self, boost::asio::io_context* caller,
                                 invalidation affected)
    {
        steady_timer wait(*caller, self->settings_.in_doubt_time);
        co_await wait.async_wait(use_awaitable);
        self->begin(*caller, std::move(affected));
    }

    std::vector<core>::iterator find(const boost::asio::io_context& io)
    {
        return std::ranges::find(cores_, &io, &core::io);
    }

    /// @return null if the core is not registered
    principals* find_cache(const boost::asio::io_context& io)
    {
        std::scoped_lock lock(mutex_);
        auto found = find(io);
        return found == cores_.end() ? nullptr : found->cache;
    }

    void post(boost::asio::io_context& io, const eviction_ref& current, bool is_first)
    {
        boost::asio::post(io, [self = shared_from_this(), &io, current, is_first] {
            self->evict_on(io, current, is_first);
        });
    }

    /// Runs on the core's own thread, so the core cannot unregister meanwhile. Requests are served between
    /// the slices of a large eviction.
    void evict_on(boost::asio::io_context& io, const eviction_ref& current, bool is_first)
    {
        auto cache = find_cache(io);
        if (!cache)
            return; // unregister_core() completed it
        if (!cache->evict_slice(current->affected, is_first))
            return post(io, current, false);
        std::scoped_lock lock(mutex_);
        std::erase(find(io)->pending, current);
        complete(current);
    }

    /// One core has evicted. Called under the lock, so that a caller cannot unregister before the post.
    void complete(const eviction_ref& current)
    {
        if (--current->pending > 0)
            return;
        if (current->caller_registered && find(*current->caller) == cores_.end())
            return; // the caller has stopped, and its coroutine is destroyed
        boost::asio::post(*current->caller, [current] { current->happen(); });
    }

    config settings_;
    std::mutex mutex_;
    std::vector<core> cores_;
};

invalidation_bus::invalidation_bus(config settings) : state_(std::make_shared<state>(settings)) {}
invalidation_bus::~invalidation_bus() = default;

invalidation_bus::registration invalidation_bus::register_core(boost::asio::io_context& io, principals& core)
{
    state_->register_core(io, core);
    return {state_, io};
}

void invalidation_bus::attach_node(const uuid& origin, wait_for_acks wait)
{
    state_->node = {origin, std::move(wait)};
}

void invalidation_bus::detach_node()
{
    state_->node.reset();
}

// Triggers on the tables send a notice for every affected subject; this ends them with one that names the
// change. Returns its id, or NULL if nothing has changed.
static const statement publish_change{"invalidation_publish", "SELECT publish_change($1, $2)"};

namespace {

/// Whether other nodes are affected: notices name no other kinds of subject.
bool concerns_other_nodes(const invalidation& affected)
{
    return affected.everything || !affected.credentials.empty() || !affected.users.empty() ||
           !affected.workspaces.empty();
}

/// The change to wait for. A repeated revocation changes no row, but has to wait as the first one did.
awaitable<std::optional<uuid>> name_change(pool& db, const uuid& origin, std::optional<uuid> published,
                                           const invalidation& affected)
{
    if (published || !concerns_other_nodes(affected))
        co_return published;
    auto named = co_await db.run(publish_change, origin, true);
    co_return named.scalar<std::optional<uuid>>();
}

} // namespace

awaitable<results> invalidation_bus::commit(pool& db, batch work, invalidation affected)
{
    return commit(db, std::move(work), std::move(affected), nullptr);
}

awaitable<results> invalidation_bus::commit(pool& db, batch work, invalidation at_most,
                                            std::function<invalidation(const results&)> from)
{
    return commit_moving(db, std::move(work), std::move(at_most), std::move(from));
}

awaitable<results> invalidation_bus::commit_moving(pool& db, batch work, invalidation at_most,
                                                   std::function<invalidation(results&)> from)
{
    auto own = co_await boost::asio::this_coro::executor;
    const auto* node = state_->node ? &*state_->node : nullptr;

    // Commit, with the notices to other nodes in the same transaction.
    if (node)
        work.add(publish_change, node->origin, false);
    results answers;
    std::optional<uuid> published;
    std::exception_ptr failed;
    auto in_doubt = false;
    try {
        answers = co_await db.run(std::move(work));
        if (node)
            published = answers.take_last().scalar<std::optional<uuid>>();
        if (from)
            at_most = from(answers);
    } catch (const failure& error) {
        failed = std::current_exception();
        in_doubt = error.kind() != failure_kind::statement; // a refused statement was rolled back
    } catch (...) {
        failed = std::current_exception();
        in_doubt = true;
    }

    // Evict on this process's cores.
    if (!at_most.empty()) {
        // Started before the next suspension, so that cancelling the request cannot skip it.
        if (in_doubt)
            state_->begin_again_later(own.context(), at_most);
        auto begun = state_->begin(own.context(), at_most);
        if (!begun->has_happened)
            co_await wait_for(std::move(begun));
    }
    if (failed)
        std::rethrow_exception(failed);

    // Wait for the other nodes.
    if (node) {
        auto change_id = co_await name_change(db, node->origin, published, at_most);
        if (change_id)
            co_await node->wait_for_acks(*change_id);
    }
    co_return answers;
}

namespace {

/// A member of a group. The event is its end, which its caller waits for on the core's thread; if the caller
/// is destroyed, the member goes on.
struct waiting_commit : grouped_commit, event {};

void end(const grouped_commit_ref& member, std::exception_ptr failed)
{
    if (failed)
        member->failed = std::move(failed);
    static_cast<waiting_commit&>(*member).happen();
}

/// What the results of a member say that it has changed. If they make no sense, that member fails alone.
invalidation affected_by(grouped_commit& member)
{
    if (!member.from)
        return member.at_most;
    try {
        return member.from(member.answers);
    } catch (...) {
        member.failed = std::current_exception();
        return member.at_most;
    }
}

template <class Of>
invalidation merge(const commit_group& group, Of of)
{
    invalidation all;
    for (auto& each : group)
        all.add(of(*each));
    return all;
}

/// Whether the transaction is known to have had no effect, and another attempt may have one.
bool is_rolled_back(const failure& why)
{
    return why.kind() == failure_kind::statement || why.was_rolled_back();
}

} // namespace

awaitable<results> invalidation_bus::commit_in_group(pool& db, batch work, locked_rows rows,
                                                     invalidation at_most,
                                                     std::function<invalidation(const results&)> from)
{
    auto own = co_await boost::asio::this_coro::executor;
    auto queue = state_->find_queue(own.context(), db);
    if (!queue || work.fault())
        co_return co_await commit(db, std::move(work), std::move(at_most), std::move(from));
    auto member = std::make_shared<waiting_commit>();
    member->work = std::move(work);
    member->rows = std::move(rows);
    member->at_most = std::move(at_most);
    member->from = std::move(from);
    if (queue->add(member)) // after the others that arrive in this turn of the reactor
        boost::asio::post(own, [this, own, queue, &db] { spawn(own, commit_group_of(queue, &db)); });
    co_await wait_for(member);
    if (member->failed)
        std::rethrow_exception(member->failed);
    co_return std::move(member->answers);
}

void invalidation_bus::end_turn(const executor& on, const std::shared_ptr<commit_queue>& queue,
                                std::uint64_t group, pool* db)
{
    if (queue->end_of_turn(group))
        spawn(on, commit_group_of(queue, db));
}

/// Runs on its own: the end of a caller, or of all, changes nothing for the others.
awaitable<void> invalidation_bus::commit_group_of(std::shared_ptr<commit_queue> queue, pool* db)
{
    auto own = co_await boost::asio::this_coro::executor;
    commit_group group;
    auto number = queue->take(group);
    auto end_this_turn = [this, own, queue, number, db] { end_turn(own, queue, number, db); };
    steady_timer patience(own, state_->patience());
    patience.async_wait([end_this_turn](boost::system::error_code cancelled) {
        if (!cancelled)
            end_this_turn();
    });

    auto is_committed = false;
    std::exception_ptr failed;
    auto was_rolled_back = false;
    try {
        std::vector<std::size_t> first_results{0};
        auto work = group.front()->work;
        if (group.size() > 1) {
            first_results.clear();
            work = combine(group, first_results);
        }
        auto take_answers = [&](results& answers) {
            is_committed = true;
            distribute(answers, group, first_results);
            return merge(group, affected_by);
        };
        auto at_most = merge(group, [](const grouped_commit& each) { return each.at_most; });
        co_await commit_moving(*db, std::move(work), std::move(at_most), take_answers);
    } catch (const failure& why) {
        failed = std::current_exception();
        was_rolled_back = !is_committed && is_rolled_back(why);
    } catch (...) {
        failed = std::current_exception();
    }
    end_this_turn();

    auto is_repeated = was_rolled_back && group.size() > 1;
    for (auto& each : group)
        if (is_repeated)
            spawn(own, commit_alone(each, db));
        else
            end(each, failed);
}

awaitable<void> invalidation_bus::commit_alone(grouped_commit_ref member, pool* db)
{
    std::exception_ptr failed;
    try {
        member->answers = co_await commit(*db, member->work, member->at_most, member->from);
    } catch (...) {
        failed = std::current_exception();
    }
    end(member, failed);
}

awaitable<void> invalidation_bus::evict(invalidation affected)
{
    auto own = co_await boost::asio::this_coro::executor;
    auto begun = state_->begin(own.context(), std::move(affected));
    if (!begun->has_happened)
        co_await wait_for(std::move(begun));
}

invalidation_bus::registration::registration(std::shared_ptr<state> of, boost::asio::io_context& io)
    : state_(std::move(of)), io_(&io)
{}

invalidation_bus::registration::registration(registration&&) noexcept = default;

invalidation_bus::registration& invalidation_bus::registration::operator=(registration&& other) noexcept
{
    std::swap(state_, other.state_);
    std::swap(io_, other.io_);
    return *this;
}

invalidation_bus::registration::~registration()
{
    if (state_)
        state_->unregister_core(*io_);
}

} // namespace db
