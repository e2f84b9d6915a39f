#include "db/principals/batch_loader.hpp"

#include "db/postgres/spawn.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <iterator>
#include <utility>

namespace db {

batch_loader::batch_loader(boost::asio::io_context& io, limits limits, const std::uint64_t& stamp,
                           load_function load, store_function store)
    : io_(io), limits_(limits), stamp_(stamp), load_(std::move(load)), store_(std::move(store))
{}

awaitable<principal_ref> batch_loader::load(credential_lookup wanted, bool may_join_sent)
{
    auto initiate = [this, wanted, may_join_sent](completion waiting) {
        enqueue(wanted, may_join_sent, std::move(waiting));
    };
    return boost::asio::async_initiate<decltype(use_awaitable), void(std::exception_ptr, principal_ref)>(
        std::move(initiate), use_awaitable);
}

void batch_loader::enqueue(const credential_lookup& wanted, bool may_join_sent, completion waiting)
{
    auto& known = joinable_[wanted.digest];
    if (known && (may_join_sent || !known->is_sent)) {
        known->waiting.push_back(std::move(waiting));
        return;
    }
    known = std::make_shared<pending_lookup>();
    known->wanted = wanted;
    known->waiting.push_back(std::move(waiting));
    queue_.push_back(known);
    if (workers_ < limits_.in_flight) {
        ++workers_;
        spawn(io_.get_executor(), drain_queue());
    }
}

/// Send one statement after another until the queue is empty.
awaitable<void> batch_loader::drain_queue()
{
    // One turn of the reactor later, so that lookups of the same turn travel together.
    co_await boost::asio::post(use_awaitable);
    while (!queue_.empty()) {
        auto lookup_group = next_group();
        std::vector<credential_lookup> lookups;
        lookups.reserve(lookup_group.size());
        for (const auto& each : lookup_group)
            lookups.push_back(each->wanted);

        auto stamp = stamp_;
        ++sent_;
        principal_list found;
        std::exception_ptr failed;
        try {
            found = co_await load_(std::move(lookups));
        } catch (...) {
            failed = std::current_exception();
        }
        --sent_;
        found.resize(lookup_group.size());
        for (std::size_t i = 0; i < lookup_group.size(); ++i)
            finish(lookup_group[i], found[i], failed, stamp);
    }
    --workers_;
}

/// The lookups of the next statement: the queue is divided among the statements that may still be sent, if it
/// is long enough for several.
batch_loader::group batch_loader::next_group()
{
    constexpr std::size_t min_share = 16; // below, a statement of its own costs more than it saves
    auto statements = std::max<std::size_t>(limits_.in_flight - sent_, 1);
    auto share = std::max((queue_.size() + statements - 1) / statements, min_share);
    auto count = std::min({share, queue_.size(), limits_.per_statement});
    auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
    group next(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    for (auto& each : next)
        each->is_sent = true;
    return next;
}

void batch_loader::finish(const std::shared_ptr<pending_lookup>& done, const principal_ref& found,
                          const std::exception_ptr& failed, std::uint64_t stamp)
{
    auto& key = done->wanted.digest;
    if (auto known = joinable_.find(key); known != joinable_.end() && known->second == done)
        joinable_.erase(known);
    if (!failed)
        store_(key, found, stamp);
    // Posted, so that the continuation of one caller cannot delay the others.
    for (auto& waiting : done->waiting)
        boost::asio::post(io_, [waiting = std::move(waiting), failed, found = found]() mutable {
            std::move(waiting)(failed, std::move(found));
        });
}

void batch_loader::detach_in_flight()
{
    joinable_.clear();
    for (const auto& unsent : queue_)
        joinable_.emplace(unsent->wanted.digest, unsent);
}

} // namespace db
