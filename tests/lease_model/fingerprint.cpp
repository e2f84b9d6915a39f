// Equal fingerprints for states that no party can tell apart: what is compared with nothing but itself
// (epochs, counters, ids) counts by its rank, and a time by what is still left of it. So the world is finite
// without a limit of time.
#include "tests/lease_model/world.hpp"

#include <algorithm>
#include <utility>

namespace lease_model {

class fingerprinter {
public:
    explicit fingerprinter(const world& of) : world_(of) { collect_ranks(); }

    std::array<std::uint64_t, 2> run()
    {
        put(world_.cuts_);
        put(world_.failures_);
        put(world_.observations_);
        put(world_.late_);
        for (auto& each : world_.revocations_) {
            put(static_cast<int>(each.state));
            if (each.state != progress::waiting && each.state != progress::acknowledged)
                put(age(each.committed, waiting_limit()));
        }
        for (std::size_t i = 0; i < world_.nodes_.size(); ++i)
            put(world_.nodes_[i]);
        return {one_, two_};
    }

private:
    using number = std::int64_t;

    void put(number value)
    {
        one_ = (one_ ^ static_cast<std::uint64_t>(value)) * 0x9E3779B97F4A7C15u;
        one_ ^= one_ >> 29;
        two_ = (two_ + static_cast<std::uint64_t>(value) + 0x7F4A7C15u) * 0xBF58476D1CE4E5B9u;
        two_ ^= two_ >> 31;
    }

    void put(const db::uuid& id)
    {
        put(id.data[0]);
        put(id.data[15]);
    }

    template <class Range>
    void put_all(const Range& all)
    {
        put(static_cast<number>(std::size(all)));
        for (auto& each : all)
            put(each);
    }

    number waiting_limit() const
    {
        auto& how = *world_.setup_;
        auto limit = how.settles_within ? *how.settles_within + 1 : 0;
        return std::max(limit, how.fence_after < 100 ? how.fence_after : 0);
    }

    /// Ticks since a time, at most `most`.
    number age(time_point since, number most) const
    {
        return std::clamp<number>((world_.now_ - since) / tick, -1, most);
    }

    void add_row(const db::node_record& row)
    {
        auto which = row.id.data[15];
        epochs_[which].push_back(row.epoch);
        renewals_[which].push_back(row.renewals);
    }

    void collect_ranks()
    {
        epochs_.resize(world_.nodes_.size());
        renewals_.resize(world_.nodes_.size());
        for (std::size_t i = 0; i < world_.nodes_.size(); ++i) {
            auto& of = world_.nodes_[i];
            epochs_[i].push_back(of.holder.current().epoch);
            if (of.row)
                add_row(*of.row);
            for (auto& each : of.requests)
                epochs_[i].push_back(each.epoch);
            for (auto& lost : of.orphans)
                for (auto& each : lost)
                    epochs_[i].push_back(each.epoch);
            for (auto& each : of.replies) {
                epochs_[i].push_back(each.epoch);
                std::ranges::for_each(each.rows, [&](auto& row) { add_row(row); });
            }
            for (auto& each : of.fences)
                for (auto& target : each.targets)
                    epochs_[target.node.data[15]].push_back(target.epoch);
            for (auto& [id, seen] : of.recalls.current().nodes)
                add_row(seen.row);
        }
        for (auto* all : {&epochs_, &renewals_})
            for (auto& each : *all) {
                std::ranges::sort(each, std::greater<>());
                each.erase(std::unique(each.begin(), each.end()), each.end());
            }
    }

    static number rank(const std::vector<number>& among, number value)
    {
        return std::ranges::find(among, value) - among.begin();
    }

    void put(const db::node_record& row)
    {
        auto which = row.id.data[15];
        put(which);
        put(rank(epochs_[which], row.epoch));
        put(rank(renewals_[which], row.renewals));
    }

    void put(const node& of)
    {
        node_ = static_cast<std::size_t>(&of - world_.nodes_.data());
        put(of.holder.current());
        put(of.recalls.current());
        put(of.until > world_.now_ ? (of.until - world_.now_).count() : 0);
        for (auto& [id, seen] : of.recalls.current().nodes) {
            put_observations(of.requests, seen);
            put_observations(of.replies, seen);
        }
        for (auto& each : of.requests) {
            put(static_cast<int>(each.kind));
            put(relative_id(of, each.kind, each.id));
            put(rank(epochs_[node_], each.epoch));
            put_all(each.changes);
            put_all(each.others);
        }
        put(-1);
        for (auto& lost : of.orphans) {
            for (auto& each : lost) {
                put(static_cast<int>(each.kind));
                put(each.id > of.row_request);
                put(rank(epochs_[node_], each.epoch));
                put_all(each.changes);
                put_all(each.others);
            }
            put(-2);
        }
        put(-1);
        for (auto& each : of.replies) {
            put(static_cast<int>(each.kind));
            put(relative_id(of, each.kind, each.id));
            put(each.accepted);
            put(rank(epochs_[node_], each.epoch));
            put_all(each.rows);
        }
        put(-1);
        for (auto& each : of.notices) {
            put(static_cast<int>(each.kind));
            put(static_cast<number>(each.key));
            put(each.change);
            put(each.node);
        }
        put(-1);
        for (auto& each : of.fences)
            for (auto& target : each.targets) {
                put(target.node);
                put(rank(epochs_[target.node.data[15]], target.epoch));
            }
        put(-1);
        for (auto& each : of.cores) {
            put(each.cached);
            put(each.loading);
            for (auto& waiting : each.mailbox) {
                put(waiting.is_round);
                put(waiting.is_round ? relative_round(of, waiting.id) : static_cast<number>(waiting.id));
                put(waiting.keys);
            }
            put(-1);
        }
        put(of.listens);
        put(of.starts);
        put(of.fenced);
        if (of.row)
            put(*of.row);
    }

    /// Whether each observation under way was sent late enough to show that a lease has run out.
    template <class Messages>
    void put_observations(const Messages& all, const recall_tracker::observation& seen)
    {
        for (auto& each : all)
            if (each.kind == request::kind_type::observe)
                put(each.sent - seen.since >= world_.setup_->lease * tick);
    }

    static number relative_id(const node& of, request::kind_type kind, std::uint64_t id)
    {
        using kinds = request::kind_type;
        auto last = kind == kinds::look ? of.recalls.current().last_look : of.holder.current().request;
        return kind == kinds::listen || kind == kinds::acknowledge || kind == kinds::observe
                   ? 0
                   : static_cast<number>(last - id);
    }

    /// Of a round that the holder has forgotten, only that it is none of its own.
    static number relative_round(const node& of, std::uint64_t id)
    {
        auto& rounds = of.holder.current().rounds;
        auto found = std::ranges::find(rounds, id, &lease_holder::round_type::id);
        return found == rounds.end() ? -1 : found - rounds.begin();
    }

    void put(const lease_holder::state& of)
    {
        auto lease = world_.setup_->lease;
        put(static_cast<int>(of.phase));
        put(rank(epochs_[node_], of.epoch));
        put(of.asking);
        put(age(of.sent, lease));
        for (auto& each : of.rounds) {
            put(each.done);
            put_all(each.changes);
        }
        put(-1);
        put(of.pending.has_value());
        if (of.pending) {
            put(age(of.pending->sent, lease));
            put(std::ranges::count_if(of.rounds, [&](auto& round) { return round.id <= of.pending->after; }));
            put(of.pending->emptied);
        }
        put(of.until > world_.now_ ? (of.until - world_.now_).count() : 0);
        put(of.gap);
    }

    void put(const recall_tracker::state& of)
    {
        auto lease = world_.setup_->lease;
        auto length = lease * tick;
        put(of.ready);
        put(static_cast<int>(of.receives));
        for (auto& [id, seen] : of.nodes) {
            put(seen.row);
            put(seen.looked - seen.since >= length);
            put(age(seen.since, lease));
            put(seen.stale);
            for (auto& look : of.looks)
                put(look.sent - seen.since >= length);
        }
        put(-1);
        for (auto& [id, change] : of.changes) {
            put(id);
            put(age(change.committed, waiting_limit()));
            put(change.next_poll > world_.now_);
            put(change.listed || change.lists == 0 ? -1 : static_cast<number>(of.last_look - change.lists));
            put(change.listed);
            put_all(change.pending);
        }
        for (auto& [change, nodes] : of.early_acks.all) {
            put(change);
            put_all(nodes);
        }
        put(-1);
        put(static_cast<number>(of.looks.size()));
    }

    const world& world_;
    std::size_t node_ = 0;
    std::vector<std::vector<number>> epochs_, renewals_;
    std::uint64_t one_ = 1, two_ = 2;
};

std::array<std::uint64_t, 2> world::fingerprint() const
{
    return fingerprinter(*this).run();
}

} // namespace lease_model
