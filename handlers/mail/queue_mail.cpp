#include "handlers/mail/queue_mail.hpp"

#include "crypto/encoding.hpp"
#include "crypto/random.hpp"
#include "schemas/engine/timestamp.hpp"

#include <boost/json/serialize.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace handlers {

using db::one_time_tokens::purpose;

std::string letter_seal_context(const db::uuid& letter)
{
    return "outbox/" + to_string(letter);
}

db::outbox::draft make_letter(const context& cx, db::outbox::kind what, const boost::json::object& facts,
                              std::string_view token)
{
    db::outbox::draft out;
    out.id = crypto::make_uuid_v7();
    out.what = what;
    out.facts = boost::json::serialize(facts);
    if (!token.empty())
        out.sealed_token = cx.sealer.seal(crypto::bytes_of(token), letter_seal_context(out.id));
    return out;
}

namespace {

/** An agent in words, of those that are known: what anybody may write into a header does not get into a
 * letter. */
std::string known_agent(std::string_view agent)
{
    using words =
        std::initializer_list<std::pair<std::string_view, std::string_view>>; // in the agent, in the letter
    auto first_of = [agent](words known) {
        for (auto& [mark, name] : known)
            if (agent.find(mark) != std::string_view::npos)
                return name;
        return std::string_view();
    };
    std::string out(first_of({{"Edg/", "Edge"},
                              {"OPR/", "Opera"},
                              {"Firefox/", "Firefox"},
                              {"Chrome/", "Chrome"},
                              {"Safari/", "Safari"},
                              {"curl/", "curl"},
                              {"python-", "Python"},
                              {"okhttp/", "an app"}}));
    auto system = first_of({{"Android", "Android"},
                            {"iPhone", "iPhone"},
                            {"iPad", "iPad"},
                            {"Windows", "Windows"},
                            {"Mac OS X", "macOS"},
                            {"Linux", "Linux"}});
    if (!out.empty() && !system.empty())
        out.append(" on ").append(system);
    return out;
}

} // namespace

boost::json::object facts_of(const call& c, const trace& from)
{
    std::string now;
    schemas::append_timestamp(now, c.cx.now());
    return {{"ip", from.ip()}, {"agent", known_agent(from.agent())}, {"at", now}};
}

namespace {

void add_link(db::batch& work, const context& cx, db::outbox::kind what, const db::uuid& user,
              std::string_view email, purpose good_for, std::chrono::seconds lives)
{
    auto token = crypto::make_one_time_token();
    db::one_time_tokens::draft draft;
    draft.user_id = user;
    draft.purpose = good_for;
    draft.digest = token.digest;
    draft.email = email;
    draft.expires_at = cx.now() + lives;
    db::one_time_tokens::add_replace(work, draft);
    boost::json::object facts{{"lives", lives.count()}};
    db::outbox::add_to_address(work, make_letter(cx, what, facts, token.text), user, email);
}

} // namespace

void add_verification(db::batch& work, const context& cx, const db::uuid& user, std::string_view email)
{
    add_link(work, cx, db::outbox::kind::verify, user, email, purpose::verify_email,
             cx.config.verify_token_ttl);
}

void add_reset(db::batch& work, const context& cx, const db::uuid& user, std::string_view email)
{
    add_link(work, cx, db::outbox::kind::reset, user, email, purpose::reset_password,
             cx.config.reset_token_ttl);
}

void add_address_change(db::batch& work, const context& cx, const db::uuid& user, std::string_view new_email)
{
    add_link(work, cx, db::outbox::kind::email_change, user, new_email, purpose::change_email,
             cx.config.verify_token_ttl);
}

} // namespace handlers
