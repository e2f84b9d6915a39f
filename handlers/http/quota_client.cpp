#include "handlers/http/quota_client.hpp"

#include "db/postgres/error.hpp"
#include "db/postgres/spawn.hpp"
#include "db/tables/rate_quotas.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <bit>
#include <utility>

namespace handlers {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::milliseconds max_wait{500};
constexpr std::chrono::seconds retry_after{5};
constexpr std::size_t max_per_statement = 500;

db::rate_quotas::share_request to_row(const needed_share& share)
{
    db::rate_quotas::share_request out;
    out.subject = std::bit_cast<std::int64_t>(share.key);
    out.limit = static_cast<std::int32_t>(std::min<std::uint32_t>(share.rule.limit, 1u << 30));
    out.window_seconds = static_cast<std::int32_t>(share.rule.window().count());
    return out;
}

} // namespace

quota_client::request::request(const needed_share& of, const db::executor& executor)
    : share(of), granted(executor)
{
    granted.expires_after(max_wait);
}

quota_client::quota_client(asio::io_context& io, db::pool& db, rate_limiter& limiter)
    : io_(io), db_(db), limiter_(limiter)
{}

quota_client::request_ref quota_client::enqueue(const needed_share& share)
{
    auto& known = pending_[share.key];
    if (known)
        return known;
    known = std::make_shared<request>(share, io_.get_executor());
    queue_.push_back(known);
    if (!is_draining_) {
        is_draining_ = true;
        db::spawn(io_.get_executor(), drain_queue());
    }
    return known;
}

void quota_client::prefetch(const needed_share& share)
{
    if (rate_limiter::clock::now() >= unavailable_until_)
        enqueue(share);
}

awaitable<void> quota_client::take(needed_share share)
{
    auto start = rate_limiter::clock::now();
    if (start >= unavailable_until_) {
        auto pending = enqueue(share);
        boost::system::error_code cancelled;
        co_await pending->granted.async_wait(asio::redirect_error(db::use_awaitable, cancelled));
        if (cancelled)
            co_return;
        unavailable_until_ = rate_limiter::clock::now() + retry_after;
    }
    limiter_.grant_without_answer(share);
}

awaitable<void> quota_client::drain_queue()
{
    // One turn of the reactor later, so that requests of the same turn travel together.
    co_await asio::post(io_, db::use_awaitable);
    while (!queue_.empty()) {
        auto count = static_cast<std::ptrdiff_t>(std::min(queue_.size(), max_per_statement));
        std::vector<request_ref> group(queue_.begin(), queue_.begin() + count);
        queue_.erase(queue_.begin(), queue_.begin() + count);
        co_await take_all(group);
        for (auto& each : group) {
            pending_.erase(each->share.key);
            each->granted.cancel();
        }
    }
    is_draining_ = false;
}

/// Takes the shares of a group, and grants them.
awaitable<void> quota_client::take_all(std::vector<request_ref> group)
{
    std::vector<db::rate_quotas::share_request> rows;
    rows.reserve(group.size());
    for (auto& each : group)
        rows.push_back(to_row(each->share));
    try {
        auto nodes = static_cast<std::int32_t>(limiter_.nodes());
        auto shares = co_await db::rate_quotas::take(db_, std::move(rows), nodes);
        for (auto& share : shares) {
            auto known = pending_.find(std::bit_cast<std::uint64_t>(share.subject));
            if (known != pending_.end())
                limiter_.grant(known->second->share, static_cast<std::uint32_t>(share.granted),
                               std::chrono::seconds(share.seconds_left));
        }
        unavailable_until_ = {};
        co_return;
    } catch (const db::failure&) {
        unavailable_until_ = rate_limiter::clock::now() + retry_after;
    }
    for (auto& each : group)
        limiter_.grant_without_answer(each->share);
}

} // namespace handlers
