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

/** As short as the names that people choose themselves have to be. */
std::string default_workspace_name(const newcomer& who)
{
    constexpr std::size_t longest = 100; // code points
    auto owner = who.name.value_or(who.email.substr(0, who.email.find('@')));
    auto name = owner + "'s workspace";
    return schemas::count_code_points(name) <= longest ? name : owner;
}

} // namespace

newcomer::newcomer() : user(crypto::make_uuid_v7()), workspace(crypto::make_uuid_v7()) {}

void add_newcomer(db::batch& work, const newcomer& who)
{
    db::users::draft user;
    user.id = who.user;
    user.email = who.email;
    user.email_normalized = who.email_normalized;
    user.password_hash = who.password_hash;
    user.name = who.name;
    user.email_verified = who.email_verified;
    db::users::add_insert(work, user);
    if (who.workspace_to_join) {
        db::join_requests::add_insert(work, who.user, *who.workspace_to_join);
        return;
    }
    db::workspaces::add_insert(work, who.workspace, who.workspace_name.value_or(default_workspace_name(who)),
                               who.user);
    db::memberships::add_insert(work, who.workspace, who.user, db::role::admin);
}

awaitable<std::optional<db::uuid>> find_workspace_to_join(context& cx, std::string_view email_normalized)
{
    std::string domain(email_normalized.substr(email_normalized.rfind('@') + 1));
    if (is_public_mail_provider(domain))
        co_return std::nullopt;
    co_return co_await db::join_requests::find_workspace(cx.db, std::move(domain));
}

std::optional<db::uuid> own_workspace(const newcomer& who)
{
    return who.workspace_to_join ? std::nullopt : std::optional(who.workspace);
}

} // namespace handlers
