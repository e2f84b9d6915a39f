#include "handlers/mail/queue_mail.hpp"

#include "crypto/encoding.hpp"
#include "crypto/random.hpp"
#include "crypto/seal.hpp"
#include "db/postgres/batch.hpp"
#include "schemas/engine/timestamp.hpp"

#include <boost/json/serialize.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <span>

namespace handlers {

using db::one_time_tokens::purpose;

namespace {

/// A substring of user agents, and the name that an email shows for it.
struct known_name {
    std::string_view mark, name;
};

// The first match wins: the user agents of earlier entries also contain later substrings.
constexpr known_name browsers[] = {{"Edg/", "Edge"},      {"OPR/", "Opera"},     {"Firefox/", "Firefox"},
                                   {"Chrome/", "Chrome"}, {"Safari/", "Safari"}, {"curl/", "curl"},
                                   {"python-", "Python"}, {"okhttp/", "an app"}};
constexpr known_name systems[] = {{"Android", "Android"}, {"iPhone", "iPhone"},  {"iPad", "iPad"},
                                  {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}};

std::string_view find_name(std::span<const known_name> names, std::string_view agent)
{
    for (auto& [mark, name] : names)
        if (agent.find(mark) != std::string_view::npos)
            return name;
    return {};
}

void queue_link_mail(db::batch& work, const context& cx, db::outbox::kind kind, const db::uuid& user,
                     std::string_view email, purpose link_purpose, std::chrono::seconds ttl,
                     boost::json::object variables = {})
{
    auto token = crypto::make_one_time_token();
    db::one_time_tokens::draft draft;
    draft.user_id = user;
    draft.purpose = link_purpose;
    draft.digest = token.digest;
    draft.email = email;
    draft.expires_at = cx.now() + ttl;
    db::one_time_tokens::add_replace(work, draft);
    variables["ttl_seconds"] = ttl.count();
    auto mail = make_mail(cx, kind, variables, token.text);
    if (link_purpose == purpose::change_email) // to an address that the user has named, not their own
        mail.sender_id = user;
    db::outbox::add_to_address(work, mail, user, email);
}

} // namespace

std::string describe_agent(std::string_view agent)
{
    std::string out(find_name(browsers, agent));
    auto system = find_name(systems, agent);
    if (!out.empty() && !system.empty())
        out.append(" on ").append(system);
    return out;
}

std::string mail_seal_context(const db::uuid& mail)
{
    return "outbox/" + to_string(mail);
}

db::outbox::draft make_mail(const context& cx, db::outbox::kind kind, const boost::json::object& variables,
                            std::string_view token)
{
    db::outbox::draft out;
    out.id = crypto::make_uuid_v7();
    out.kind = kind;
    out.variables = boost::json::serialize(variables);
    if (!token.empty())
        out.sealed_token = cx.sealer.seal(crypto::seal_purpose::outbox_token, crypto::bytes_of(token),
                                          mail_seal_context(out.id));
    return out;
}

boost::json::object request_variables(const call& c, const audit_context& origin)
{
    std::string now;
    schemas::append_timestamp(now, c.cx.now());
    return {{"ip", origin.ip()}, {"agent", describe_agent(origin.agent())}, {"at", now}};
}

void queue_mail(db::batch& work, const context& cx, db::outbox::kind kind,
                const boost::json::object& variables, const db::uuid& user)
{
    db::outbox::add_to_user(work, make_mail(cx, kind, variables), user);
}

void queue_verification_mail(db::batch& work, const context& cx, const db::uuid& user, std::string_view email)
{
    queue_link_mail(work, cx, db::outbox::kind::verify, user, email, purpose::verify_email,
                    cx.config.verify_token_ttl);
}

void queue_signup_mail(db::batch& work, const context& cx, const db::uuid& signup, std::string_view token)
{
    boost::json::object variables{{"ttl_seconds", cx.config.verify_token_ttl.count()}};
    auto mail = make_mail(cx, db::outbox::kind::verify, variables, token);
    db::outbox::add_to_pending_signup(work, mail, signup);
}

void describe_unproved_account(boost::json::object& variables, const db::users::row& user)
{
    std::string made_at;
    schemas::append_timestamp(made_at, user.created_at);
    variables["made_at"] = made_at;
    variables["made_with"] = user.signup_agent;
}

void queue_reset_mail(db::batch& work, const context& cx, const db::users::row& user)
{
    boost::json::object variables;
    if (!db::users::is_proved(user))
        describe_unproved_account(variables, user);
    queue_link_mail(work, cx, db::outbox::kind::reset, user.id, user.email, purpose::reset_password,
                    cx.config.reset_token_ttl, std::move(variables));
}

void queue_email_change_mail(db::batch& work, const context& cx, const db::uuid& user,
                             std::string_view new_email)
{
    queue_link_mail(work, cx, db::outbox::kind::email_change, user, new_email, purpose::change_email,
                    cx.config.verify_token_ttl);
}

} // namespace handlers
