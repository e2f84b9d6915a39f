#include "db/tables/refusals.hpp"

#include "db/postgres/error.hpp"
#include "db/postgres/spawn.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/container_hash/hash.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/uuid/uuid_hash.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <utility>

namespace db::audit {

// One statement is one transaction, so that locks of several users are never held together.
static const statement record_refusals{"audit_record_refusals", "SELECT record_refusal($1, $2, $3)"};

/// Refusals that are not written yet.
class refusal_writer::buffer {
public:
    buffer(boost::asio::io_context& io, pool& db, config settings) : timer_(io), db_(db), settings_(settings)
    {}

    entry* count(refusal kind, const uuid& subject, timestamp now)
    {
        const key wanted{kind, std::chrono::floor<std::chrono::minutes>(now).time_since_epoch() / span,
                         subject};
        auto known = pending_.find(wanted);
        if (known == pending_.end() && pending_.size() >= settings_.max_pending)
            return nullptr;
        auto& found = known == pending_.end() ? pending_[wanted] : known->second;
        return ++found.count == 1 ? &found.event : nullptr;
    }

    awaitable<void> flush()
    {
        auto left = std::exchange(pending_, {});
        while (!left.empty()) {
            auto [what, counted] = *left.begin();
            try {
                co_await write(what, counted);
            } catch (const failure& e) {
                if (e.unavailable() || e.kind() == failure_kind::overloaded) {
                    keep(left);
                    throw;
                } // else a row that cannot be written: the others can
            }
            left.erase(what);
        }
    }

    /// Until stopped. Refusals that cannot be written are kept, so a failure needs no other handling.
    static awaitable<void> run(std::shared_ptr<buffer> self)
    {
        while (!self->stopped_) {
            boost::system::error_code woken;
            self->timer_.expires_after(self->settings_.write_interval);
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
    struct key {
        refusal kind;
        std::int64_t span_number;
        uuid subject;

        bool operator==(const key&) const = default;
        friend std::size_t hash_value(const key& what)
        {
            std::size_t out = boost::hash<uuid>()(what.subject);
            boost::hash_combine(out, static_cast<int>(what.kind));
            boost::hash_combine(out, what.span_number);
            return out;
        }
        std::string text() const
        {
            return std::to_string(static_cast<int>(kind)) + " " + to_string(subject) + " " +
                   std::to_string(span_number);
        }
    };
    struct counted_event {
        std::int64_t count = 0;
        entry event;
    };
    using table = boost::unordered_flat_map<key, counted_event, boost::hash<key>>;

    awaitable<void> write(const key& what, const counted_event& counted)
    {
        auto event = counted.event;
        auto details = boost::json::parse(event.details).as_object();
        details["count"] = counted.count;
        event.details = boost::json::serialize(details);
        event.aggregate_key = what.text();
        auto person = what.kind == refusal::failed_login ? std::optional(what.subject) : event.actor_id;
        co_await db_.run(record_refusals, as_json(event), person, counted.count);
    }

    void keep(table& left)
    {
        for (auto& [what, counted] : left)
            if (auto [known, is_new] = pending_.try_emplace(what, counted); !is_new)
                known->second.count += counted.count;
    }

    boost::asio::steady_timer::rebind_executor<executor>::other timer_;
    pool& db_;
    config settings_;
    table pending_;
    bool stopped_ = false;
};

refusal_writer::refusal_writer(boost::asio::io_context& io, pool& db, config settings)
    : buffer_(std::make_shared<buffer>(io, db, settings))
{
    spawn(io.get_executor(), buffer::run(buffer_));
}

refusal_writer::~refusal_writer()
{
    buffer_->stop();
}

entry* refusal_writer::count(refusal kind, const uuid& subject, timestamp now)
{
    return buffer_->count(kind, subject, now);
}

awaitable<void> refusal_writer::flush()
{
    return buffer_->flush();
}

awaitable<void> refusal_writer::close()
{
    buffer_->stop();
    return buffer_->flush();
}

} // namespace db::audit
