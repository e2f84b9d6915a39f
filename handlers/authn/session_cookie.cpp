#include "handlers/authn/session_cookie.hpp"

#include "db/postgres/error.hpp"
#include "db/principals/transaction.hpp"
#include "db/tables/browser_sessions.hpp"
#include "db/tables/sessions.hpp"
#include "handlers/authn/reauthentication.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/authn/session_tokens.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/unit_of_work.hpp"

#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <stdexcept>

namespace handlers {

namespace {

/// The access token of a browser session.
std::string make_token(const call& c, const browser_session& session, const std::optional<db::uuid>& wanted)
{
    token_subject subject;
    subject.user = session.user.id;
    subject.session = session.id;
    subject.session_expires = session.expires_at;
    for (auto& each : session.workspaces)
        if (each.workspace.id == wanted)
            subject.workspace = to_token_workspace(each);
    return make_access_token(c.cx, subject).text;
}

/// The workspace of pages that are about none in particular.
std::optional<db::uuid> default_workspace(const db::browser_sessions::loaded& found)
{
    auto is_member = [&found](const std::optional<db::uuid>& id) {
        return std::ranges::any_of(found.workspaces, [&id](auto& each) { return each.workspace.id == id; });
    };
    for (auto& id : {found.session.workspace_id, found.user.last_workspace_id})
        if (is_member(id))
            return id;
    return found.workspaces.empty() ? std::nullopt : std::optional(found.workspaces.front().workspace.id);
}

awaitable<std::optional<browser_session>> load_session_of(const call& c, db::digest cookie)
{
    auto max_age = c.cx.config.session_max_age;
    auto found = co_await db::browser_sessions::find(c.cx.db, cookie, max_age);
    if (!found || check_account(c.cx.config, found->user))
        co_return std::nullopt;
    browser_session out;
    out.id = found->session.id;
    out.workspace_id = default_workspace(*found);
    out.user = std::move(found->user);
    out.workspaces = std::move(found->workspaces);
    out.signed_in_at = found->session.created_at;
    out.expires_at = found->session.expires_at;
    co_return out;
}

} // namespace

awaitable<std::optional<browser_session>> load_browser_session(call& c)
{
    auto cookie = read_session_cookie(c);
    if (!cookie)
        co_return std::nullopt;
    co_return co_await load_session_of(c, *cookie);
}

awaitable<std::optional<browser_session>> browser_sign_in::load() const
{
    return load_session_of(c_, token_.digest);
}

browser_sign_in::browser_sign_in(call& c)
    : c_(c), token_(crypto::make_one_time_token()), cookie_{token_.digest}
{
    c_.new_cookie = &cookie_;
}

browser_sign_in::~browser_sign_in()
{
    c_.new_cookie = nullptr;
}

std::string browser_sign_in::set_cookie() const
{
    if (!cookie_.is_used)
        throw std::logic_error("no browser session has been opened for the cookie");
    return make_session_cookie(c_.cx.config, token_);
}

void ignore_authorization_header(call& c)
{
    c.bearer = std::string_view(""); // in the place of the header, and not null
}

browser_credential::browser_credential(call& c, const browser_session& session)
    : c_(c), token_(make_token(c, session, session.workspace_id)), before_(c.bearer)
{
    c_.bearer = token_;
}

browser_credential::browser_credential(call& c, const browser_session& session, const db::uuid& workspace)
    : c_(c), token_(make_token(c, session, workspace)), before_(c.bearer)
{
    c_.bearer = token_;
}

browser_credential::~browser_credential()
{
    c_.bearer = before_;
    c_.principal = {}; // what repeats the call must not look for its credential
}

awaitable<result<std::string>> open_browser_session(call& c)
{
    if (auto refused = require_browser_sessions(c.cx.config))
        co_return std::move(*refused);
    if (c.caller().kind != db::principal::kind_type::session)
        co_return problem::of(codes::forbidden, "An API key cannot sign a browser in.");
    auto user = co_await load_user(c);
    if (!user)
        co_return user.error();
    auto signed_in_at = co_await find_fresh_sign_in(c);
    if (!signed_in_at)
        co_return problem::of(codes::reauthentication_required);

    browser_sign_in browser(c);
    auto replaced = co_await find_replaced_session(c);
    db::row_locks locks{.users = {user->id}};
    add_locks_of(replaced, locks);
    unit_of_work tx(c, *user, credential_check::shared, std::move(locks));
    new_session session;
    auto draft = make_draft(session, c, tx.origin(), user->id);
    draft.password_version = user->password_version;
    draft.workspace_id = c.caller().workspace_id;
    draft.created_at = *signed_in_at; // or the fresh session of each would make the next one fresh
    db::sessions::add_insert(tx.batch(), draft);
    tx.audit("session.open", to_string(session.id));
    end_replaced_session(tx, replaced);
    co_await tx.commit_new_session();
    co_return browser.set_cookie();
}

awaitable<void> end_browser_session(call& c)
{
    auto cookies = read_session_cookies(c);
    for (auto& cookie : cookies) {
        // Also one that has ended: a repeated call waits for all nodes as the first one does.
        auto session = co_await db::browser_sessions::find_any(c.cx.db, cookie);
        if (!session)
            continue;
        db::transaction tx(c.cx.changes, c.cx.db);
        auto event = audit_context(c).event("session.logout");
        event.target = to_string(session->id);
        co_await db::sessions::end(std::move(tx), session->id, std::move(event));
    }
}

} // namespace handlers
