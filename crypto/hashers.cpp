#include "crypto/hashers.hpp"

#include "crypto/wipe.hpp"

#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <condition_variable>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

namespace crypto {

namespace {

/** Let every other thread go first. SCHED_BATCH at the lowest weight still gets some per cent of a busy core,
    so that logins are slow in a storm but never stand still. */
void stand_back()
{
    sched_param none{};
    sched_setscheduler(0, SCHED_BATCH, &none);
    setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 19);
}

/** One hash to be made. Owns all that it needs, so that it does not matter whether its caller still waits. */
class job {
public:
    virtual ~job() = default;
    virtual void run(hash_arena& arena) = 0; // and resume the caller
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
        auto executor = guard_.get_executor();
        boost::asio::post(executor,
                          [handler = std::move(handler_), error, result = std::move(result)]() mutable {
                              std::move(handler)(error, std::move(result));
                          });
        guard_.reset();
    }

private:
    Handler handler_;
    Work work_;
    boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> guard_; // the caller's core
};

} // namespace

class hashers::pool {
public:
    explicit pool(const config& settings) : settings_(settings), dummy_(dummy_hash(settings.costs))
    {
        for (unsigned i = 0; i < settings.threads; ++i)
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

    void reserve_place()
    {
        std::lock_guard lock(mutex_);
        if (queue_.size() + promised_ >= settings_.queue_limit + idle_)
            throw overloaded();
        ++promised_;
    }

    void add(std::unique_ptr<job> next)
    {
        {
            std::lock_guard lock(mutex_);
            --promised_;
            queue_.push_back(std::move(next));
        }
        wanted_.notify_one();
    }

    template <class Result, class Work>
    awaitable<Result> run(Work work)
    {
        reserve_place();
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

    std::size_t waiting() const
    {
        std::lock_guard lock(mutex_);
        return queue_.size();
    }

private:
    void work()
    {
        stand_back();
        hash_arena arena;
        std::unique_lock lock(mutex_);
        for (;;) {
            ++idle_;
            wanted_.wait(lock, [&] { return closed_ || !queue_.empty(); });
            --idle_;
            if (closed_)
                return;
            auto next = std::move(queue_.front());
            queue_.pop_front();
            lock.unlock();
            next->run(arena);
            next.reset();
            lock.lock();
        }
    }

    config settings_;
    std::string dummy_;
    mutable std::mutex mutex_;
    std::condition_variable wanted_;
    std::deque<std::unique_ptr<job>> queue_;
    std::size_t promised_ = 0; // places taken by jobs on their way into the queue
    std::size_t idle_ = 0;     // threads that wait for a job
    bool closed_ = false;
    std::vector<std::thread> threads_; // last: they use all of the above
};

hashers::hashers(const config& settings) : pool_(std::make_unique<pool>(settings)) {}
hashers::~hashers() = default;

hashers::awaitable<std::string> hashers::hash(std::string password)
{
    auto& costs = pool_->settings().costs;
    auto work = [password = std::move(password), costs](hash_arena& arena) mutable {
        auto out = hash_password(arena, password, costs);
        wipe(password);
        return out;
    };
    return pool_->run<std::string>(std::move(work));
}

hashers::awaitable<bool> hashers::verify(std::string password, std::string phc)
{
    if (phc.empty())
        phc = pool_->dummy();
    auto work = [password = std::move(password), phc = std::move(phc)](hash_arena& arena) mutable {
        bool good = verify_password(arena, password, phc);
        wipe(password);
        return good;
    };
    return pool_->run<bool>(std::move(work));
}

const password_costs& hashers::costs() const
{
    return pool_->settings().costs;
}
std::size_t hashers::waiting() const
{
    return pool_->waiting();
}

} // namespace crypto
