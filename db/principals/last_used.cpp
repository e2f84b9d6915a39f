#include "db/principals/last_used.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/uuid/uuid_hash.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace db {

// Rows that somebody else has locked are left out, and written the next time: so this never waits, and can be
// part of no deadlock. It may go in parallel on several cores with the same rows.
static const statement write_key_uses{"usage_write_keys", R"(
    WITH free AS (SELECT id FROM api_keys WHERE id = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE api_keys k
    SET last_used_at = greatest(k.last_used_at, noted.at)
    FROM free, unnest($1::uuid[], $2::timestamptz[]) AS noted (id, at)
    WHERE k.id = free.id AND noted.id = free.id
    RETURNING k.id)"};

static const statement write_session_uses{"usage_write_sessions", R"(
    WITH free AS (SELECT id FROM sessions WHERE id = ANY ($1) FOR NO KEY UPDATE SKIP LOCKED)
    UPDATE sessions s
    SET last_seen_at = greatest(s.last_seen_at, noted.at)
    FROM free, unnest($1::uuid[], $2::timestamptz[]) AS noted (id, at)
    WHERE s.id = free.id AND noted.id = free.id
    RETURNING s.id)"};

/// What has been noted and not yet written.
class usage::notes {
public:
    notes(boost::asio::io_context& io, pool& db, config settings) : timer_(io), db_(db), settings_(settings)
    {}

    void keep(const principal& who, std::int64_t second)
    {
        merge(who.kind == principal::kind_type::api_key ? keys_ : sessions_, who.credential_id,
              {second, false});
    }

    awaitable<void> flush()
    {
        co_await write(write_key_uses, keys_);
        co_await write(write_session_uses, sessions_);
    }

    /// Until stopped. What cannot be written now is kept, so a failure needs no other treatment.
    static awaitable<void> run(std::shared_ptr<notes> self)
    {
        while (!self->stopped_) {
            boost::system::error_code woken;
            self->timer_.expires_after(self->settings_.write_every);
            co_await self->timer_.async_wait(boost::asio::redirect_error(use_awaitable, woken));
            if (self->stopped_)
                break;
            try {
                co_await self->flush();
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
    struct note {
        std::int64_t second;
        bool skipped; ///< left out once: a row that is left out again is taken to be gone
    };
    using table = boost::unordered_flat_map<uuid, note, boost::hash<uuid>>;

    static void merge(table& into, const uuid& id, note added)
    {
        auto [known, is_new] = into.try_emplace(id, added);
        if (!is_new)
            known->second.second = std::max(known->second.second, added.second);
    }

    awaitable<void> write(const statement& how, table& noted)
    {
        auto left = std::exchange(noted, {});
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
                        merge(noted, id, {locked->second.second, true});
                    left.erase(locked);
                }
            }
        } catch (...) {
            for (const auto& [id, seen] : left)
                merge(noted, id, seen);
            throw;
        }
    }

    boost::asio::steady_timer::rebind_executor<executor>::other timer_;
    pool& db_;
    config settings_;
    table keys_;
    table sessions_;
    bool stopped_ = false;
};

usage::usage(boost::asio::io_context& io, pool& db, config settings)
    : note_every_(settings.note_every.count()), notes_(std::make_shared<notes>(io, db, settings))
{
    boost::asio::co_spawn(io, notes::run(notes_), boost::asio::detached);
}

usage::~usage()
{
    notes_->stop();
}

void usage::keep(const principal& who, std::int64_t second)
{
    who.noted_at = second;
    notes_->keep(who, second);
}

awaitable<void> usage::flush()
{
    return notes_->flush();
}

awaitable<void> usage::close()
{
    notes_->stop();
    return notes_->flush();
}

} // namespace db
