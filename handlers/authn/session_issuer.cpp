#include "handlers/authn/session_issuer.hpp"

#include "crypto/random.hpp"
#include "db/postgres/error.hpp"
#include "db/tables/known_devices.hpp"
#include "handlers/authn/browser_cookie.hpp"
#include "handlers/authn/device.hpp"
#include "handlers/authn/session_tokens.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "handlers/to_schema.hpp"

#include <boost/uuid/uuid_io.hpp>

#include <algorithm>

namespace handlers {

new_session::new_session() : id(crypto::make_uuid_v7()), salt(crypto::random_bytes<16>()) {}

db::sessions::draft make_draft(const new_session& session, const call& c, const audit_context& origin,
                               const db::uuid& user)
{
    db::sessions::draft out;
    out.id = session.id;
    out.user_id = user;
    if (c.new_cookie) {
        out.cookie_digest = c.new_cookie->digest;
        c.new_cookie->is_used = true;
    } else {
        out.salt = session.salt;
    }
    out.expires_at = c.cx.now() + std::min(c.cx.config.refresh_token_ttl, c.cx.config.session_max_age);
    out.ip = origin.ip();
    out.user_agent = origin.agent();
    return out;
}

void record_device(unit_of_work& tx, const call& c, const db::uuid& user)
{
    auto& origin = tx.origin();
    auto mail = make_mail(c.cx, db::outbox::kind::new_sign_in, request_variables(c, origin));
    db::known_devices::add_record(tx.batch(), user, device_of(c, origin), mail);
}

awaitable<std::optional<db::browser_sessions::row>> find_replaced_session(call& c)
{
    auto cookie = c.new_cookie ? read_session_cookie(c) : std::nullopt;
    if (!cookie)
        co_return std::nullopt;
    co_return co_await db::browser_sessions::find_any(c.cx.db, *cookie);
}

void add_locks_of(const std::optional<db::browser_sessions::row>& replaced, db::row_locks& locks)
{
    if (!replaced)
        return;
    locks.sessions.push_back(replaced->id);
    if (replaced->workspace_id)
        locks.workspaces.push_back(*replaced->workspace_id);
}

void end_replaced_session(unit_of_work& tx, const std::optional<db::browser_sessions::row>& replaced)
{
    if (!replaced)
        return;
    db::browser_sessions::add_end_replaced(tx.batch(), *replaced, tx.event("session.replace"));
    db::invalidation affected;
    affected.credentials.push_back(replaced->id);
    tx.affects(affected);
}

awaitable<answer<schemas::login_result>> open_session(call& c, db::users::account account)
{
    auto& [user, login_workspace] = account;
    db::row_locks locks{.users = {user.id}};
    if (login_workspace)
        locks.workspaces.push_back(login_workspace->workspace.id);
    auto replaced = co_await find_replaced_session(c);
    add_locks_of(replaced, locks);
    unit_of_work tx(c, credential_check::none, std::move(locks));
    new_session session;
    auto draft = make_draft(session, c, tx.origin(), user.id);
    draft.password_version = user.password_version;
    auto event = tx.event("session.open");
    event.actor_id = user.id;
    event.credential_id = session.id;
    if (login_workspace) {
        draft.workspace_id = event.workspace_id = login_workspace->workspace.id;
        db::users::add_set_last_workspace(tx.batch(), user.id, *draft.workspace_id);
    }
    db::sessions::add_insert(tx.batch(), draft);
    record_device(tx, c, user.id);
    tx.audit(event);
    end_replaced_session(tx, replaced);
    try {
        co_await tx.commit_new_session();
    } catch (const db::failure& e) {
        if (db::sessions::was_outdated(e))
            co_return problem::of(codes::invalid_credentials);
        throw;
    }

    schemas::login_result out;
    auto workspace = to_token_workspace(login_workspace);
    if (!c.new_cookie)
        issue_tokens(c.cx, {user.id, session.id, workspace, draft.expires_at, 0, session.salt}, out);
    out.user = to_user(c.cx.config, user);
    if (login_workspace)
        out.workspace = to_workspace(login_workspace->workspace);
    co_return out;
}

awaitable<std::optional<schemas::workspace_token>> switch_workspace(call& c, db::uuid workspace)
{
    auto& caller = c.caller();
    auto event = audit_context(c).event("session.switch");
    event.workspace_id = workspace;
    event.target = to_string(caller.credential_id);
    auto switched = co_await db::sessions::switch_to(c.cx.db, caller.credential_id, *caller.user_id,
                                                     workspace, c.cx.config.session_max_age, event);
    if (!switched)
        co_return std::nullopt;
    token_subject subject;
    subject.user = *caller.user_id;
    subject.session = caller.credential_id;
    subject.workspace = to_token_workspace(switched->opened);
    subject.session_expires = switched->session_expires;
    auto access = make_access_token(c.cx, subject);
    schemas::workspace_token out;
    out.access_token = std::move(access.text);
    out.expires_in = access.expires_in;
    out.workspace = to_workspace(switched->opened->workspace);
    out.membership = to_membership(switched->opened->membership);
    co_return out;
}

std::optional<problem> check_account(const settings& config, const db::users::row& user)
{
    if (user.disabled_at)
        return problem::of(codes::account_disabled);
    if (config.verification_required && !user.email_verified_at)
        return problem::of(codes::email_not_verified);
    return std::nullopt;
}

} // namespace handlers
