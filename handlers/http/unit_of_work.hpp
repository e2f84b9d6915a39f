// Unit of work: one request's transaction, with its credential check, audit events and cache invalidation.
#pragma once

#include "db/principals/transaction.hpp"
#include "db/tables/audit.hpp"
#include "db/tables/row_locks.hpp"
#include "db/tables/users.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/context.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace handlers {

/// The check of the caller's credential that a unit of work begins with.
enum class credential_check {
    /// The transaction has no effect if the credential was revoked (401), or its rights changed (the guard
    /// and the handler run again), after the guard ran.
    shared,
    /// The same, and locks the workspace: changes of its members are serialized.
    exclusive,
    /// For calls without a caller, and for those that only end credentials.
    none
};

/** One mutation: collects the statements, the audit events and the principals to invalidate, then commits
    them in one round trip. Statements run in the order in which they were added. */
class unit_of_work {
public:
    /** @param locks rows of others that the statements lock, also through foreign keys: they are locked first
               and in the lock order, together with the caller's workspace (also without a check, since
               audit events refer to it) and, with a check, the caller's user and credential */
    explicit unit_of_work(call& c, credential_check check = credential_check::shared,
                          db::row_locks locks = {});

    /// Fails as well if the user's password was replaced after `user` was read.
    unit_of_work(call& c, const db::users::row& user, credential_check check = credential_check::shared,
                 db::row_locks locks = {});

    db::batch& batch() { return tx_.work(); }
    const audit_context& origin() const { return audit_; }

    /// An audit event of this request, to be completed and added by the caller.
    db::audit::entry event(std::string_view action, std::optional<std::string> target = {}) const;

    /// Writes an audit event in the transaction.
    void audit(std::string_view action, std::optional<std::string> target = {});
    void audit(const db::audit::entry& event);

    /// Adds a user to the invalidation that follows the commit.
    void affects_user(const db::uuid& id) { affected_.users.push_back(id); }
    void affects_workspace(const db::uuid& id) { affected_.workspaces.push_back(id); }
    void affects_digest(const db::digest& digest) { affected_.digests.push_back(digest); }
    void affects(const db::invalidation& what);

    /** Commits, and returns when no cache of any node holds an affected principal.
        @throw db::failure as db::invalidation_bus::commit */
    awaitable<db::results> commit();

    /// As above, where only the results show which principals were affected. The principals added by the
    /// `affects` functions must cover them all.
    awaitable<db::results> commit(std::function<db::invalidation(const db::results&)> affected);

    /// Commits statements that change no credential, such as mail.
    awaitable<db::results> commit_without_invalidation();

    /// Commits statements that add a credential. They may end another one.
    awaitable<db::results> commit_new_session();

    /// Gives up the transaction to a function of db/tables that adds statements and commits.
    db::transaction release();

private:
    audit_context audit_;
    db::transaction tx_;
    db::invalidation affected_;
};

} // namespace handlers
