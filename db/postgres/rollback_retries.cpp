#include "db/postgres/rollback_retries.hpp"

#include <utility>

namespace db {

namespace {

constexpr int max_attempts = 3;
constexpr std::chrono::microseconds first_wait{20'000};

} // namespace

bool rollback_retries::may_repeat(const request& done)
{
    return done.error && done.error->was_rolled_back() && done.rollbacks + 1 < max_attempts;
}

void rollback_retries::repeat_later(std::unique_ptr<request> rolled_back,
                                    std::function<void(std::unique_ptr<request>)> submit)
{
    auto longest = first_wait.count() * ++rolled_back->rollbacks;
    std::chrono::microseconds wait(std::uniform_int_distribution(longest / 4, longest)(random_));
    ++count_;
    rolled_back->error.reset();
    rolled_back->answers = {};
    auto entry =
        std::make_shared<waiting_request>(waiting_request{std::move(rolled_back), {executor_, wait}});
    auto at = waiting_.insert(waiting_.end(), entry);
    // A timer that has expired cannot be cancelled any more, so that only the entry tells whether it is due.
    entry->timer.async_wait(
        [this, at, weak = std::weak_ptr(entry), submit = std::move(submit)](boost::system::error_code) {
            auto due = weak.lock();
            if (!due)
                return;
            waiting_.erase(at);
            submit(std::move(due->owner));
        });
}

} // namespace db
