#include "handlers/endpoints/invites.hpp"

#include "crypto/encoding.hpp"
#include "crypto/one_time_token.hpp"
#include "crypto/random.hpp"
#include "db/tables/invites.hpp"
#include "db/tables/users.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/pagination.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/refusals.hpp"
#include "handlers/http/request_limits.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "handlers/mail/verified_sender.hpp"
#include "handlers/to_schema.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <map>
#include <span>

namespace handlers::invites {

namespace {

/// Inviting admins requires the permission to change roles: an invite must not exceed the caller's rights.
constexpr std::string_view admin_invite_permission = "team:roles";

bool may_invite_as(const call& c, schemas::role role)
{
    return role != schemas::role::admin || has_permission(c, admin_invite_permission);
}

/// Template variables of an invite: the workspace and the inviter.
awaitable<boost::json::object> invite_variables(call& c)
{
    boost::json::object variables{{"ttl_seconds", c.cx.config.invite_ttl.count()}};
    auto workspace = co_await db::workspaces::find(c.cx.db, *c.caller().workspace_id);
    if (workspace)
        variables["workspace"] = workspace->name;
    if (c.caller().user_id) {
        auto inviter = co_await db::users::find(c.cx.db, *c.caller().user_id);
        if (inviter) {
            variables["person"] = inviter->name.value_or("");
            variables["person_email"] = inviter->email;
        }
    }
    co_return variables;
}

db::outbox::draft make_invite_mail(const call& c, db::outbox::kind kind, const boost::json::object& variables,
                                   std::string_view token)
{
    auto out = make_mail(c.cx, kind, variables, token);
    out.sender_id = c.caller().user_id;
    out.workspace_id = c.caller().workspace_id;
    return out;
}

db::invites::sender sender_of(const call& c)
{
    auto& caller = c.caller();
    db::invites::sender out;
    out.user_id = caller.user_id;
    if (caller.kind != db::principal::kind_type::session)
        out.key_id = caller.credential_id;
    return out;
}

std::string details_of(const schemas::invite_draft& invite)
{
    boost::json::object out{{"email", invite.email.text}, {"role", schemas::to_text(invite.role)}};
    return boost::json::serialize(out);
}

schemas::invite_result to_wire(db::invites::outcome outcome)
{
    switch (outcome) {
    case db::invites::outcome::created:
        return schemas::invite_result::created;
    case db::invites::outcome::already_member:
        return schemas::invite_result::already_member;
    case db::invites::outcome::already_invited:
        break;
    }
    return schemas::invite_result::already_invited;
}

with_status<schemas::invites_refused> refuse(const call& c, std::vector<schemas::invite_outcome> items)
{
    auto all = [&](schemas::invite_result result) {
        return std::ranges::all_of(items, [result](auto& item) { return item.result == result; });
    };
    with_status<schemas::invites_refused> out;
    out.status = 409;
    if (all(schemas::invite_result::forbidden_role)) {
        out.status = 403;
        auto denied = deny_permission(c, admin_invite_permission);
        out.body.code = denied.code.name();
        out.body.required = std::move(denied.required);
        out.body.detail = "The caller may not grant the role of any of these invites.";
    } else {
        auto& code = all(schemas::invite_result::already_member) ? codes::already_member : codes::conflict;
        out.body.code = code.name();
        out.body.detail = "No invite was created: all are members or already invited.";
    }
    out.body.items = std::move(items);
    return out;
}

/// A batch of invites on its way: the outcome of each, and drafts of those that the caller may create.
struct invite_plan {
    std::vector<schemas::invite_outcome> items;
    std::vector<db::invites::draft> drafts;
    /// Index of each draft among the items.
    std::vector<std::size_t> item_of_draft;
};

awaitable<void> add_invite(invite_plan& plan, call& c, const unit_of_work& tx,
                           const boost::json::object& variables, const schemas::invite_draft& invite)
{
    auto& item = plan.items.emplace_back();
    item.email = invite.email.text;
    item.role = invite.role;
    item.result = schemas::invite_result::forbidden_role;
    if (!may_invite_as(c, invite.role))
        co_return;
    auto token = crypto::make_one_time_token();
    db::invites::draft draft;
    draft.id = crypto::make_uuid_v7();
    draft.email = invite.email.text;
    draft.email_normalized = invite.email.normalized;
    draft.role = from_wire(invite.role);
    draft.digest = token.digest;
    auto target = crypto::bytes_of(invite.email.normalized);
    bool sends_mail = co_await is_within_limit(c, rate_limits::invite_target, target);
    if (sends_mail)
        draft.mail = make_invite_mail(c, db::outbox::kind::invite, variables, token.text);
    draft.event = tx.event("invite.create");
    draft.event.details = details_of(invite);
    draft.event.subject_email = invite.email.normalized;
    plan.drafts.push_back(std::move(draft));
    plan.item_of_draft.push_back(plan.items.size() - 1);
}

/// The unproved accounts that have an invited address, by its normalized form.
awaitable<std::map<std::string, db::users::row>> find_unproved_invitees(call& c,
                                                                        const schemas::invite_batch& body)
{
    std::vector<std::string> emails;
    for (auto& invite : body.invites)
        emails.push_back(invite.email.normalized);
    auto found = co_await db::users::find_unproved(c.cx.db, std::move(emails));
    std::map<std::string, db::users::row> out;
    for (auto& user : found)
        out.emplace(schemas::normalize_email(user.email), std::move(user));
    co_return out;
}

/// Inserts the drafts and records their outcomes.
awaitable<void> insert_invites(call& c, unit_of_work& tx, invite_plan& plan)
{
    auto drafts = plan.drafts;
    auto expires_at = c.cx.now() + c.cx.config.invite_ttl;
    auto outcomes = co_await db::invites::create(tx.release(), *c.caller().workspace_id, sender_of(c),
                                                 expires_at, std::move(drafts));
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
        auto& item = plan.items[plan.item_of_draft[i]];
        item.result = to_wire(outcomes[i]);
        if (item.result == schemas::invite_result::created)
            item.invite_id = plan.drafts[i].id;
    }
}

} // namespace

awaitable<std::variant<schemas::invite_outcomes, with_status<schemas::invites_refused>, problem>>
create(call& c, schemas::invite_batch body)
{
    if (auto refused = co_await require_verified_sender(c))
        co_return std::move(*refused);
    auto& workspace = *c.caller().workspace_id;
    std::span<const std::uint8_t> workspace_bytes(workspace.begin(), workspace.size());
    for (std::size_t i = 0; i < body.invites.size(); ++i)
        if (auto over = co_await count_request(c, rate_limits::invite_workspace, workspace_bytes))
            co_return std::move(*over);

    unit_of_work tx(c);
    auto variables = co_await invite_variables(c);
    auto unproved = co_await find_unproved_invitees(c, body);
    invite_plan plan;
    for (auto& invite : body.invites) {
        auto own_variables = variables;
        if (auto account = unproved.find(invite.email.normalized); account != unproved.end())
            describe_unproved_account(own_variables, account->second);
        co_await add_invite(plan, c, tx, own_variables, invite);
    }
    if (!plan.drafts.empty())
        co_await insert_invites(c, tx, plan);
    bool any = std::ranges::any_of(plan.items,
                                   [](auto& item) { return item.result == schemas::invite_result::created; });
    if (!any)
        co_return refuse(c, std::move(plan.items));
    schemas::invite_outcomes out;
    out.items = std::move(plan.items);
    co_return out;
}

namespace {

schemas::invite_row to_row(const db::invites::row& row)
{
    schemas::invite_row out;
    out.id = row.id;
    out.email = row.email;
    out.role = handlers::to_wire(row.role);
    if (row.status == db::invites::status::expired)
        out.status = schemas::invite_status::expired;
    out.invited_by = row.invited_by;
    out.created_at = row.created_at;
    out.sent_at = row.sent_at;
    out.expires_at = row.expires_at;
    return out;
}

/// The invite in the path, if the caller may grant its role.
awaitable<result<db::invites::row>> find_invite(call& c)
{
    auto id = schemas::parse_uuid(c.params[0]);
    if (!id)
        co_return problem::of(codes::not_found);
    auto invite = co_await db::invites::find(c.cx.db, *c.caller().workspace_id, *id);
    if (!invite)
        co_return problem::of(codes::not_found);
    if (!may_invite_as(c, handlers::to_wire(invite->role)))
        co_return deny_permission(c, admin_invite_permission);
    co_return std::move(*invite);
}

/// Counts an email against the limits of the invite, its workspace and its recipient.
awaitable<std::optional<problem>> count_mail(call& c, const db::invites::row& invite)
{
    std::span<const std::uint8_t> id(invite.id.begin(), invite.id.size());
    std::span<const std::uint8_t> workspace(invite.workspace_id.begin(), invite.workspace_id.size());
    if (auto over = co_await count_request(c, rate_limits::invite_resend, id))
        co_return over;
    if (auto over = co_await count_request(c, rate_limits::invite_workspace, workspace))
        co_return over;
    co_return co_await count_request(c, rate_limits::invite_target,
                                     crypto::bytes_of(invite.email_normalized));
}

} // namespace

awaitable<answer<schemas::page<schemas::invite_row>>> list(call& c, query<schemas::page_query> wanted)
{
    auto fetch = [&c](std::optional<db::uuid> after, int limit) {
        db::invites::query invites;
        invites.workspace_id = *c.caller().workspace_id;
        invites.after = after;
        invites.limit = limit;
        return db::invites::list(c.cx.db, std::move(invites));
    };
    co_return co_await paginate<schemas::invite_row>(c, wanted.value, "invites", fetch, &to_row);
}

awaitable<answer<no_content>> resend(call& c)
{
    auto invite = co_await find_invite(c);
    if (!invite)
        co_return invite.error();
    if (auto refused = co_await require_verified_sender(c))
        co_return std::move(*refused);
    if (auto over = co_await count_mail(c, *invite))
        co_return std::move(*over);

    unit_of_work tx(c);
    auto variables = co_await invite_variables(c);
    auto invitee = co_await db::users::find_by_email(c.cx.db, invite->email_normalized);
    if (invitee && !db::users::is_proved(*invitee))
        describe_unproved_account(variables, *invitee);
    auto token = crypto::make_one_time_token();
    auto mail = make_invite_mail(c, db::outbox::kind::invite_reminder, variables, token.text);
    auto event = tx.event("invite.resend", to_string(invite->id));
    auto expires_at = c.cx.now() + c.cx.config.invite_ttl;
    bool done = co_await db::invites::resend(tx.release(), invite->workspace_id, invite->id, sender_of(c),
                                             token.digest, expires_at, std::move(mail), std::move(event));
    if (!done)
        co_return problem::of(codes::not_found);
    co_return no_content();
}

awaitable<answer<no_content>> cancel(call& c)
{
    auto invite = co_await find_invite(c);
    if (!invite)
        co_return invite.error();
    unit_of_work tx(c);
    auto event = tx.event("invite.cancel", to_string(invite->id));
    bool done =
        co_await db::invites::cancel(tx.release(), invite->workspace_id, invite->id, std::move(event));
    if (!done)
        co_return problem::of(codes::not_found);
    co_return no_content();
}

} // namespace handlers::invites
