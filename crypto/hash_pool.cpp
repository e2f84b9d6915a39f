#include "crypto/hash_pool.hpp"

#include "crypto/password_strength.hpp"
#include "crypto/wipe.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace crypto {

namespace {

/** Give the calling thread the lowest scheduling weight. Not SCHED_IDLE: next to a busy loop it was measured
    to get no CPU at all, where nice 19 still gets half a percent, so that logins never starve. */
void lower_priority()
{
    sched_param none{};
    sched_setscheduler(0, SCHED_BATCH, &none);
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 19);
}

/// A queued hash. Owns its data, so that it may outlive its caller.
class job {
public:
    using clock = std::chrono::steady_clock;

    virtual ~job() = default;
    const clock::time_point queued_at = clock::now();
    /// Compute the hash and resume the caller.
    virtual void run(hash_arena& arena) = 0;
    /// Resume the caller with overloaded.
    virtual void reject() = 0;
};

template <class Result, class Handler, class Work>
class job_for final : public job {
public:
    job_for(Handler handler, Work work)
        : handler_(std::move(handler)), work_(std::move(work)),
          guard_(boost::asio::get_associated_executor(handler_))
    {}

    void run(hash_arena& arena) override
    {
        Result result{};
        std::exception_ptr error;
        try {
            result = work_(arena);
        } catch (...) {
            error = std::current_exception();
        }
        resume(std::move(error), std::move(result));
    }

    void reject() override { resume(std::make_exception_ptr(overloaded()), Result{}); }

private:
    void resume(std::exception_ptr error, Result result)
    {
        auto executor = guard_.get_executor();
        boost::asio::post(executor,
                          [handler = std::move(handler_), error, result = std::move(result)]() mutable {
                              std::move(handler)(error, std::move(result));
                          });
        guard_.reset();
    }

    Handler handler_;
    Work work_;
    /// Keeps the caller's event loop running until it is resumed.
    boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> guard_;
};

} // namespace

class hash_pool::worker_pool {
public:
    explicit worker_pool(const config& settings) : settings_(settings), imitated_(settings.costs)
    {
        settings_.threads = std::max(settings.threads, 1u);
        for (unsigned i = 0; i < settings_.threads; ++i)
            threads_.emplace_back([this] { work(); });
    }

    ~worker_pool()
    {
        {
            std::lock_guard lock(mutex_);
            closed_ = true;
        }
        work_available_.notify_all();
        for (auto& thread : threads_)
            thread.join();
    }

    void add(std::unique_ptr<job> next)
    {
        {
            std::lock_guard lock(mutex_);
            auto free_threads = settings_.threads - busy_;
            if (queue_.size() < settings_.queue_limit + free_threads) {
                queue_.push_back(std::move(next));
                work_available_.notify_one();
                return;
            }
            ++rejected_;
        }
        next->reject();
    }

    template <class Result, class Work>
    awaitable<Result> run(Work work)
    {
        auto start = [this](auto handler, Work w) {
            using handler_type = decltype(handler);
            add(std::make_unique<job_for<Result, handler_type, Work>>(std::move(handler), std::move(w)));
        };
        constexpr boost::asio::use_awaitable_t<executor> token;
        return boost::asio::async_initiate<decltype(token), void(std::exception_ptr, Result)>(
            std::move(start), token, std::move(work));
    }

    const config& settings() const { return settings_; }

    password_costs imitated() const
    {
        std::lock_guard lock(mutex_);
        return imitated_;
    }

    void imitate(const password_costs& costs)
    {
        std::lock_guard lock(mutex_);
        imitated_ = costs;
    }

    load state() const
    {
        std::lock_guard lock(mutex_);
        return {queue_.size(), busy_, rejected_};
    }

private:
    void work()
    {
        lower_priority();
        auto budget = std::size_t{settings_.costs.memory_kib} * 1024;
        hash_arena arena;
        std::unique_lock lock(mutex_);
        for (;;) {
            work_available_.wait(lock, [&] { return closed_ || !queue_.empty(); });
            if (closed_)
                return;
            auto next = std::move(queue_.front());
            queue_.pop_front();
            ++busy_;
            bool is_late = job::clock::now() - next->queued_at > settings_.max_queue_wait;
            rejected_ += is_late;
            lock.unlock();
            if (is_late)
                next->reject();
            else
                next->run(arena);
            next.reset();
            arena.shrink_to(budget);
            lock.lock();
            --busy_;
        }
    }

    config settings_;
    password_costs imitated_;
    mutable std::mutex mutex_;
    std::condition_variable work_available_;
    std::deque<std::unique_ptr<job>> queue_;
    /// Threads with a running job.
    std::size_t busy_ = 0;
    std::uint64_t rejected_ = 0;
    bool closed_ = false;
    /// Declared last: the threads use all other members.
    std::vector<std::thread> threads_;
};

hash_pool::hash_pool(const config& settings) : pool_(std::make_unique<worker_pool>(settings)) {}
hash_pool::~hash_pool() = default;

hash_pool::awaitable<std::string> hash_pool::hash(std::string password)
{
    auto work = [password = secret_text(std::move(password)), costs = costs(),
                 engine = pool_->settings().engine](hash_arena& arena) {
        return hash_password(arena, password.view(), costs, engine);
    };
    return pool_->run<std::string>(std::move(work));
}

hash_pool::awaitable<std::optional<std::string>>
hash_pool::hash_if_strong(std::string password, std::vector<std::string> user_inputs)
{
    using result = std::optional<std::string>;
    auto work = [password = secret_text(std::move(password)), user_inputs = std::move(user_inputs),
                 costs = costs(), engine = pool_->settings().engine](hash_arena& arena) {
        return is_guessable(password.view(), user_inputs)
                   ? result()
                   : hash_password(arena, password.view(), costs, engine);
    };
    return pool_->run<result>(std::move(work));
}

hash_pool::awaitable<bool> hash_pool::verify(std::string password, std::string phc)
{
    if (phc.empty())
        phc = dummy_hash(pool_->imitated());
    auto max_memory_kib = std::max(costs().memory_kib, max_stored_memory_kib);
    auto work = [password = secret_text(std::move(password)), phc = std::move(phc), max_memory_kib,
                 engine = pool_->settings().engine](hash_arena& arena) {
        return verify_password(arena, password.view(), phc, max_memory_kib, engine);
    };
    return pool_->run<bool>(std::move(work));
}

const password_costs& hash_pool::costs() const
{
    return pool_->settings().costs;
}

password_costs hash_pool::imitated_costs() const
{
    return pool_->imitated();
}

void hash_pool::imitate(const password_costs& costs)
{
    pool_->imitate(costs);
}

hash_pool::load hash_pool::state() const
{
    return pool_->state();
}

} // namespace crypto
