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

/** Let every other thread go first. Not SCHED_IDLE: beside a busy loop its share of a core was measured as
    nothing at all, where the lowest weight keeps half a per cent, so that logins never stand still. */
void stand_back()
{
    sched_param none{};
    sched_setscheduler(0, SCHED_BATCH, &none);
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 19);
}

/** One hash to be made. Owns all that it needs, so that it does not matter whether its caller still waits. */
class job {
public:
    using clock = std::chrono::steady_clock;

    virtual ~job() = default;
    const clock::time_point since = clock::now();
    virtual void run(hash_arena& arena) = 0; // and resume the caller
    virtual void refuse() = 0;               // resume the caller with overloaded
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

    void refuse() override { resume(std::make_exception_ptr(overloaded()), Result{}); }

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
    boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> guard_; // the caller's core
};

} // namespace

class hashers::pool {
public:
    explicit pool(const config& settings) : settings_(settings), dummy_(dummy_hash(settings.costs))
    {
        settings_.threads = std::max(settings.threads, 1u);
        for (unsigned i = 0; i < settings_.threads; ++i)
            threads_.emplace_back([this] { work(); });
    }

    ~pool()
    {
        {
            std::lock_guard lock(mutex_);
            closed_ = true;
        }
        wanted_.notify_all();
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
                wanted_.notify_one();
                return;
            }
            ++refused_;
        }
        next->refuse();
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
    const std::string& dummy() const { return dummy_; }

    load state() const
    {
        std::lock_guard lock(mutex_);
        return {queue_.size(), busy_, refused_};
    }

private:
    void work()
    {
        stand_back();
        auto budget = std::size_t{settings_.costs.memory_kib} * 1024;
        hash_arena arena;
        std::unique_lock lock(mutex_);
        for (;;) {
            wanted_.wait(lock, [&] { return closed_ || !queue_.empty(); });
            if (closed_)
                return;
            auto next = std::move(queue_.front());
            queue_.pop_front();
            ++busy_;
            bool is_late = job::clock::now() - next->since > settings_.longest_wait;
            refused_ += is_late;
            lock.unlock();
            if (is_late)
                next->refuse();
            else
                next->run(arena);
            next.reset();
            arena.keep_at_most(budget);
            lock.lock();
            --busy_;
        }
    }

    config settings_;
    std::string dummy_;
    mutable std::mutex mutex_;
    std::condition_variable wanted_;
    std::deque<std::unique_ptr<job>> queue_;
    std::size_t busy_ = 0;      // threads with a job in hand
    std::uint64_t refused_ = 0; // jobs
    bool closed_ = false;
    std::vector<std::thread> threads_; // last: they use all of the above
};

hashers::hashers(const config& settings) : pool_(std::make_unique<pool>(settings)) {}
hashers::~hashers() = default;

hashers::awaitable<std::string> hashers::hash(std::string password)
{
    auto work = [password = secret_text(std::move(password)), costs = costs(),
                 engine = pool_->settings().engine](hash_arena& arena) {
        return hash_password(arena, password.view(), costs, engine);
    };
    return pool_->run<std::string>(std::move(work));
}

hashers::awaitable<std::optional<std::string>>
hashers::hash_unless_guessable(std::string password, std::vector<std::string> own_words)
{
    using outcome = std::optional<std::string>;
    auto work = [password = secret_text(std::move(password)), words = std::move(own_words), costs = costs(),
                 engine = pool_->settings().engine](hash_arena& arena) {
        return is_guessable(password.view(), words) ? outcome()
                                                    : hash_password(arena, password.view(), costs, engine);
    };
    return pool_->run<outcome>(std::move(work));
}

hashers::awaitable<bool> hashers::verify(std::string password, std::string phc)
{
    if (phc.empty())
        phc = pool_->dummy();
    auto ceiling = std::max(costs().memory_kib, stored_ceiling_kib);
    auto work = [password = secret_text(std::move(password)), phc = std::move(phc), ceiling,
                 engine = pool_->settings().engine](hash_arena& arena) {
        return verify_password(arena, password.view(), phc, ceiling, engine);
    };
    return pool_->run<bool>(std::move(work));
}

const password_costs& hashers::costs() const
{
    return pool_->settings().costs;
}

hashers::load hashers::state() const
{
    return pool_->state();
}

} // namespace crypto
