#include "handlers/authn/session_issuer.hpp"

#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "db/tables/known_devices.hpp"
#include "handlers/authn/session_tokens.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "handlers/to_schema.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace handlers {

opening::opening() : id(crypto::make_uuid_v7()), salt(crypto::random_bytes<16>()) {}

db::sessions::draft draft_of(const opening& session, const call& c, const trace& from, const db::uuid& user)
{
    db::sessions::draft out;
    out.id = session.id;
    out.user_id = user;
    out.salt = session.salt;
    out.expires_at = c.cx.now() + c.cx.config.refresh_token_ttl;
    out.ip = from.ip();
    out.user_agent = from.agent();
    return out;
}

namespace {

/** What stays the same of an agent when its programs are updated. */
db::digest device_of(const std::string& agent)
{
    auto kept = agent;
    std::erase_if(kept, [](char c) { return (c >= '0' && c <= '9') || c == '.' || c == '_'; });
    return crypto::sha256(kept);
}

} // namespace

void add_device(db::batch& work, const call& c, const trace& from, const db::uuid& user)
{
    auto letter = make_letter(c.cx, db::outbox::kind::new_sign_in, facts_of(c, from));
    db::devices::add_note(work, user, device_of(from.agent()), letter);
}

awaitable<answer<schemas::login_result>> open_session(call& c, db::users::account account)
{
    trace from(c);
    opening session;
    auto draft = draft_of(session, c, from, account.user.id);
    draft.password_version = account.user.password_version;
    auto event = from.event("session.open");
    event.actor_id = account.user.id;
    event.credential_id = session.id;
    db::batch work;
    std::optional<db::role> role;
    if (account.place) {
        draft.workspace_id = event.workspace_id = account.place->workspace.id;
        role = account.place->membership.role;
        db::users::add_set_last_workspace(work, account.user.id, *draft.workspace_id);
    }
    db::sessions::add_insert(work, draft);
    add_device(work, c, from, account.user.id);
    db::audit::add(work, event);
    try {
        co_await c.cx.db.run(std::move(work));
    } catch (const db::failure& e) {
        if (db::sessions::was_outdated(e))
            co_return problem::invalid_credentials();
        throw;
    }

    schemas::login_result out;
    issue_tokens(c.cx, {account.user.id, session.id, draft.workspace_id, role, 0, session.salt}, out);
    out.user = to_user(c.cx.config, account.user);
    if (account.place)
        out.workspace = to_workspace(account.place->workspace);
    co_return out;
}

awaitable<std::optional<schemas::workspace_token>> lead_session(call& c, db::uuid workspace)
{
    auto& who = c.caller();
    trace from(c);
    auto event = from.event("session.switch");
    event.workspace_id = workspace;
    event.target = to_string(who.credential_id);
    auto place = co_await db::sessions::lead_to(c.cx.db, who.credential_id, *who.user_id, workspace, event);
    if (!place)
        co_return std::nullopt;
    schemas::workspace_token out;
    out.access_token =
        make_access_token(c.cx, {*who.user_id, who.credential_id, workspace, place->membership.role, 0, {}});
    out.expires_in = c.cx.config.access_token_ttl.count();
    out.workspace = to_workspace(place->workspace);
    out.membership = to_membership(place->membership);
    co_return out;
}

std::optional<problem> check_account(const settings& config, const db::users::row& user)
{
    if (user.disabled_at)
        return problem::forbidden("account_disabled", "The account has been disabled.");
    if (config.verification_required && !user.email_verified_at)
        return problem::forbidden("email_not_verified", "Follow the link in the mail first.");
    return std::nullopt;
}

} // namespace handlers
