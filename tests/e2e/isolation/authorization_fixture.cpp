#include "tests/e2e/isolation/authorization_fixture.hpp"

#include "crypto/one_time_token.hpp"
#include "handlers/mail/unsubscribe.hpp"
#include "tests/schemas/engine/images.hpp"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <cctype>
#include <map>

namespace e2e::authorization_matrix {

namespace {

std::string new_id()
{
    return to_string(boost::uuids::random_generator()());
}

/// A path as the route table has it, except that all parameters are alike.
std::string shape_of(std::string_view path)
{
    return fill_placeholders(path.substr(0, path.find('?')), [](const std::string&) { return "{}"; });
}

/// A prepared statement that returns all rows of some workspaces ($1), of their members and of some users
/// ($2).
std::string prepare_stored_rows()
{
    const std::string users =
        "ANY (ARRAY(SELECT user_id FROM memberships WHERE workspace_id = ANY ($1) UNION SELECT unnest($2)))";
    const std::pair<std::string, std::string> tables[] = {
        {"workspaces", "id = ANY ($1) OR owner_id = ANY ($2)"},
        {"memberships", "workspace_id = ANY ($1) OR user_id = ANY ($2)"},
        {"invites", "workspace_id = ANY ($1)"},
        {"join_requests", "workspace_id = ANY ($1) OR user_id = ANY ($2)"},
        {"api_keys", "workspace_id = ANY ($1)"},
        // Without refusals, which are written within a second after their response.
        {"audit", "(workspace_id = ANY ($1) OR actor_id = ANY ($2)) AND action <> 'access.denied'"},
        {"users", "id = " + users},
        {"sessions", "user_id = " + users},
        {"avatars", "user_id = " + users},
        {"oauth_grants", "user_id = " + users},
        {"one_time_tokens", "user_id = " + users},
    };
    std::string rows;
    for (auto& [table, condition] : tables) {
        rows += rows.empty() ? "" : " UNION ALL ";
        rows += "SELECT '" + table +
                " ' || (to_jsonb(t) - '{last_seen_at,last_used_at}'::text[])::text AS line FROM " + table +
                " t WHERE " + condition;
    }
    // The planner has no statistics of tables that were empty a moment ago.
    return "SET enable_seqscan = off; SET jit = off; CREATE INDEX ON sessions (user_id); "
           "PREPARE stored_rows (uuid[], uuid[]) AS "
           "SELECT string_agg(line, E'\\n' ORDER BY line) FROM (" +
           rows + ") AS all_rows";
}

std::string text_of(role one)
{
    return one == role::admin ? "admin" : one == role::manager ? "manager" : "member";
}

/// A bytea literal.
std::string quote(const crypto::digest& bytes)
{
    std::string out = "'\\x";
    for (auto byte : bytes) {
        constexpr char digits[] = "0123456789abcdef";
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out + "'";
}

} // namespace

std::string fill_placeholders(std::string_view text,
                              const std::function<std::string(const std::string& name)>& value)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        // A name begins with an alphanumeric character; the braces of JSON are followed by others.
        bool is_placeholder =
            text[at] == '{' && at + 1 < text.size() && std::isalnum(static_cast<unsigned char>(text[at + 1]));
        if (!is_placeholder) {
            out += text[at++];
            continue;
        }
        auto close = text.find('}', at);
        out += value(std::string(text.substr(at + 1, close - at - 1)));
        at = close + 1;
    }
    return out;
}

/// Of the assets, as the pages name it.
std::string digest_of_assets(support::http_client& client)
{
    auto page = client.get("/docs").body;
    const std::string path = "/assets/";
    auto at = page.find(path);
    BOOST_REQUIRE(at != std::string::npos);
    at += path.size();
    return page.substr(at, page.find('/', at) - at);
}

std::string path_of(const row& line)
{
    return (line.is_at_root ? "" : base) + std::string(line.path);
}

bool describes(const row& line, const handlers::route& route)
{
    auto method = route.method == verb::unknown ? verb::get : route.method;
    return line.method == method && shape_of(path_of(line)) == shape_of(route.path);
}

std::string name_of(const row& line)
{
    return std::string(support::http::to_string(line.method)) + " " + path_of(line);
}

matrix_fixture::matrix_fixture()
    : server(db.conninfo()), client(server.port()),
      key_digester(keys().derive(crypto::purpose::api_key_digest)),
      unsubscription_signer(keys().derive(crypto::purpose::unsubscription))
{
    sign_up(client, "first@example.com"); // all other users have the same password hash
    sql.run(prepare_stored_rows());
}

scenario::scenario(matrix_fixture& fixture, const row& line, caller who, credential with, bool is_foreign)
    : fixture_(fixture), line_(line), who_(who), with_(with), is_foreign_(is_foreign)
{
    add_participants();
    prepare();
}

scenario::scenario(matrix_fixture& fixture, const row& line, caller who, credential with,
                   const participants& shared)
    : fixture_(fixture), line_(line), who_(who), with_(with), is_foreign_(false), owner_(shared.owner),
      owner_email_(shared.owner_email), workspace_(shared.workspace), user_(shared.user),
      email_(shared.email), home_(shared.workspace), target_(shared.target)
{
    prepare();
}

void scenario::prepare()
{
    execute();
    if (who_ != caller::anonymous)
        secret_ = with_ == credential::session ? log_in(fixture_.client, email_).token : add_caller_key();
    message_ = make_message();
    if (who_ == caller::disabled) // before the server has cached the credential
        add("UPDATE users SET disabled_at = now() WHERE id = '" + user_ + "'");
    execute();
}

std::string scenario::stored_rows() const
{
    return fixture_.sql.run("EXECUTE stored_rows ('{" + workspace_ + "," + home_ + "}', '{" + owner_ + "," +
                            user_ + "}')");
}

void scenario::execute()
{
    if (!statements_.empty())
        fixture_.sql.run(std::exchange(statements_, ""));
}

void scenario::add_participants()
{
    owner_email_ = fixture_.next_email();
    owner_ = add_user(owner_email_);
    workspace_ = add_workspace(owner_);
    email_ = who_ == caller::owner ? owner_email_ : fixture_.next_email();
    user_ = who_ == caller::owner ? owner_ : add_user(email_);
    bool is_elsewhere = who_ == caller::outsider || who_ == caller::member_of_both;
    home_ = is_elsewhere ? add_workspace(user_) : workspace_;
    auto as = role_of(who_, credential::session);
    if (who_ != caller::owner && who_ != caller::outsider && as != role::none)
        add_membership(workspace_, user_, as);
    if (is_elsewhere) // the workspace that a login selects
        add("UPDATE users SET last_workspace_id = '" + home_ + "' WHERE id = '" + user_ + "'");
    if (who_ == caller::pending)
        add_join_request(user_);
    add_session(user_); // besides the one the caller uses
}

std::string scenario::add_user(const std::string& email)
{
    auto id = new_id();
    add("INSERT INTO users (id, email, email_normalized, password_hash, email_verified_at, "
        "avatar_version) SELECT '" +
        id + "', '" + email + "', '" + email +
        "', password_hash, now(), 1 FROM users WHERE email = 'first@example.com'");
    add("INSERT INTO avatars (user_id, content_type, bytes) VALUES ('" + id + "', 'image/png', 'x')");
    return id;
}

std::string scenario::add_workspace(const std::string& owner)
{
    auto id = new_id();
    add("INSERT INTO workspaces (id, name, owner_id) VALUES ('" + id + "', 'Somewhere', '" + owner + "')");
    add_membership(id, owner, role::admin);
    return id;
}

void scenario::add_membership(const std::string& workspace, const std::string& user, role as)
{
    add("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + workspace + "', '" + user +
        "', '" + text_of(as) + "')");
}

std::string scenario::add_member()
{
    if (!target_.empty())
        return target_;
    auto id = add_user(fixture_.next_email());
    add_membership(workspace_, id, role::member);
    return id;
}

std::string scenario::add_join_request(const std::string& user)
{
    add("INSERT INTO join_requests (user_id, workspace_id) VALUES ('" + user + "', '" + workspace_ + "')");
    return user;
}

std::string scenario::add_session(const std::string& user)
{
    auto id = new_id();
    add("INSERT INTO sessions (id, user_id, refresh_salt, refreshed_ip, refreshed_agent, expires_at, ip, "
        "user_agent) VALUES ('" +
        id + "', '" + user + "', 'x', '', '', now() + interval '1 hour', '', '')");
    return id;
}

std::string scenario::add_cookie()
{
    auto token = crypto::make_one_time_token();
    add("INSERT INTO sessions (id, user_id, workspace_id, cookie_digest, refreshed_ip, refreshed_agent, "
        "expires_at, ip, user_agent) VALUES ('" +
        new_id() + "', '" + owner_ + "', '" + workspace_ + "', " + quote(token.digest) +
        ", '', '', now() + interval '1 hour', '', '')");
    return "latchkey=" + token.text;
}

std::string scenario::add_grant()
{
    add("INSERT INTO oauth_grants (provider, issuer, subject, user_id, email, sealed_tokens) VALUES "
        "('google', 'https://accounts.google.com', '" +
        user_ + "', '" + user_ + "', 'x', 'x') ON CONFLICT DO NOTHING");
    return "google";
}

std::string scenario::add_key(const std::string& workspace, const std::string& owner, role as)
{
    auto key = crypto::make_api_key();
    auto user = owner.empty() ? "NULL" : "'" + owner + "'";
    auto acting_role = owner.empty() ? "'" + text_of(as) + "'" : "NULL";
    add("INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, membership_id, role, "
        "created_by) VALUES ('" +
        new_id() + "', '" + key.prefix + "', " + quote(fixture_.key_digester(key.text)) + ", 'k', '{" +
        join(scopes_of(with_, line_), ",") + "}', '" + workspace + "', " + user +
        ", (SELECT id FROM memberships WHERE workspace_id = '" + workspace + "' AND user_id = " + user +
        "), " + acting_role + ", '" + user_ + "')");
    return key.text;
}

std::string scenario::add_caller_key()
{
    return add_key(home_, with_ == credential::workspace_key ? "" : user_, role_of(who_, with_));
}

std::string scenario::add_own_key()
{
    auto workspace = is_foreign_ ? workspace_ : home_;
    auto owner = is_foreign_ && who_ != caller::member_of_both ? owner_ : user_;
    return prefix_of(add_key(workspace, with_ == credential::workspace_key ? "" : owner, role::member));
}

std::string scenario::add_one_time_token(const std::string& purpose)
{
    auto token = crypto::make_one_time_token();
    auto email = fixture_.next_email(), user = add_user(email);
    auto address = purpose == "change_email" ? fixture_.next_email() : email;
    if (purpose == "verify_email")
        add("UPDATE users SET email_verified_at = NULL WHERE id = '" + user + "'");
    add("INSERT INTO one_time_tokens (user_id, purpose, digest, email, expires_at) VALUES ('" + user +
        "', '" + purpose + "', " + quote(token.digest) + ", '" + address + "', now() + interval '1 hour')");
    return token.text;
}

std::pair<std::string, std::string> scenario::add_invite(const std::string& email)
{
    auto token = crypto::make_one_time_token();
    auto id = new_id();
    add("INSERT INTO invites (id, workspace_id, email, email_normalized, role, digest, expires_at) "
        "VALUES ('" +
        id + "', '" + workspace_ + "', '" + email + "', '" + email + "', 'member', " + quote(token.digest) +
        ", now() + interval '1 hour')");
    return {id, token.text};
}

std::string scenario::make_unsubscription_token()
{
    auto links = handlers::make_unsubscribe_links(fixture_.unsubscription_signer, "",
                                                  boost::uuids::string_generator()(owner_), "key_minted");
    return links.page.substr(links.page.find('=') + 1);
}

std::string scenario::make(const std::string& placeholder)
{
    const std::map<std::string, std::function<std::string()>> makers{
        {"new", [this] { return fixture_.next_email(); }},
        {"owner email", [this] { return owner_email_; }},
        {"refresh", [this] { return log_in(fixture_.client, owner_email_).refresh_token; }},
        {"verify", [this] { return add_one_time_token("verify_email"); }},
        {"change", [this] { return add_one_time_token("change_email"); }},
        {"reset", [this] { return add_one_time_token("reset_password"); }},
        {"claim",
         [this] {
             auto token = crypto::make_one_time_token();
             auto prefix = prefix_of(add_key(workspace_, owner_, role::member));
             add("UPDATE api_keys SET digest = " + quote(token.digest) + " WHERE prefix = '" + prefix + "'");
             return token.text;
         }},
        {"digest", [this] { return digest_of_assets(fixture_.client); }},
        {"style.css", [] { return std::string("style.css"); }},
        {"43 characters", [] { return std::string(43, 'c'); }},
        {"unsubscription", [this] { return make_unsubscription_token(); }},
        {"invite token", [this] { return add_invite(fixture_.next_email()).second; }},
        {"member", [this] { return add_member(); }},
        {"member's key", [this] { return prefix_of(add_key(workspace_, add_member(), role::member)); }},
        {"pending user", [this] { return add_join_request(add_user(fixture_.next_email())); }},
        {"invite", [this] { return add_invite(fixture_.next_email()).first; }},
        {"workspace", [this] { return workspace_; }},
        {"owner's workspace", [this] { return workspace_; }},
        {"own refresh", [this] { return log_in(fixture_.client, email_).refresh_token; }},
        {"own session", [this] { return add_session(is_foreign_ ? owner_ : user_); }},
        {"own grant", [this] { return add_grant(); }},
        {"own invite token", [this] { return add_invite(email_).second; }},
        {"own scopes", [this] { return "[\"" + join(scopes_of(with_, line_), "\",\"") + "\"]"; }},
        {"own key", [this] { return add_own_key(); }},
    };
    return makers.at(placeholder)();
}

scenario::message scenario::make_message()
{
    auto value = [this](const std::string& placeholder) { return make(placeholder); };
    message out(line_.method, fill_placeholders(path_of(line_), value), 11);
    if (line_.body == "{picture}") {
        out.body() = schemas::test::png_alpha;
        out.set(support::http::field::content_type, "image/png");
    } else if (line_.body.starts_with("form:")) {
        out.body() = line_.body.substr(5);
        out.set(support::http::field::content_type, "application/x-www-form-urlencoded");
    } else if (!line_.body.empty()) {
        out.body() = fill_placeholders(line_.body, value);
        out.set(support::http::field::content_type, "application/json");
    }
    out.set(support::http::field::sec_fetch_site, "same-origin"); // as a page of the site
    if (line_.has_cookie)
        out.set(support::http::field::cookie, add_cookie());
    if (!secret_.empty())
        out.set(support::http::field::authorization, "Bearer " + secret_);
    return out;
}

} // namespace e2e::authorization_matrix
