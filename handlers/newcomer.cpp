#include "handlers/newcomer.hpp"

#include "crypto/random.hpp"
#include "db/memberships.hpp"
#include "db/users.hpp"
#include "db/workspaces.hpp"
#include "schemas/utf8.hpp"

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
    db::workspaces::add_insert(work, who.workspace, who.workspace_name.value_or(default_workspace_name(who)),
                               who.user);
    db::memberships::add_insert(work, who.workspace, who.user, db::role::admin);
}

} // namespace handlers
