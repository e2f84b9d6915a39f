// Every route, called by everybody with everything.
#define BOOST_TEST_DYN_LINK
#include "tests/flows/authorisation.hpp"

#include "crypto/one_time_token.hpp"
#include "handlers/routes.hpp"
#include "tests/flows/people.hpp"
#include "tests/schemas/images.hpp"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

using namespace flows;
namespace matrix = flows::authorisation;
using matrix::row;

namespace {

enum class who { nobody, member, manager, admin, owner, outsider, disabled };
enum class what { session, key, narrow_key, workspace_key };

constexpr std::pair<who, std::string_view> people[] = {{who::nobody, "nobody"},
                                                       {who::member, "a member"},
                                                       {who::manager, "a manager"},
                                                       {who::admin, "an admin"},
                                                       {who::owner, "the owner"},
                                                       {who::outsider, "an outsider"},
                                                       {who::disabled, "a disabled member"}};
constexpr std::pair<what, std::string_view> credentials_of_people[] = {
    {what::session, "a session"},
    {what::key, "a key"},
    {what::narrow_key, "a narrow key"},
    {what::workspace_key, "a workspace's key"}};

unsigned pick(const matrix::statuses& from, who caller)
{
    switch (caller) {
    case who::manager:
        return from.manager;
    case who::admin:
        return from.admin;
    case who::owner:
        return from.owner;
    case who::outsider:
        return from.outsider;
    default:
        return from.member;
    }
}

/// What the table says.
unsigned expected(const row& line, who caller, what with)
{
    if (line.is_open)
        return line.session.member;
    if (caller == who::nobody || (caller == who::disabled && with != what::workspace_key))
        return 401;
    switch (with) {
    case what::session:
        return pick(line.session, caller);
    case what::key:
        return pick(line.key, caller);
    case what::narrow_key:
        return line.narrow;
    case what::workspace_key:
        break;
    }
    return pick(line.workspace_key, caller);
}

/// The marks of a text replaced, each by what stands for it.
std::string fill_in(std::string_view text, const std::function<std::string(const std::string&)>& stand_in)
{
    std::string out;
    for (;;) {
        auto open = text.find('{'), close = text.find('}', open);
        // A mark begins with a letter; the braces of JSON do not.
        while (open != std::string_view::npos &&
               (open + 1 == text.size() || text[open + 1] < 'a' || text[open + 1] > 'z'))
            open = text.find('{', open + 1);
        if (open == std::string_view::npos)
            return out.append(text);
        close = text.find('}', open);
        out.append(text.substr(0, open))
            .append(stand_in(std::string(text.substr(open + 1, close - open - 1))));
        text.remove_prefix(close + 1);
    }
}

/// A server with workspaces and people to be made by the dozen.
struct city {
    city() : server(db.conninfo()), client(server.port()) { sign_up(client, "first@example.com"); }

    static std::string new_id() { return to_string(boost::uuids::random_generator()()); }

    std::string next_email() { return "person-" + std::to_string(++count) + "@example.com"; }

    /// Somebody verified, with everybody's password.
    std::string add_person(const std::string& email)
    {
        auto id = new_id();
        sql.run("INSERT INTO users (id, email, email_normalized, password_hash, email_verified_at) SELECT '" +
                id + "', '" + email + "', '" + email +
                "', password_hash, now() FROM users WHERE email = 'first@example.com'");
        return id;
    }

    std::string add_workspace(const std::string& owner)
    {
        auto id = new_id();
        sql.run("INSERT INTO workspaces (id, name, owner_id) VALUES ('" + id + "', 'Somewhere', '" + owner +
                "')");
        add_member(id, owner, "admin");
        return id;
    }

    void add_member(const std::string& workspace, const std::string& person, const std::string& role)
    {
        sql.run("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + workspace + "', '" +
                person + "', '" + role + "')");
    }

    std::string mint(const std::string& token, const std::string& body)
    {
        auto made = client.post(base + "/api-keys", body, token);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        return made.text("/secret");
    }

    support::database db;
    support::sql_connection sql{db.conninfo()};
    support::running_server server;
    support::http_client client;
    int count = 0;
};

/// One call of one caller, with what it is about. Nothing of it is used by another.
class scene {
public:
    /// @param is_foreign what would be the caller's own is the owner's
    scene(city& town, who caller, what with, bool is_foreign = false)
        : town_(town), caller_(caller), with_(with), is_foreign_(is_foreign)
    {
        owner_email_ = town_.next_email();
        owner_ = town_.add_person(owner_email_);
        workspace_ = town_.add_workspace(owner_);
        email_ = caller == who::owner ? owner_email_ : town_.next_email();
        person_ = caller == who::owner ? owner_ : town_.add_person(email_);
        home_ = caller == who::outsider ? town_.add_workspace(person_) : workspace_;
        if (caller != who::owner && caller != who::outsider)
            town_.add_member(workspace_, person_, role());
        make_credential();
    }

    support::response play(const row& line)
    {
        auto message = prepare(line);
        if (caller_ == who::disabled) // before anything has remembered what it calls with
            town_.sql.run("UPDATE users SET disabled_at = now() WHERE id = '" + person_ + "'");
        return town_.client.send(std::move(message));
    }

    /// All there is of the workspace in which most of it happens, and of its owner's sessions.
    std::string look()
    {
        std::string out;
        auto here = " WHERE workspace_id = '" + workspace_ + "'";
        for (std::string rows : {"workspaces t WHERE id = '" + workspace_ + "'", "memberships t" + here,
                                 "invites t" + here, "join_requests t" + here, "api_keys t" + here,
                                 "audit t" + here, "sessions t WHERE user_id = '" + owner_ + "'"})
            out += town_.sql.run(
                "SELECT coalesce(string_agg(to_jsonb(t)::text, ' ' ORDER BY to_jsonb(t)::text), '') FROM " +
                rows);
        return out;
    }

    /// The call as it would be sent, all that it is about having been made.
    support::http::request<support::http::string_body> prepare(const row& line)
    {
        auto stand_in = [this](const std::string& mark) { return make(mark); };
        support::http::request<support::http::string_body> message(line.method, fill_in(line.path, stand_in),
                                                                   11);
        message.body() = line.body == "{picture}" ? schemas::test::png_alpha : fill_in(line.body, stand_in);
        if (line.body == "{picture}")
            message.set(support::http::field::content_type, "image/png");
        else if (!line.body.empty())
            message.set(support::http::field::content_type, "application/json");
        if (!credential_.empty())
            message.set(support::http::field::authorization, "Bearer " + credential_);
        return message;
    }

private:
    std::string role() const
    {
        // A disabled person made the workspace's key while they were an admin.
        return caller_ == who::manager                             ? "manager"
               : caller_ == who::admin || caller_ == who::disabled ? "admin"
                                                                   : "member";
    }

    void make_credential()
    {
        if (caller_ == who::nobody)
            return;
        if (with_ == what::workspace_key) {
            // Made by who may: the owner, or the person who is about to be disabled.
            auto maker = caller_ == who::disabled || caller_ == who::outsider ? email_ : owner_email_;
            auto as = caller_ == who::manager                                                      ? "manager"
                      : caller_ == who::admin || caller_ == who::owner || caller_ == who::outsider ? "admin"
                                                                                                   : "member";
            credential_ = town_.mint(log_in(town_.client, maker).token,
                                     support::object({{"name", "k"}, {"owner", "workspace"}, {"role", as}}));
            return;
        }
        credential_ = log_in(town_.client, email_).token;
        if (with_ == what::key)
            credential_ = town_.mint(credential_, R"({"name":"k"})");
        if (with_ == what::narrow_key)
            credential_ = town_.mint(credential_, R"({"name":"k","scopes":["content:read"]})");
    }

    /// The digest of a token, as SQL has it.
    static std::string digest_of(const crypto::one_time_token& token)
    {
        std::string out = "'\\x";
        for (auto byte : token.digest) {
            constexpr char digits[] = "0123456789abcdef";
            out += digits[byte >> 4];
            out += digits[byte & 15];
        }
        return out + "'";
    }

    std::string add_one_time_token(const std::string& purpose, const std::string& address)
    {
        auto token = crypto::make_one_time_token();
        auto whose = town_.add_person(town_.next_email());
        auto email =
            address.empty() ? "(SELECT email FROM users WHERE id = '" + whose + "')" : "'" + address + "'";
        town_.sql.run("INSERT INTO one_time_tokens (user_id, purpose, digest, email, expires_at) VALUES ('" +
                      whose + "', '" + purpose + "', " + digest_of(token) + ", " + email +
                      ", now() + interval '1 hour')");
        return token.text;
    }

    /// @return its id and its token
    std::pair<std::string, std::string> add_invite(const std::string& email)
    {
        auto token = crypto::make_one_time_token();
        auto id = city::new_id();
        town_.sql.run("INSERT INTO invites (id, workspace_id, email, email_normalized, role, digest, "
                      "expires_at) VALUES ('" +
                      id + "', '" + workspace_ + "', '" + email + "', '" + email + "', 'member', " +
                      digest_of(token) + ", now() + interval '1 hour')");
        return {id, token.text};
    }

    /// @param owner whose; empty: the workspace's
    std::string add_key(const std::string& workspace, const std::string& owner)
    {
        auto id = city::new_id();
        auto prefix = "k" + std::to_string(1'000'000 + ++town_.count);
        std::string person = owner.empty() ? "NULL" : "'" + owner + "'",
                    as = owner.empty() ? "'member'" : "NULL";
        town_.sql.run(
            "INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, role) VALUES ('" +
            id + "', '" + prefix + "', sha256('" + id + "'), 'k', '{*}', '" + workspace + "', " + person +
            ", " + as + ")");
        return prefix;
    }

    std::string add_colleague()
    {
        auto id = town_.add_person(town_.next_email());
        town_.add_member(workspace_, id, "member");
        town_.sql.run("INSERT INTO avatars (user_id, content_type, bytes) VALUES ('" + id +
                      "', 'image/png', 'x'); UPDATE users SET avatar_version = 1 WHERE id = '" + id + "'");
        return id;
    }

    std::string add_session()
    {
        auto id = city::new_id();
        town_.sql.run(
            "INSERT INTO sessions (id, user_id, workspace_id, refresh_salt, refreshed_ip, refreshed_agent, "
            "expires_at, ip, user_agent) VALUES ('" +
            id + "', '" + (is_foreign_ ? owner_ : person_) + "', '" + home_ +
            "', 'x', '', '', now() + interval '1 hour', '', '')");
        return id;
    }

    std::string add_waiting()
    {
        auto id = town_.add_person(town_.next_email());
        town_.sql.run("INSERT INTO join_requests (user_id, workspace_id) VALUES ('" + id + "', '" +
                      workspace_ + "')");
        return id;
    }

    std::string add_grant()
    {
        town_.sql.run("INSERT INTO oauth_grants (provider, subject, user_id, email, sealed_tokens) VALUES "
                      "('google', '" +
                      person_ + "', '" + person_ + "', 'x', 'x')");
        return "google";
    }

    /// What stands for a mark, made now.
    std::string make(const std::string& mark)
    {
        const std::map<std::string, std::function<std::string()>> makers{
            {"new", [this] { return town_.next_email(); }},
            {"caller", [this] { return caller_ == who::disabled ? owner_email_ : email_; }},
            {"refresh", [this] { return log_in(town_.client, owner_email_).refresh_token; }},
            {"own session", [this] { return add_session(); }},
            {"verify", [this] { return add_one_time_token("verify_email", ""); }},
            {"change", [this] { return add_one_time_token("change_email", town_.next_email()); }},
            {"reset", [this] { return add_one_time_token("reset_password", ""); }},
            {"verifier", [] { return std::string(43, 'v'); }},
            {"member", [this] { return add_colleague(); }},
            {"workspace", [this] { return workspace_; }},
            {"member's key", [this] { return add_key(workspace_, add_colleague()); }},
            {"waiting", [this] { return add_waiting(); }},
            {"invite", [this] { return add_invite(town_.next_email()).first; }},
            {"invitation", [this] { return add_invite(town_.next_email()).second; }},
            {"caller's invitation", [this] { return add_invite(email_).second; }},
            {"own key",
             [this] { // a key of the workspace is no outsider's
                 if (with_ == what::workspace_key)
                     return add_key(workspace_, "");
                 return is_foreign_ ? add_key(workspace_, owner_) : add_key(home_, person_);
             }},
            {"grant", [this] { return add_grant(); }},
        };
        return makers.at(mark)();
    }

    city& town_;
    who caller_;
    what with_;
    bool is_foreign_;
    std::string owner_, owner_email_, workspace_; // where most of it happens
    std::string person_, email_, home_;           // who calls, and from where
    std::string credential_;
};

/// The path of a row as the route table has it: marks and parameters are alike.
std::string shape_of(std::string_view path)
{
    return fill_in(path, [](const std::string&) { return "{}"; });
}

bool is_for(const row& line, const handlers::route& route)
{
    auto method = route.method == support::http::verb::unknown ? support::http::verb::get : route.method;
    return line.method == method && shape_of(line.path) == shape_of(route.path);
}

std::string name_of(const row& line)
{
    return std::string(support::http::to_string(line.method)) + " " + std::string(line.path);
}

} // namespace

BOOST_AUTO_TEST_SUITE(authorisation)

// The build runs this one: a route that nobody has thought about does not get as far as a test run.
BOOST_AUTO_TEST_CASE(each_route_has_one_row_and_each_row_a_route)
{
    for (auto& route : handlers::all_routes()) {
        auto rows =
            std::ranges::count_if(matrix::table, [&](const row& line) { return is_for(line, route); });
        BOOST_TEST(rows == 1, support::http::to_string(route.method)
                                  << " " << route.path << " has " << rows << " rows");
    }
    for (auto& line : matrix::table) {
        auto routes = std::ranges::count_if(
            handlers::all_routes(), [&](const handlers::route& route) { return is_for(line, route); });
        BOOST_TEST(routes == 1, name_of(line) << " is a row of " << routes << " routes");
    }
}

BOOST_FIXTURE_TEST_CASE(everybody_gets_what_the_table_says, city)
{
    for (auto& line : matrix::table) {
        for (auto& [caller, name] : people) {
            for (auto& [with, credential] : credentials_of_people) {
                if (caller == who::nobody && with != what::session)
                    continue;
                scene one(*this, caller, with);
                auto answer = one.play(line);
                auto wanted = expected(line, caller, with);
                BOOST_TEST(answer.status == wanted, name_of(line) << " by " << name << " with " << credential
                                                                  << ": " << answer.status << ", not "
                                                                  << wanted << "; " << answer.body);
                if (answer.status == 401 && !line.is_open)
                    BOOST_TEST(answer.header("WWW-Authenticate").starts_with("Bearer"), name_of(line));
                if (answer.status == 403)
                    BOOST_TEST((answer.code() == "forbidden_scope") == !answer.text("/required").empty(),
                               answer.body);
            }
        }
    }
}

BOOST_FIXTURE_TEST_CASE(what_belongs_to_another_workspace_is_not_there, city)
{
    for (auto& line : matrix::table) {
        auto mark = line.path.find('{');
        if (mark == std::string_view::npos || line.path.find("{grant}") != std::string_view::npos)
            continue;
        for (auto with : {what::session, what::key, what::workspace_key}) {
            scene one(*this, who::outsider, with, true);
            auto message = one.prepare(line);
            auto before = one.look();
            auto answer = client.send(std::move(message));
            // A call about a person or their session is not for the key at all, whatever it names.
            auto& of_it = with == what::session ? line.session
                          : with == what::key   ? line.key
                                                : line.workspace_key;
            auto wanted = of_it.outsider == 403 ? 403u : 404u;
            BOOST_TEST(answer.status == wanted, name_of(line) << ": " << answer.status << " " << answer.body);
            BOOST_TEST((wanted == 403 || answer.code() == "not_found"), answer.body);
            BOOST_TEST(one.look() == before, name_of(line));
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
