#include "handlers/authn/account_proof.hpp"

#include "db/tables/join_requests.hpp"
#include "handlers/authn/login_attempt.hpp"
#include "handlers/http/authenticate.hpp"
#include "handlers/http/guards.hpp"

namespace handlers {

awaitable<result<bool>> knows_account(call& c, const db::users::row& user,
                                      std::optional<schemas::existing_password> password)
{
    auto presented = read_credential(c);
    if (presented && presented->kind == credential::kind_type::access_token) {
        auto caller = co_await find_bearer_principal(c, presented->text);
        if (caller && caller->user_id == user.id)
            co_return true;
    }
    if (!password)
        co_return false;
    login_attempt attempt(c, schemas::normalize_email(user.email));
    auto over = co_await attempt.count();
    if (over)
        co_return std::move(*over);
    // A failure is not written to the audit log of an account that another person may have made.
    auto subject = db::users::is_proved(user) ? std::optional(user.id) : std::nullopt;
    auto hash = user.password_hash.value_or("");
    auto matches = co_await attempt.check(std::move(*password), subject, std::move(hash));
    if (!matches || *matches)
        co_return matches;
    co_return problem::of(codes::invalid_credentials.with_status(403), "The password is incorrect.");
}

db::row_locks locks_of(const new_account& account, const db::users::row* replaced)
{
    db::row_locks out{.user_strength = db::lock_strength::update};
    if (account.workspace_to_join)
        out.workspaces.push_back(*account.workspace_to_join);
    if (replaced)
        out.users.push_back(replaced->id);
    return out;
}

void add_verified_account(unit_of_work& tx, const new_account& account)
{
    auto signup = tx.event("user.signup");
    signup.actor_id = account.user_id;
    signup.workspace_id = owned_workspace(account);
    add_account(tx.batch(), account);
    db::join_requests::add_resolve(tx.batch(), account.user_id, tx.event("team.join"));
    tx.audit(signup);
    tx.affects_user(account.user_id);
}

awaitable<void> replace_unproved_account(unit_of_work& tx, call& c, const db::users::row& old,
                                         const new_account& account)
{
    tx.affects(co_await db::users::affected_by(c.cx.db, old.id));
    db::users::add_retire(tx.batch(), old.id);
    add_verified_account(tx, account);
}

} // namespace handlers
