#include "db/principals/commit_queue.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace db {

bool locked_rows::conflicts_with(const locked_rows& other) const
{
    return (session && session == other.session) || (api_key && api_key == other.api_key) ||
           (api_key_digest && api_key_digest == other.api_key_digest);
}

bool commit_queue::begin_turn()
{
    if (has_turn_ || waiting_.empty())
        return false;
    has_turn_ = true;
    ++last_;
    return true;
}

bool commit_queue::add(grouped_commit_ref added)
{
    waiting_.push_back(std::move(added));
    return begin_turn();
}

std::uint64_t commit_queue::take(commit_group& group)
{
    commit_group confined, later;
    auto conflicts_in = [](const commit_group& others, const grouped_commit_ref& next) {
        return std::ranges::any_of(
            others, [&](const grouped_commit_ref& each) { return each->rows.conflicts_with(next->rows); });
    };
    while (group.size() + confined.size() < max_members && !waiting_.empty()) {
        auto next = std::move(waiting_.front());
        waiting_.pop_front();
        auto& to = conflicts_in(group, next) || conflicts_in(confined, next) ? later
                   : next->work.workspace()                                  ? confined
                                                                             : group;
        to.push_back(std::move(next));
    }
    std::ranges::move(confined, std::back_inserter(group));
    waiting_.insert(waiting_.begin(), std::make_move_iterator(later.begin()),
                    std::make_move_iterator(later.end()));
    return last_;
}

bool commit_queue::end_of_turn(std::uint64_t group)
{
    if (group == last_)
        has_turn_ = false;
    return begin_turn();
}

// NOWAIT: a member that has to wait for a lock does so alone. It also leaves no way to a deadlock with a
// transaction that locks in another order; the order of the ids spares others that wait.
static const statement lock_workspaces{"commit_queue_lock_workspaces", R"(
    SELECT FROM workspaces
    WHERE id = ANY ($1::uuid[] || ARRAY(SELECT workspace_id FROM sessions WHERE id = ANY ($2)
                                        UNION ALL
                                        SELECT workspace_id FROM api_keys WHERE digest = ANY ($3)))
    ORDER BY id FOR KEY SHARE NOWAIT)"};

static const statement lock_sessions{"commit_queue_lock_sessions", R"(
    SELECT FROM sessions WHERE id = ANY ($1) AND revoked_at IS NULL ORDER BY id FOR NO KEY UPDATE NOWAIT)"};

// Only keys of the workspace that each prefix is named in: a caller locks no rows of others.
static const std::string named_keys = R"(ARRAY(
        SELECT k.id FROM unnest($1::text[], $2::uuid[]) AS named (prefix, workspace_id)
                         JOIN api_keys k ON k.prefix = named.prefix AND k.workspace_id = named.workspace_id
        UNION ALL
        SELECT id FROM api_keys WHERE digest = ANY ($3)))";

static const statement lock_keys{"commit_queue_lock_keys", R"(
    SELECT FROM api_keys
    WHERE id = ANY ()" + named_keys + R"() AND revoked_at IS NULL
    ORDER BY id FOR NO KEY UPDATE NOWAIT)"};

// A trigger changes them with their key.
static const statement lock_invites{"commit_queue_lock_invites", R"(
    SELECT FROM invites
    WHERE invited_with = ANY ()" + named_keys + R"() AND accepted_at IS NULL AND cancelled_at IS NULL
    ORDER BY id FOR NO KEY UPDATE NOWAIT)"};

namespace {

void add_locks(batch& work, const commit_group& group)
{
    std::vector<uuid> workspaces, sessions, keys_in;
    std::vector<std::string> keys;
    std::vector<digest> digests;
    for (auto& each : group) {
        auto& rows = each->rows;
        if (rows.workspace)
            workspaces.push_back(*rows.workspace);
        if (rows.session)
            sessions.push_back(*rows.session);
        if (rows.api_key && rows.workspace) {
            keys.push_back(*rows.api_key);
            keys_in.push_back(*rows.workspace);
        }
        if (rows.api_key_digest)
            digests.push_back(*rows.api_key_digest);
    }
    work.add(lock_workspaces, workspaces, sessions, digests);
    if (!sessions.empty())
        work.add(lock_sessions, sessions);
    if (!keys.empty() || !digests.empty()) {
        work.add(lock_keys, keys, keys_in, digests);
        work.add(lock_invites, keys, keys_in, digests);
    }
}

} // namespace

batch combine(const commit_group& group, std::vector<std::size_t>& first_results)
{
    batch work;
    add_locks(work, group);
    for (auto& each : group)
        first_results.push_back(work.append(each->work, each->rows.lock_statement));
    return work;
}

void distribute(results& answers, const commit_group& group, std::span<const std::size_t> first_results)
{
    auto first = first_results.begin();
    for (auto& each : group) {
        auto at = *first++;
        for (auto& command : each->work.commands()) {
            auto was_left_out = group.size() > 1 && command.stmt == each->rows.lock_statement;
            each->answers.add(was_left_out ? result() : std::move(answers[at++]));
        }
    }
}

} // namespace db
