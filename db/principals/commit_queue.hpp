// Group commit: the small transactions of a core that are committed together.
#pragma once

#include "db/postgres/batch.hpp"
#include "db/postgres/result.hpp"
#include "db/principals/invalidation.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace db {

/** The rows that a transaction locks: all of them, apart from those that it inserts. By them it is decided
    which transactions may be committed together, and a group locks the rows of all members first. */
struct locked_rows {
    /// The workspace that the transaction's audit event refers to.
    std::optional<uuid> workspace{};

    /// With it, the workspace that the session is in.
    std::optional<uuid> session{};

    /// The prefix of a key of `workspace`, with the invites that the key has sent.
    std::optional<std::string> api_key{};

    /// The same for any workspace, which is locked as well.
    std::optional<digest> api_key_digest{};

    /// A statement of the batch that does nothing but lock such rows: a group leaves it out.
    const statement* lock_statement = nullptr;

    /// Whether two transactions change one row: then their order matters, and each gets a group of its own.
    bool conflicts_with(const locked_rows& other) const;
};

/// A transaction that may be committed together with others, and what became of it.
struct grouped_commit {
    batch work;
    locked_rows rows;

    /// As in invalidation_bus::commit; `from` may be empty.
    invalidation at_most;
    std::function<invalidation(const results&)> from;

    results answers{};
    std::exception_ptr failed{};
};

using grouped_commit_ref = std::shared_ptr<grouped_commit>;
using commit_group = std::vector<grouped_commit_ref>;

/** Group commit as of D. DeWitt et al., "Implementation techniques for main memory database systems" (SIGMOD
    1984): what arrives while a group is in flight, committed or not, is the next. No transaction waits for
    company: a lone one is sent at once. PostgreSQL commits transactions that notify one at a time, each with
    its own flush to the disk, so that only fewer commits are faster.

    No I/O and no clock; invalidation_bus is its driver. */
class commit_queue {
public:
    /// Bounds the time for which a group holds its locks.
    static constexpr std::size_t max_members = 64;

    /// @return whether a group must be sent, with take(), and from then on is in flight
    [[nodiscard]] bool add(grouped_commit_ref added);

    /** The oldest transactions, without any two that change one row. Those without a workspace come first,
        since row-level security confines a transaction for the rest of it.
        @return the group's number, for end_of_turn() */
    std::uint64_t take(commit_group& group);

    /** A group has ended, or takes so long that it shall not hold up others. Called once more or too late it
        has no effect.
        @return as add() */
    [[nodiscard]] bool end_of_turn(std::uint64_t group);

    /// Transactions that wait.
    std::size_t size() const { return waiting_.size(); }

private:
    [[nodiscard]] bool begin_turn();

    std::deque<grouped_commit_ref> waiting_;

    /// The last group, and whether it holds up others.
    std::uint64_t last_ = 0;
    bool has_turn_ = false;
};

/** Concatenate a group: the locks of all, in the lock order of db/migrations/README.md, then each member's
    statements as they are, confined to its own workspace. It is one transaction: if a statement fails, no
    member has an effect. Locks that others hold are not awaited; the group fails then (55P03).
    @param first_results for each member, where its results begin */
batch combine(const commit_group& group, std::vector<std::size_t>& first_results);

/// Move the results of a combined batch to the members: an empty one for a statement that was left out.
void distribute(results& answers, const commit_group& group, std::span<const std::size_t> first_results);

} // namespace db
