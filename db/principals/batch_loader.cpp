#include "db/principals/batch_loader.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace db {

gatherer::gatherer(boost::asio::io_context& io, limits most, const std::uint64_t& stamp, ask_all ask,
                   keep kept)
    : io_(io), most_(most), stamp_(stamp), ask_(std::move(ask)), keep_(std::move(kept))
{}

awaitable<principal_ref> gatherer::load(credential_question what, bool may_join_sent)
{
    auto wait = [this, what, may_join_sent](resume waiting) {
        wait_for(what, may_join_sent, std::move(waiting));
    };
    return boost::asio::async_initiate<decltype(use_awaitable), void(std::exception_ptr, principal_ref)>(
        std::move(wait), use_awaitable);
}

void gatherer::wait_for(const credential_question& what, bool may_join_sent, resume waiting)
{
    auto& known = joinable_[what.digest];
    if (known && (may_join_sent || !known->is_sent)) {
        known->waiting.push_back(std::move(waiting));
        return;
    }
    known = std::make_shared<lookup>();
    known->what = what;
    known->waiting.push_back(std::move(waiting));
    queue_.push_back(known);
    if (asking_ < most_.in_flight) {
        ++asking_;
        boost::asio::co_spawn(io_, work(), boost::asio::detached);
    }
}

/// Ask for what waits, statement after statement, until nothing does.
awaitable<void> gatherer::work()
{
    // A turn of the reactor later: what the same turn brings travels along.
    co_await boost::asio::post(use_awaitable);
    while (!queue_.empty()) {
        auto asked = next_group();
        std::vector<credential_question> questions;
        questions.reserve(asked.size());
        for (const auto& each : asked)
            questions.push_back(each->what);

        auto stamp = stamp_;
        ++sent_;
        answers found;
        std::exception_ptr failed;
        try {
            found = co_await ask_(std::move(questions));
        } catch (...) {
            failed = std::current_exception();
        }
        --sent_;
        found.resize(asked.size());
        for (std::size_t i = 0; i < asked.size(); ++i)
            finish(asked[i], found[i], failed, stamp);
    }
    --asking_;
}

/// What waits: in shares, one for each statement that may yet be sent, where there is enough for several.
gatherer::group gatherer::next_group()
{
    constexpr std::size_t smallest_share = 16; // below, a statement of its own costs more than it saves
    auto statements = std::max<std::size_t>(most_.in_flight - sent_, 1);
    auto share = std::max((queue_.size() + statements - 1) / statements, smallest_share);
    auto count = std::min({share, queue_.size(), most_.per_statement});
    auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
    group next(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    for (auto& each : next)
        each->is_sent = true;
    return next;
}

void gatherer::finish(const std::shared_ptr<lookup>& asked, const principal_ref& who,
                      const std::exception_ptr& failed, std::uint64_t stamp)
{
    auto& key = asked->what.digest;
    if (auto known = joinable_.find(key); known != joinable_.end() && known->second == asked)
        joinable_.erase(known);
    if (!failed)
        keep_(key, who, stamp);
    // Posted, so that whatever one of them does next cannot keep the others waiting.
    for (auto& waiting : asked->waiting)
        boost::asio::post(io_, [waiting = std::move(waiting), failed, who = who]() mutable {
            std::move(waiting)(failed, std::move(who));
        });
}

void gatherer::part()
{
    joinable_.clear();
    for (const auto& unsent : queue_)
        joinable_.emplace(unsent->what.digest, unsent);
}

} // namespace db
