// Callers of every kind with all that a call may be about, made by the dozen.
#pragma once

#include "crypto/api_key.hpp"
#include "crypto/keyring.hpp"
#include "crypto/one_time_token.hpp"
#include "crypto/token_signer.hpp"
#include "handlers/endpoints/notifications.hpp"
#include "handlers/routes.hpp"
#include "tests/e2e/isolation/authorization.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/schemas/engine/images.hpp"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <functional>
#include <map>
#include <string>
#include <utility>

namespace flows::rights {

/// The marks of a text replaced, each by what stands for it.
inline std::string fill_in(std::string_view text,
                           const std::function<std::string(const std::string&)>& stand_in)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        // A mark begins with a letter or a digit; the braces of JSON do not.
        bool is_mark =
            text[at] == '{' && at + 1 < text.size() && std::isalnum(static_cast<unsigned char>(text[at + 1]));
        if (!is_mark) {
            out += text[at++];
            continue;
        }
        auto close = text.find('}', at);
        out += stand_in(std::string(text.substr(at + 1, close - at - 1)));
        at = close + 1;
    }
    return out;
}

inline std::string path_of(const row& line)
{
    return (line.is_at_root ? "" : base) + std::string(line.path);
}

/// The path of a row as the route table has it: marks and parameters are alike.
inline std::string shape_of(std::string_view path)
{
    return fill_in(path.substr(0, path.find('?')), [](const std::string&) { return "{}"; });
}

inline bool is_for(const row& line, const handlers::route& route)
{
    auto method = route.method == verb::unknown ? verb::get : route.method;
    return line.method == method && shape_of(path_of(line)) == shape_of(route.path);
}

inline std::string name_of(const row& line)
{
    return std::string(support::http::to_string(line.method)) + " " + path_of(line);
}

/// All that is stored of some workspaces, and of some people and these workspaces' members: planned once, run
/// often.
inline std::string prepare_look()
{
    const std::string people =
        "ANY (ARRAY(SELECT user_id FROM memberships WHERE workspace_id = ANY ($1) UNION SELECT unnest($2)))";
    const std::pair<std::string, std::string> tables[] = {
        {"workspaces", "id = ANY ($1) OR owner_id = ANY ($2)"},
        {"memberships", "workspace_id = ANY ($1) OR user_id = ANY ($2)"},
        {"invites", "workspace_id = ANY ($1)"},
        {"join_requests", "workspace_id = ANY ($1) OR user_id = ANY ($2)"},
        {"api_keys", "workspace_id = ANY ($1)"},
        {"audit", "workspace_id = ANY ($1) OR actor_id = ANY ($2)"},
        {"users", "id = " + people},
        {"sessions", "user_id = " + people},
        {"avatars", "user_id = " + people},
        {"oauth_grants", "user_id = " + people},
        {"one_time_tokens", "user_id = " + people},
    };
    std::string rows;
    for (auto& [kind, those] : tables) {
        rows += rows.empty() ? "" : " UNION ALL ";
        rows += "SELECT '" + kind +
                " ' || (to_jsonb(t) - '{last_seen_at,last_used_at}'::text[])::text AS line FROM " + kind +
                " t WHERE " + those;
    }
    // The planner knows nothing of tables that have just been empty.
    return "SET enable_seqscan = off; SET jit = off; CREATE INDEX ON sessions (user_id); PREPARE look "
           "(uuid[], uuid[]) AS "
           "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (" +
           rows + ") AS all_of_it";
}

/// A server, and what is needed to make by SQL what it takes for its own.
struct city {
    city()
        : server(db.conninfo()), client(server.port()),
          digest_of_key(keys().derive(crypto::purpose::api_key_digest)),
          unsubscriptions(keys().derive(crypto::purpose::unsubscription))
    {
        sign_up(client, "first@example.com");
        sql.run(prepare_look());
    }

    crypto::keyring keys() const { return crypto::keyring::from_base64(server.master_key()).value(); }

    static std::string new_id() { return to_string(boost::uuids::random_generator()()); }

    std::string next_email() { return "person-" + std::to_string(++count) + "@example.com"; }

    support::database db;
    support::sql_connection sql{db.conninfo()};
    support::running_server server;
    support::http_client client;
    crypto::api_key_digester digest_of_key;
    crypto::token_signer unsubscriptions;
    int count = 0;
};

/** One call of one caller, with what it is about. Nothing of it is used by another. There is an owner with a
   workspace in which most of it happens, who may be the caller. */
class scene {
public:
    /// @param is_foreign what would be the caller's own belongs into the owner's workspace
    scene(city& town, const row& line, who caller, what with, bool is_foreign = false)
        : town_(town), line_(line), caller_(caller), with_(with), is_foreign_(is_foreign)
    {
        add_people();
        write();
        if (caller != who::nobody)
            credential_ = with == what::session ? log_in(town_.client, email_).token : add_credential_key();
        message_ = make_message();
        if (caller_ == who::disabled) // before anything has remembered what it calls with
            add("UPDATE users SET disabled_at = now() WHERE id = '" + person_ + "'");
        write();
    }

    support::response play() { return town_.client.send(message_); }

    /// All that is stored of the workspaces in it and of the people in these, but for when they were last
    /// seen.
    std::string look() const
    {
        return town_.sql.run("EXECUTE look ('{" + workspace_ + "," + home_ + "}', '{" + owner_ + "," +
                             person_ + "}')");
    }

private:
    using message = support::http::request<support::http::string_body>;

    /// What is to be stored before the call, all at once.
    void add(const std::string& statement) { statements_ += statement + ";\n"; }

    void write()
    {
        if (!statements_.empty())
            town_.sql.run(std::exchange(statements_, ""));
    }

    void add_people()
    {
        owner_email_ = town_.next_email();
        owner_ = add_person(owner_email_);
        workspace_ = add_workspace(owner_);
        email_ = caller_ == who::owner ? owner_email_ : town_.next_email();
        person_ = caller_ == who::owner ? owner_ : add_person(email_);
        bool is_elsewhere = caller_ == who::outsider || caller_ == who::of_both;
        home_ = is_elsewhere ? add_workspace(person_) : workspace_;
        auto as = role_of(caller_, what::session);
        if (caller_ != who::owner && caller_ != who::outsider && as != role::none)
            add_member(workspace_, person_, as);
        if (is_elsewhere) // where they are taken to when they sign in
            add("UPDATE users SET last_workspace_id = '" + home_ + "' WHERE id = '" + person_ + "'");
        if (caller_ == who::waiting)
            add_request(person_);
        add_session(person_); // another than what they call with
    }

    static std::string word_of(role one)
    {
        return one == role::admin ? "admin" : one == role::manager ? "manager" : "member";
    }

    /// Somebody verified, with everybody's password, and a picture.
    std::string add_person(const std::string& email)
    {
        auto id = city::new_id();
        add("INSERT INTO users (id, email, email_normalized, password_hash, email_verified_at, "
            "avatar_version) SELECT '" +
            id + "', '" + email + "', '" + email +
            "', password_hash, now(), 1 FROM users WHERE email = 'first@example.com'");
        add("INSERT INTO avatars (user_id, content_type, bytes) VALUES ('" + id + "', 'image/png', 'x')");
        return id;
    }

    std::string add_workspace(const std::string& owner)
    {
        auto id = city::new_id();
        add("INSERT INTO workspaces (id, name, owner_id) VALUES ('" + id + "', 'Somewhere', '" + owner +
            "')");
        add_member(id, owner, role::admin);
        return id;
    }

    void add_member(const std::string& workspace, const std::string& person, role as)
    {
        add("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + workspace + "', '" + person +
            "', '" + word_of(as) + "')");
    }

    std::string add_colleague()
    {
        auto id = add_person(town_.next_email());
        add_member(workspace_, id, role::member);
        return id;
    }

    std::string add_request(const std::string& person)
    {
        add("INSERT INTO join_requests (user_id, workspace_id) VALUES ('" + person + "', '" + workspace_ +
            "')");
        return person;
    }

    std::string add_session(const std::string& person)
    {
        auto id = city::new_id();
        add("INSERT INTO sessions (id, user_id, refresh_salt, refreshed_ip, refreshed_agent, expires_at, ip, "
            "user_agent) VALUES ('" +
            id + "', '" + person + "', 'x', '', '', now() + interval '1 hour', '', '')");
        return id;
    }

    std::string add_grant()
    {
        add("INSERT INTO oauth_grants (provider, subject, user_id, email, sealed_tokens) VALUES ('google', "
            "'" +
            person_ + "', '" + person_ + "', 'x', 'x')");
        return "google";
    }

    /// Bytes as SQL has them.
    static std::string quote(const crypto::digest& bytes)
    {
        std::string out = "'\\x";
        for (auto byte : bytes) {
            constexpr char digits[] = "0123456789abcdef";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
        return out + "'";
    }

    /// @param owner whose; empty: the workspace's, made by whoever calls
    /// @return the whole key
    std::string add_key(const std::string& workspace, const std::string& owner, role as)
    {
        auto key = crypto::make_api_key();
        std::string person = owner.empty() ? "NULL" : "'" + owner + "'",
                    acting = owner.empty() ? "'" + word_of(as) + "'" : "NULL";
        add("INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, role, "
            "created_by) VALUES "
            "('" +
            city::new_id() + "', '" + key.prefix + "', " + quote(town_.digest_of_key(key.text)) +
            ", 'k', '{" + join(scopes_of(with_, line_), ",") + "}', '" + workspace + "', " + person + ", " +
            acting + ", '" + person_ + "')");
        return key.text;
    }

    std::string add_credential_key()
    {
        return add_key(home_, with_ == what::workspace_key ? "" : person_, role_of(caller_, with_));
    }

    /// @return its prefix
    std::string add_own_key()
    {
        auto place = is_foreign_ ? workspace_ : home_;
        auto whose = is_foreign_ && caller_ != who::of_both ? owner_ : person_;
        return prefix_of(add_key(place, with_ == what::workspace_key ? "" : whose, role::member));
    }

    std::string add_one_time_token(const std::string& purpose)
    {
        auto token = crypto::make_one_time_token();
        auto email = town_.next_email(), whose = add_person(email);
        auto address = purpose == "change_email" ? town_.next_email() : email;
        add("INSERT INTO one_time_tokens (user_id, purpose, digest, email, expires_at) VALUES ('" + whose +
            "', '" + purpose + "', " + quote(token.digest) + ", '" + address +
            "', now() + interval '1 hour')");
        return token.text;
    }

    /// @return its id and its token
    std::pair<std::string, std::string> add_invite(const std::string& email)
    {
        auto token = crypto::make_one_time_token();
        auto id = city::new_id();
        add("INSERT INTO invites (id, workspace_id, email, email_normalized, role, digest, expires_at) "
            "VALUES ('" +
            id + "', '" + workspace_ + "', '" + email + "', '" + email + "', 'member', " +
            quote(token.digest) + ", now() + interval '1 hour')");
        return {id, token.text};
    }

    /// Of a key that has no secret yet.
    std::string add_claim()
    {
        auto token = crypto::make_one_time_token();
        auto prefix = prefix_of(add_key(workspace_, owner_, role::member));
        add("UPDATE api_keys SET digest = " + quote(token.digest) + " WHERE prefix = '" + prefix + "'");
        return token.text;
    }

    std::string make_unsubscription()
    {
        auto link = handlers::notifications::unsubscription_link(
            town_.unsubscriptions, "", boost::uuids::string_generator()(owner_), "key_minted");
        return link.substr(link.find('=') + 1);
    }

    /// What stands for a mark, made now.
    std::string make(const std::string& mark)
    {
        const std::map<std::string, std::function<std::string()>> makers{
            {"new", [this] { return town_.next_email(); }},
            {"somebody", [this] { return owner_email_; }},
            {"refresh", [this] { return log_in(town_.client, owner_email_).refresh_token; }},
            {"verify", [this] { return add_one_time_token("verify_email"); }},
            {"change", [this] { return add_one_time_token("change_email"); }},
            {"reset", [this] { return add_one_time_token("reset_password"); }},
            {"claim", [this] { return add_claim(); }},
            {"start.js", [] { return std::string("start.js"); }},
            {"43 characters", [] { return std::string(43, 'c'); }},
            {"unsubscription", [this] { return make_unsubscription(); }},
            {"invitation", [this] { return add_invite(town_.next_email()).second; }},
            {"member", [this] { return add_colleague(); }},
            {"member's key",
             [this] { return prefix_of(add_key(workspace_, add_colleague(), role::member)); }},
            {"who waits", [this] { return add_request(add_person(town_.next_email())); }},
            {"invite", [this] { return add_invite(town_.next_email()).first; }},
            {"workspace", [this] { return workspace_; }},
            {"own refresh", [this] { return log_in(town_.client, email_).refresh_token; }},
            {"own session", [this] { return add_session(is_foreign_ ? owner_ : person_); }},
            {"own grant", [this] { return add_grant(); }},
            {"own invitation", [this] { return add_invite(email_).second; }},
            {"own scopes", [this] { return "[\"" + join(scopes_of(with_, line_), "\",\"") + "\"]"; }},
            {"own key", [this] { return add_own_key(); }},
        };
        return makers.at(mark)();
    }

    message make_message()
    {
        auto stand_in = [this](const std::string& mark) { return make(mark); };
        message out(line_.method, fill_in(path_of(line_), stand_in), 11);
        if (line_.body == "{picture}") {
            out.body() = schemas::test::png_alpha;
            out.set(support::http::field::content_type, "image/png");
        } else if (line_.body.starts_with("form:")) {
            out.body() = line_.body.substr(5);
            out.set(support::http::field::content_type, "application/x-www-form-urlencoded");
        } else if (!line_.body.empty()) {
            out.body() = fill_in(line_.body, stand_in);
            out.set(support::http::field::content_type, "application/json");
        }
        if (!credential_.empty())
            out.set(support::http::field::authorization, "Bearer " + credential_);
        return out;
    }

    city& town_;
    const row& line_;
    who caller_;
    what with_;
    bool is_foreign_;
    std::string owner_, owner_email_, workspace_; // where most of it happens
    std::string person_, email_, home_;           // who calls, and from where
    std::string credential_;
    std::string statements_; // to be run
    message message_;
};

} // namespace flows::rights
