#include "handlers/http/unit_of_work.hpp"

#include "db/postgres/batch.hpp"
#include "db/tables/credential_checks.hpp"

#include <algorithm>
#include <utility>

namespace handlers {

namespace {

/// Adds the rows that the check of the caller's credential locks, so that all are locked in one order.
void add_caller(db::row_locks& locks, const db::principal& caller, credential_check check)
{
    if (caller.workspace_id)
        locks.workspaces.push_back(*caller.workspace_id);
    if (check == credential_check::none)
        return;
    auto wanted =
        check == credential_check::exclusive ? db::lock_strength::no_key_update : db::lock_strength::share;
    locks.workspace_strength = std::max(locks.workspace_strength, wanted);
    if (locks.users.empty())
        locks.user_strength = db::lock_strength::share;
    if (caller.user_id)
        locks.users.push_back(*caller.user_id);
    auto& credentials = caller.kind == db::principal::kind_type::session ? locks.sessions : locks.api_keys;
    credentials.push_back(caller.credential_id);
}

void add_check(db::batch& work, const call& c, credential_check check)
{
    switch (check) {
    case credential_check::shared:
        db::require_valid_credential(work, c.caller());
        break;
    case credential_check::exclusive:
        db::require_valid_credential_exclusive(work, c.caller());
        break;
    case credential_check::none:
        break;
    }
}

} // namespace

unit_of_work::unit_of_work(call& c, credential_check check, db::row_locks locks)
    : audit_(c), tx_(c.cx.changes, c.cx.db)
{
    // A check alone locks in the right order.
    bool locks_more = !locks.empty();
    if (c.principal && (locks_more || check == credential_check::none))
        add_caller(locks, *c.principal, check);
    db::add_locks(batch(), locks);
    add_check(batch(), c, check);
}

unit_of_work::unit_of_work(call& c, const db::users::row& user, credential_check check, db::row_locks locks)
    : audit_(c), tx_(c.cx.changes, c.cx.db)
{
    locks.users.push_back(user.id);
    locks.user_strength = std::max(locks.user_strength, db::lock_strength::no_key_update);
    if (c.principal)
        add_caller(locks, *c.principal, check);
    db::add_locks(batch(), locks);
    db::require_unchanged_password(batch(), user.id, user.password_version);
    add_check(batch(), c, check);
}

db::audit::entry unit_of_work::event(std::string_view action, std::optional<std::string> target) const
{
    auto out = audit_.event(action);
    out.target = std::move(target);
    return out;
}

void unit_of_work::audit(std::string_view action, std::optional<std::string> target)
{
    audit(event(action, std::move(target)));
}

void unit_of_work::audit(const db::audit::entry& event)
{
    db::audit::add(batch(), event);
}

void unit_of_work::affects(const db::invalidation& what)
{
    affected_.add(what);
}

awaitable<db::results> unit_of_work::commit()
{
    return tx_.commit(std::move(affected_));
}

awaitable<db::results> unit_of_work::commit(std::function<db::invalidation(const db::results&)> affected)
{
    return tx_.commit(std::move(affected_), std::move(affected));
}

awaitable<db::results> unit_of_work::commit_without_invalidation()
{
    return tx_.commit_without_invalidation();
}

awaitable<db::results> unit_of_work::commit_new_session()
{
    return affected_.empty() ? commit_without_invalidation() : commit();
}

db::transaction unit_of_work::release()
{
    return std::move(tx_);
}

} // namespace handlers
