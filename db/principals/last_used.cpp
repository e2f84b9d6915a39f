#include "db/principals/last_used.hpp"

#include "db/postgres/spawn.hpp"
#include "db/principals/usage_counter.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/uuid/uuid_hash.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace db {

// Rows locked by other transactions are skipped and written the next time, so this neither waits nor
// deadlocks. Several cores may write the same rows in parallel.
static const statement write_keys{"last_used_write_keys", R"(
    WITH free AS (SELECT id FROM api_keys WHERE id = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE api_keys k
    SET last_used_at = greatest(k.last_used_at, recorded.at)
    FROM free, unnest($1::uuid[], $2::timestamptz[]) AS recorded (id, at)
    WHERE k.id = free.id AND recorded.id = free.id
    RETURNING k.id)"};

static const statement write_sessions{"last_used_write_sessions", R"(
    WITH free AS (SELECT id FROM sessions WHERE id = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE sessions s
    SET last_seen_at = greatest(s.last_seen_at, recorded.at)
    FROM free, unnest($1::uuid[], $2::timestamptz[]) AS recorded (id, at)
    WHERE s.id = free.id AND recorded.id = free.id
    RETURNING s.id)"};

/// Records that are not written yet.
class last_used_writer::buffer {
public:
    buffer(boost::asio::io_context& io, pool& db, config settings)
        : timer_(io), written_(io, boost::asio::steady_timer::time_point::max()), db_(db),
          settings_(settings), usage_(settings.record_interval, settings.max_collected)
    {}

    void add(const principal& used, std::int64_t second)
    {
        merge(used.kind == principal::kind_type::api_key ? keys_ : sessions_, used.credential_id,
              {second, false});
    }

    void collect(const principal& counted, std::int64_t second) { usage_.add(counted, second); }

    /// Records that are being written already come back if that fails, so wait for them.
    awaitable<void> flush()
    {
        while (is_writing_) {
            boost::system::error_code woken;
            co_await written_.async_wait(boost::asio::redirect_error(use_awaitable, woken));
        }
        usage_.take_all();
        co_await write_all();
    }

    /// Until stopped. Records that cannot be written are kept, so a failure needs no other handling.
    static awaitable<void> run(std::shared_ptr<buffer> self)
    {
        while (!self->stopped_) {
            boost::system::error_code woken;
            self->timer_.expires_after(self->settings_.write_interval);
            co_await self->timer_.async_wait(boost::asio::redirect_error(use_awaitable, woken));
            if (self->stopped_)
                break;
            try {
                auto now = std::chrono::system_clock::now();
                while (self->usage_.take_due(now))
                    co_await boost::asio::post(use_awaitable);
                co_await self->write_all();
            } catch (const failure&) {
            }
        }
    }

    void stop()
    {
        stopped_ = true;
        timer_.cancel();
    }

private:
    struct entry {
        std::int64_t second;

        /// Skipped once. A row that is skipped twice in a row is taken for deleted.
        bool skipped;
    };
    using table = boost::unordered_flat_map<uuid, entry, boost::hash<uuid>>;

    awaitable<void> write_all()
    {
        is_writing_ = true;
        try {
            co_await write(write_keys, keys_);
            co_await write(write_sessions, sessions_);
            co_await usage_.write(db_, settings_.rows_per_statement);
        } catch (...) {
            end_write();
            throw;
        }
        end_write();
    }

    void end_write()
    {
        is_writing_ = false;
        written_.cancel();
    }

    static void merge(table& into, const uuid& id, entry added)
    {
        auto [known, is_new] = into.try_emplace(id, added);
        if (!is_new)
            known->second.second = std::max(known->second.second, added.second);
    }

    awaitable<void> write(const statement& how, table& recorded)
    {
        auto left = std::exchange(recorded, {});
        try {
            while (!left.empty()) {
                std::vector<uuid> ids;
                std::vector<timestamp> times;
                for (const auto& [id, seen] : left) {
                    if (ids.size() == settings_.rows_per_statement)
                        break;
                    ids.push_back(id);
                    times.push_back(timestamp(std::chrono::seconds(seen.second)));
                }
                auto written = co_await db_.run(how, ids, times);
                for (const auto& id : written.as_vector<uuid>())
                    left.erase(id);
                for (const auto& id : ids) {
                    auto locked = left.find(id);
                    if (locked == left.end())
                        continue;
                    if (!locked->second.skipped)
                        merge(recorded, id, {locked->second.second, true});
                    left.erase(locked);
                }
            }
        } catch (...) {
            for (const auto& [id, seen] : left)
                merge(recorded, id, seen);
            throw;
        }
    }

    boost::asio::steady_timer::rebind_executor<executor>::other timer_;
    /// Cancelled at the end of each write.
    boost::asio::steady_timer::rebind_executor<executor>::other written_;
    bool is_writing_ = false;
    pool& db_;
    config settings_;
    table keys_;
    table sessions_;
    usage_counter usage_;
    bool stopped_ = false;
};

last_used_writer::last_used_writer(boost::asio::io_context& io, pool& db, config settings)
    : record_interval_(settings.record_interval.count()), buffer_(std::make_shared<buffer>(io, db, settings))
{
    spawn(io.get_executor(), buffer::run(buffer_));
}

last_used_writer::~last_used_writer()
{
    buffer_->stop();
}

void last_used_writer::add(const principal& used, std::int64_t second)
{
    used.recorded_at = static_cast<std::uint32_t>(second);
    buffer_->add(used, second);
    buffer_->collect(used, second);
}

void last_used_writer::collect(const principal& counted, timestamp now)
{
    if (!counted.is_collected)
        buffer_->collect(counted, std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count());
}

awaitable<void> last_used_writer::flush()
{
    return buffer_->flush();
}

awaitable<void> last_used_writer::close()
{
    buffer_->stop();
    return buffer_->flush();
}

} // namespace db
