// A small world of the lease protocol: PostgreSQL, a few nodes, keys and revocations. Every transition of it
// is one step of one party; an explorer runs them in all orders.
#pragma once

#include "db/principals/lease_holder.hpp"
#include "db/principals/recall_tracker.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace lease_model {

using db::lease_holder;
using db::recall_tracker;
using time_point = db::boot_clock::time_point;

/// The unit of time.
inline constexpr std::chrono::milliseconds tick{1};

struct setup {
    /// In ticks. A lease is renewed after a quarter of it.
    int lease = 4;

    /// Whether each node has a cache; one that has not only commits.
    std::vector<bool> has_cache{false, true};
    std::size_t cores = 1;

    /// Unanswered queries of a committer.
    std::size_t max_looks = 1;

    /// Each of another key, by the node that commits it.
    std::vector<std::size_t> revocations{0};

    /// How many connections are lost, and of which nodes.
    int cuts = 0;
    std::vector<bool> is_cut{false, true};

    /// How often a node's driver fails, and starts again later on the same connection; or starts again
    /// without need; or how often a query of a node without a cache fails.
    int failures = 0;
    std::vector<bool> is_failing{false, true};

    /// How often node 0 reads the other nodes' rows apart from its looks, as with a renewal.
    int observations = 0;

    /// What node 0 knows about acknowledgements. With `none` it gets none.
    recall_tracker::reception reception = recall_tracker::reception::proved;

    /// False: the nodes with a cache begin with their registration under way.
    bool begins_registered = true;

    /// Node 0 and its connection never hesitate, and its changes settle within this many ticks: the time to
    /// fencing, the lease, and the way there.
    std::optional<int> settles_within = std::nullopt;

    /// A node that renews without acknowledging is fenced after this many ticks.
    int fence_after = 1000;
};

/// A request of a node to PostgreSQL on the connection that listens.
struct request {
    enum class kind_type { listen, register_node, renew, look, observe, acknowledge };
    kind_type kind;
    std::uint64_t id = 0;
    std::int64_t epoch = 0;

    /// To publish again, or to acknowledge; and for each the node that is awaited, or the change's origin.
    std::vector<db::uuid> changes;
    std::vector<db::uuid> others;

    /// Of an observation.
    time_point sent{};
    bool operator==(const request&) const = default;
};

struct reply {
    request::kind_type kind;
    std::uint64_t id = 0;
    bool accepted = true;
    std::int64_t epoch = 0;
    time_point at;
    std::vector<db::node_record> rows;
    time_point sent{};
};

struct notice {
    enum class kind_type { key, end, acknowledged };
    kind_type kind;
    std::size_t key = 0;
    db::uuid change{};

    /// The origin of a change, or the node that acknowledges it.
    db::uuid node{};
    bool operator==(const notice&) const = default;
};

/// In a core's mailbox.
struct eviction {
    /// Of the lease holder, or of the committer.
    bool is_round = false;
    std::uint64_t id = 0;

    /// A bit per key.
    unsigned keys = 0;
};

struct core {
    /// Keys that are cached as they were before the revocation, or were read from the database so and will be
    /// cached.
    unsigned cached = 0, loading = 0;
    std::vector<eviction> mailbox;
};

struct node {
    node(std::chrono::milliseconds lease, recall_tracker::config settings) : holder(lease), recalls(settings)
    {}

    lease_holder holder;
    recall_tracker recalls;

    /// Starts under way after failures.
    int starts = 0;

    /// The lease as the cores see it.
    time_point until{};
    std::vector<request> requests;
    std::vector<reply> replies;

    /// Requests of lost connections: PostgreSQL executes them when it likes, and no answer arrives.
    std::vector<std::vector<request>> orphans;

    /// PostgreSQL sends these in the order of the commits, but as late as it likes.
    std::vector<notice> notices;
    std::vector<recall_tracker::fence> fences;
    std::vector<core> cores;

    // In PostgreSQL.
    bool listens = false;
    std::optional<db::node_record> row;
    bool fenced = false;

    /// Of the registration that the row is from.
    std::uint64_t row_request = 0;
};

enum class progress { waiting, committed, evicting, recalling, acknowledged };

struct revocation {
    std::size_t origin = 0;
    progress state = progress::waiting;
    time_point committed{};
};

/// One step of one party.
struct step {
    enum class kind_type {
        revoke,
        commit_returns,
        execute,
        execute_orphan,
        receive_reply,
        receive_notice,
        fence,
        run_timers,
        evict,
        load,
        cache,
        cut,
        fail,
        start,
        observe,
        tick
    };
    kind_type kind;
    std::size_t node = 0, core = 0, key = 0;

    std::string text() const;
};

class world {
public:
    explicit world(const setup& how);

    std::vector<step> enabled() const;
    void apply(const step& which);

    /// What is wrong in this state, if anything.
    std::optional<std::string> violation() const;
    bool all_acknowledged() const;

    /// Equal for states that differ only in what no party can observe, such as absolute times.
    std::array<std::uint64_t, 2> fingerprint() const;

private:
    bool is_due(const node& of) const;
    bool is_busy(std::size_t which) const;
    bool is_applying(const node& of, const notice& what) const;
    unsigned all_keys() const { return (1u << revocations_.size()) - 1; }

    bool hears(std::size_t which) const;
    void notify(std::size_t which, const notice& what);
    void execute(std::size_t which);
    void execute_orphan(std::size_t which, std::size_t connection);
    std::optional<reply> answer(std::size_t which, request next);
    void receive_reply(std::size_t which);
    void receive_notice(std::size_t which);
    void fail(std::size_t which);
    void fence(std::size_t which);
    void evict(std::size_t which, std::size_t core);
    void connect(std::size_t which);
    std::vector<db::node_record> rows_but(std::size_t which) const;

    template <class Actions>
    void perform(std::size_t which, Actions actions);
    void perform_one(std::size_t which, const lease_holder::action& what);
    void perform_one(std::size_t which, const recall_tracker::action& what);
    void start_eviction(std::size_t which, eviction what);

    const setup* setup_;
    time_point now_{std::chrono::seconds(1)};
    std::int64_t last_epoch_ = 0;
    std::vector<node> nodes_;
    std::vector<revocation> revocations_;
    int cuts_ = 0, failures_ = 0, observations_ = 0;
    bool late_ = false;

    friend class fingerprinter;
};

} // namespace lease_model
