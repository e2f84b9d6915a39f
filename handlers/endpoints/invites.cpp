#include "handlers/endpoints/invites.hpp"

#include "crypto/encoding.hpp"
#include "crypto/one_time_token.hpp"
#include "crypto/random.hpp"
#include "db/tables/credential_checks.hpp"
#include "db/tables/invites.hpp"
#include "db/tables/users.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/pagination.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "handlers/to_schema.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <span>

namespace handlers::invites {

namespace {

/** Nobody invites above themselves: into admin's rights, or back into them, only who may give roles anyway.
 */
constexpr std::string_view may_invite_admins = "team:roles";

bool may_invite_as(const call& c, schemas::role role)
{
    return role != schemas::role::admin || may(c, may_invite_admins);
}

/** What an invite's letter tells: who invites whom to what. */
awaitable<boost::json::object> describe_inviter(call& c)
{
    boost::json::object facts{{"lives", c.cx.config.invite_ttl.count()}};
    auto workspace = co_await db::workspaces::find(c.cx.db, *c.caller().workspace_id);
    if (workspace)
        facts["workspace"] = workspace->name;
    if (c.caller().user_id) {
        auto person = co_await db::users::find(c.cx.db, *c.caller().user_id);
        if (person) {
            facts["person"] = person->name.value_or("");
            facts["person_email"] = person->email;
        }
    }
    co_return facts;
}

db::invites::sender sender_of(const call& c)
{
    auto& who = c.caller();
    db::invites::sender out;
    out.user_id = who.user_id;
    if (who.kind != db::principal::kind_type::session)
        out.key_id = who.credential_id;
    return out;
}

std::string details_of(const schemas::invite_draft& line)
{
    boost::json::object out{{"email", line.email.text}, {"role", schemas::to_text(line.role)}};
    return boost::json::serialize(out);
}

schemas::invite_outcome begin_outcome(const schemas::invite_draft& line)
{
    schemas::invite_outcome out;
    out.email = line.email.text;
    out.role = line.role;
    out.result = schemas::invite_result::forbidden_role;
    return out;
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

with_status<schemas::invites_refused> refuse(std::vector<schemas::invite_outcome> lines)
{
    auto all = [&](schemas::invite_result result) {
        return std::ranges::all_of(lines, [result](auto& line) { return line.result == result; });
    };
    with_status<schemas::invites_refused> out;
    out.status = 409;
    if (all(schemas::invite_result::forbidden_role)) {
        out.status = 403;
        out.body.code = "forbidden_scope";
        out.body.required = std::string(may_invite_admins);
        out.body.detail = "Nobody is invited to a role that the caller may not give.";
    } else {
        out.body.code = all(schemas::invite_result::already_member) ? "already_member" : "conflict";
        out.body.detail = "None of them was invited: they are members, or have been invited before.";
    }
    out.body.items = std::move(lines);
    return out;
}

} // namespace

awaitable<std::variant<schemas::invite_outcomes, with_status<schemas::invites_refused>, problem>>
create(call& c, schemas::invite_batch body)
{
    auto& who = c.caller();
    std::span<const std::uint8_t> workspace(who.workspace_id->begin(), who.workspace_id->size());
    for (std::size_t i = 0; i < body.invites.size(); ++i)
        if (auto over = count(c, limits::invite_workspace, workspace))
            co_return std::move(*over);

    trace from(c);
    auto facts = co_await describe_inviter(c);
    std::vector<schemas::invite_outcome> lines;
    std::vector<db::invites::draft> drafts;
    std::vector<std::size_t> places; // of the drafts among the lines
    for (auto& line : body.invites) {
        lines.push_back(begin_outcome(line));
        if (!may_invite_as(c, line.role))
            continue;
        auto token = crypto::make_one_time_token();
        db::invites::draft draft;
        draft.id = crypto::make_uuid_v7();
        draft.email = line.email.text;
        draft.email_normalized = line.email.normalized;
        draft.role = from_wire(line.role);
        draft.digest = token.digest;
        if (!count(c, limits::invite_target, crypto::bytes_of(line.email.normalized)))
            draft.letter = make_letter(c.cx, db::outbox::kind::invite, facts, token.text);
        draft.event = from.event("invite.create");
        draft.event.details = details_of(line);
        drafts.push_back(std::move(draft));
        places.push_back(lines.size() - 1);
    }
    if (!drafts.empty()) {
        db::batch work;
        db::require_standing(work, who);
        auto ids = drafts;
        auto expires_at = c.cx.now() + c.cx.config.invite_ttl;
        auto outcomes = co_await db::invites::create(c.cx.db, std::move(work), *who.workspace_id,
                                                     sender_of(c), expires_at, std::move(drafts));
        for (std::size_t i = 0; i < outcomes.size(); ++i) {
            auto& line = lines[places[i]];
            line.result = to_wire(outcomes[i]);
            if (line.result == schemas::invite_result::created)
                line.invite_id = ids[i].id;
        }
    }
    bool any =
        std::ranges::any_of(lines, [](auto& line) { return line.result == schemas::invite_result::created; });
    if (!any)
        co_return refuse(std::move(lines));
    schemas::invite_outcomes out;
    out.items = std::move(lines);
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

/** The invite that the path names, if the caller could have made it. */
awaitable<std::variant<db::invites::row, problem>> find_own(call& c)
{
    auto id = schemas::parse_uuid(c.params[0]);
    if (!id)
        co_return problem::not_found();
    auto invite = co_await db::invites::find(c.cx.db, *c.caller().workspace_id, *id);
    if (!invite)
        co_return problem::not_found();
    if (!may_invite_as(c, handlers::to_wire(invite->role)))
        co_return problem::forbidden_scope(may_invite_admins);
    co_return std::move(*invite);
}

/** What another letter counts against: the invite, its workspace, and whoever gets it. */
std::optional<problem> count_letter(call& c, const db::invites::row& invite)
{
    std::span<const std::uint8_t> id(invite.id.begin(), invite.id.size());
    std::span<const std::uint8_t> workspace(invite.workspace_id.begin(), invite.workspace_id.size());
    if (auto over = count(c, limits::invite_resend, id))
        return over;
    if (auto over = count(c, limits::invite_workspace, workspace))
        return over;
    return count(c, limits::invite_target, crypto::bytes_of(invite.email_normalized));
}

} // namespace

awaitable<answer<schemas::page<schemas::invite_row>>> list(call& c, query<schemas::page_query> wanted)
{
    page_cursor cursor(c, "invites");
    auto from = cursor.read(wanted->cursor);
    if (auto refusal = std::get_if<problem>(&from))
        co_return std::move(*refusal);
    auto limit = wanted->limit.value;
    db::invites::query question;
    question.workspace_id = *c.caller().workspace_id;
    question.after = std::get<std::optional<db::uuid>>(from);
    question.limit = static_cast<int>(limit + 1);
    auto found = co_await db::invites::list(c.cx.db, std::move(question));
    co_return make_page<schemas::invite_row>(cursor, found.rows, limit, found.total, &to_row);
}

awaitable<answer<nothing>> resend(call& c)
{
    auto found = co_await find_own(c);
    if (auto refusal = std::get_if<problem>(&found))
        co_return std::move(*refusal);
    auto& invite = std::get<db::invites::row>(found);
    if (auto over = count_letter(c, invite))
        co_return std::move(*over);

    trace from(c);
    auto facts = co_await describe_inviter(c);
    auto token = crypto::make_one_time_token();
    auto letter = make_letter(c.cx, db::outbox::kind::invite_again, facts, token.text);
    auto event = from.event("invite.resend");
    event.target = to_string(invite.id);
    db::batch work;
    db::require_standing(work, c.caller());
    auto expires_at = c.cx.now() + c.cx.config.invite_ttl;
    bool done =
        co_await db::invites::resend(c.cx.db, std::move(work), invite.workspace_id, invite.id, sender_of(c),
                                     token.digest, expires_at, std::move(letter), event);
    if (!done)
        co_return problem::not_found();
    co_return nothing();
}

awaitable<answer<nothing>> cancel(call& c)
{
    auto found = co_await find_own(c);
    if (auto refusal = std::get_if<problem>(&found))
        co_return std::move(*refusal);
    auto& invite = std::get<db::invites::row>(found);
    trace from(c);
    auto event = from.event("invite.cancel");
    event.target = to_string(invite.id);
    db::batch work;
    db::require_standing(work, c.caller());
    bool done = co_await db::invites::cancel(c.cx.db, std::move(work), invite.workspace_id, invite.id, event);
    if (!done)
        co_return problem::not_found();
    co_return nothing();
}

} // namespace handlers::invites
