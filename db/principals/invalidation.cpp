#include "db/principals/invalidation.hpp"

#include "db/principals/node.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

namespace db {

namespace {

/// One eviction on all cores. The caller's thread alone touches `done` and `sleeper`, the hub's lock guards
/// the rest, and nothing in it belongs to an io_context: any thread may destroy it.
struct round {
    change what;
    std::size_t owed = 0; ///< cores that have not forgotten yet
    boost::asio::io_context* caller = nullptr;
    bool caller_enrolled = false;
    bool done = false;
    steady_timer* sleeper = nullptr;
};

using round_ref = std::shared_ptr<round>;

/// Wait on the caller's thread. The timer stays in this frame, so it dies with its io_context, never later.
awaitable<void> finished(round_ref current)
{
    steady_timer sleeper(*current->caller, steady_timer::time_point::max());
    struct guard {
        round& of;
        ~guard() { of.sleeper = nullptr; }
    } wakes_no_longer{*current};
    current->sleeper = &sleeper;
    while (!current->done) {
        boost::system::error_code woken;
        co_await sleeper.async_wait(boost::asio::redirect_error(use_awaitable, woken));
    }
}

} // namespace

class principal_changes::hub : public std::enable_shared_from_this<hub> {
public:
    explicit hub(config settings) : settings_(settings) {}

    void enrol(boost::asio::io_context& io, principals& who)
    {
        std::scoped_lock lock(mutex_);
        cores_.push_back({&io, &who, {}});
    }

    /// Whoever waits for this core waits no longer: it answers no requests any more.
    void withdraw(boost::asio::io_context& io)
    {
        std::scoped_lock lock(mutex_);
        auto leaving = find(io);
        auto owed = std::move(leaving->owed);
        cores_.erase(leaving);
        for (const auto& each : owed)
            settle(each);
    }

    /// Make all cores forget. @return what to wait for
    round_ref begin(boost::asio::io_context& caller, change what)
    {
        auto started = std::make_shared<round>();
        started->what = std::move(what);
        started->caller = &caller;
        principals* own = nullptr;
        {
            std::scoped_lock lock(mutex_);
            for (auto& core : cores_) {
                if (core.io == &caller) {
                    own = core.who;
                    continue;
                }
                core.owed.push_back(started);
                ++started->owed;
                boost::asio::post(*core.io, [self = shared_from_this(), io = core.io, started] {
                    self->forget(*io, started);
                });
            }
            started->caller_enrolled = own != nullptr;
            started->done = started->owed == 0;
        }
        if (own)
            own->evict(started->what);
        return started;
    }

    /// Forget once more when a batch in doubt has surely ended.
    void begin_again_later(boost::asio::io_context& caller, change what)
    {
        boost::asio::co_spawn(caller, again(shared_from_this(), &caller, std::move(what)),
                              boost::asio::detached);
    }

    node* others = nullptr; ///< set while no core runs

private:
    struct core {
        boost::asio::io_context* io;
        principals* who;
        std::vector<round_ref> owed;
    };

    static awaitable<void> again(std::shared_ptr<hub> self, boost::asio::io_context* caller, change what)
    {
        steady_timer wait(*caller, self->settings_.settle_time);
        co_await wait.async_wait(use_awaitable);
        self->begin(*caller, std::move(what));
    }

    std::vector<core>::iterator find(const boost::asio::io_context& io)
    {
        return std::ranges::find(cores_, &io, &core::io);
    }

    /// On the core's own thread, where no withdrawal of it can come in between.
    void forget(boost::asio::io_context& io, const round_ref& current)
    {
        principals* who = nullptr;
        {
            std::scoped_lock lock(mutex_);
            if (auto found = find(io); found != cores_.end())
                who = found->who;
        }
        if (!who)
            return; // its withdrawal has settled for it
        who->evict(current->what);
        std::scoped_lock lock(mutex_);
        std::erase(find(io)->owed, current);
        settle(current);
    }

    /// One core less to wait for. Under the lock, so that a caller cannot withdraw before the post.
    void settle(const round_ref& current)
    {
        if (--current->owed > 0)
            return;
        if (current->caller_enrolled && find(*current->caller) == cores_.end())
            return; // gone, and its coroutine with it
        boost::asio::post(*current->caller, [current] {
            current->done = true;
            if (current->sleeper)
                current->sleeper->cancel();
        });
    }

    config settings_;
    std::mutex mutex_;
    std::vector<core> cores_;
};

principal_changes::principal_changes(config settings) : hub_(std::make_shared<hub>(settings)) {}
principal_changes::~principal_changes() = default;

principal_changes::enrolment principal_changes::enrol(boost::asio::io_context& io, principals& core)
{
    hub_->enrol(io, core);
    return {hub_, io};
}

void principal_changes::tell(node& others)
{
    hub_->others = &others;
}

void principal_changes::tell_nobody()
{
    hub_->others = nullptr;
}

// Told by the tables themselves; this is the last word, which names the change, and whose answer says whether
// there is one.
static const statement close_change{"changes_close", "SELECT close_change($1, $2)"};

namespace {

/// A repeated revocation changes nothing, and yet has to wait as the first one did.
bool concerns_others(const change& what)
{
    return what.everything || !what.credentials.empty() || !what.users.empty() || !what.workspaces.empty();
}

awaitable<std::optional<uuid>> name_change(pool& db, const uuid& teller, std::optional<uuid> closed,
                                           const change& what)
{
    if (closed || !concerns_others(what))
        co_return closed;
    auto named = co_await db.run(close_change, teller, true);
    co_return named.scalar<std::optional<uuid>>();
}

} // namespace

awaitable<results> principal_changes::commit(pool& db, batch work, change what)
{
    return commit(db, std::move(work), std::move(what), nullptr);
}

awaitable<results> principal_changes::commit(pool& db, batch work, change at_most,
                                             std::function<change(const results&)> from)
{
    auto own = co_await boost::asio::this_coro::executor;
    auto others = hub_->others;
    if (others)
        work.add(close_change, others->id(), false);
    results answers;
    std::optional<uuid> closed;
    std::exception_ptr failed;
    auto in_doubt = false;
    try {
        answers = co_await db.run(std::move(work));
        if (others)
            closed = answers.take_last().scalar<std::optional<uuid>>();
        if (from)
            at_most = from(answers);
    } catch (const failure& error) {
        failed = std::current_exception();
        in_doubt = error.kind() != failure_kind::statement; // a statement that was refused is rolled back
    } catch (...) {
        failed = std::current_exception();
        in_doubt = true;
    }

    if (!at_most.empty()) {
        // Begun before anything is awaited, so that a request which is being cancelled cannot leave it out.
        if (in_doubt)
            hub_->begin_again_later(own.context(), at_most);
        auto begun = hub_->begin(own.context(), at_most);
        if (!begun->done)
            co_await finished(std::move(begun));
    }
    if (failed)
        std::rethrow_exception(failed);
    if (others) {
        auto change_id = co_await name_change(db, others->id(), closed, at_most);
        if (change_id)
            co_await others->settle(*change_id);
    }
    co_return answers;
}

awaitable<void> principal_changes::evict(change what)
{
    auto own = co_await boost::asio::this_coro::executor;
    auto begun = hub_->begin(own.context(), std::move(what));
    if (!begun->done)
        co_await finished(std::move(begun));
}

principal_changes::enrolment::enrolment(std::shared_ptr<hub> of, boost::asio::io_context& io)
    : hub_(std::move(of)), io_(&io)
{}

principal_changes::enrolment::enrolment(enrolment&&) noexcept = default;

principal_changes::enrolment& principal_changes::enrolment::operator=(enrolment&& other) noexcept
{
    std::swap(hub_, other.hub_);
    std::swap(io_, other.io_);
    return *this;
}

principal_changes::enrolment::~enrolment()
{
    if (hub_)
        hub_->withdraw(*io_);
}

} // namespace db
