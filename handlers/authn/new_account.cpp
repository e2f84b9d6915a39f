#include "handlers/authn/new_account.hpp"

#include "crypto/random.hpp"
#include "db/tables/join_requests.hpp"
#include "db/tables/memberships.hpp"
#include "db/tables/users.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/mail/free_email_domains.hpp"
#include "schemas/engine/utf8.hpp"

namespace handlers {

namespace {

/// Within the length that the schema allows for names chosen by people.
std::string default_workspace_name(const new_account& account)
{
    constexpr std::size_t max_code_points = 100;
    auto owner = account.name.value_or(account.email.substr(0, account.email.find('@')));
    auto name = owner + "'s workspace";
    return schemas::count_code_points(name) <= max_code_points ? name : owner;
}

} // namespace

new_account::new_account() : user_id(crypto::make_uuid_v7()), workspace_id(crypto::make_uuid_v7()) {}

void add_account(db::batch& work, const new_account& account)
{
    db::users::draft user;
    user.id = account.user_id;
    user.email = account.email;
    user.email_normalized = account.email_normalized;
    user.password_hash = account.password_hash;
    user.name = account.name;
    user.email_verified = account.email_verified;
    user.verified_by_link_only = account.verified_by_link_only;
    user.signup_agent = account.signup_agent;
    db::users::add_insert(work, user);
    if (account.workspace_to_join) {
        db::join_requests::add_insert(work, account.user_id, *account.workspace_to_join);
        return;
    }
    auto name = account.workspace_name.value_or(default_workspace_name(account));
    db::workspaces::add_insert(work, account.workspace_id, name, account.user_id);
    db::memberships::add_insert(work, account.workspace_id, account.user_id, db::role::admin);
}

awaitable<std::optional<db::uuid>> find_workspace_to_join(context& cx, std::string_view email_normalized)
{
    std::string domain(email_normalized.substr(email_normalized.rfind('@') + 1));
    if (is_free_email_domain(domain))
        co_return std::nullopt;
    co_return co_await db::join_requests::find_workspace(cx.db, std::move(domain));
}

std::optional<db::uuid> owned_workspace(const new_account& account)
{
    return account.workspace_to_join ? std::nullopt : std::optional(account.workspace_id);
}

} // namespace handlers
