// Planted accounts: an attacker has signed up with an address before its owner proves it. Nothing of the
// planted account is reachable from the account of the owner, in any table.
#include "tests/e2e/support/browser.hpp"
#include "tests/e2e/support/invite_fixture.hpp"

#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace e2e;

namespace {

/// A column with a foreign key to users or workspaces.
struct reference {
    std::string table, column;
};

struct planted_fixture : oidc_fixture {
    planted_fixture()
    {
        for (auto& email : {"ada@good.example", "mallory@evil.example"})
            verify_address(db, email);
        add_credentials();
        add_rows();
        for (auto& each : references()) {
            rows_before.merge(keys_of(each, "true"));
            auto of_planted = refers_to(each, planted.user, "owner_id = '" + planted.user + "'");
            BOOST_TEST(!keys_of(each, of_planted).empty(), // else the test does not cover this column
                       each.table << "." << each.column << " has no row of the planted account");
        }
    }

    std::string created(const std::string& path, const std::string& body, const std::string& with,
                        const std::string& member)
    {
        auto made = post(path, body, with);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        return made.text(member);
    }

    void add_credentials()
    {
        credentials_before = {planted.token, mallory.token};
        for (auto& body : {R"({"name":"k"})", R"({"name":"w","owner":"workspace","role":"admin"})"})
            credentials_before.push_back(created("/api-keys", body, planted.token, "/secret"));
        created("/team/invites", invites_body({{"zoe@example.org", "manager"}}), ada.token,
                "/items/0/result");
        auto email = email_to("zoe@example.org", invite_subject);
        invitation = support::token_in(email);
        invitation_text = email.text;
    }

    /// Everything else that a planted account can hold: accomplices in its workspace, memberships elsewhere,
    /// invites both ways, requests, a picture, settings and a provider's account.
    void add_rows()
    {
        auto user = "'" + planted.user + "'", workspace = "'" + planted.workspace + "'",
             accomplice = "'" + mallory.user + "'", theirs = "'" + mallory.workspace + "'";
        db.sql_with_invalidation(
            "UPDATE users SET name = 'Planted', title = 'CEO', avatar_version = 1, last_workspace_id = " +
            workspace + ", notifications = '{\"key_minted\": {\"email\": false}}' WHERE id = " + user +
            "; UPDATE users SET last_workspace_id = " + workspace + " WHERE id = " + accomplice +
            "; INSERT INTO memberships (workspace_id, user_id, role) VALUES (" + workspace + ", " +
            accomplice + ", 'admin'), (" + theirs + ", " + user +
            ", 'admin'); INSERT INTO invites (id, workspace_id, email, email_normalized, role, invited_by, "
            "digest, expires_at, accepted_by, accepted_at) VALUES (gen_random_uuid(), " +
            workspace + ", 'x@evil.example', 'x@evil.example', 'admin', " + user +
            ", 'd', now() + interval '1 day', " + user + ", now()); INSERT INTO join_requests (user_id, " +
            "workspace_id) VALUES (" + user + ", " + theirs + "), (" + accomplice + ", " + workspace +
            "); INSERT INTO oauth_grants (provider, issuer, subject, user_id, email, sealed_tokens) VALUES "
            "('google', '" +
            provider().issuer() + "', 'planted', " + user +
            ", 'zoe@example.org', ''); INSERT INTO avatars (user_id, content_type, bytes) VALUES (" + user +
            ", 'image/png', 'x'); INSERT INTO usage_daily VALUES (" + workspace +
            ", current_date, NULL, 1, 0, 0); UPDATE sessions SET workspace_id = " + workspace +
            " WHERE user_id = " + user);
    }

    std::vector<reference> references()
    {
        std::istringstream all(
            db.sql("SELECT string_agg(c.conrelid::regclass || ' ' || a.attname, ' ' ORDER BY 1) "
                   "FROM pg_constraint c "
                   "JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = ANY (c.conkey) "
                   "WHERE c.contype = 'f' AND c.confrelid IN ('users'::regclass, 'workspaces'::regclass)"));
        std::vector<reference> out;
        for (reference each; all >> each.table >> each.column;)
            out.push_back(each);
        BOOST_TEST(out.size() > 15u);
        return out;
    }

    /// The primary keys, or else the unique keys, of the rows of a table for which a condition holds, as
    /// "table key".
    std::set<std::string> keys_of(const reference& where, const std::string& condition)
    {
        auto columns =
            db.sql("SELECT string_agg(a.attname, ',') FROM (SELECT * FROM pg_index WHERE indisunique AND "
                   "indrelid = '" +
                   where.table +
                   "'::regclass ORDER BY indisprimary DESC LIMIT 1) i "
                   "JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)");
        std::istringstream all(db.sql("SELECT coalesce(string_agg(md5(concat_ws(' '," + columns +
                                      ")), ' '), '') FROM " + where.table + " WHERE " + condition));
        std::set<std::string> out;
        for (std::string key; all >> key;)
            out.insert(where.table + " " + key);
        return out;
    }

    std::string refers_to(const reference& each, const std::string& user, const std::string& workspaces)
    {
        return each.column + " IN (SELECT '" + user + "'::uuid UNION SELECT id FROM workspaces WHERE " +
               workspaces + ")";
    }

    /// The owner of the address is signed in: check that the account is new in every respect.
    /// @param joined a workspace that the owner was invited to
    void check_fresh(const person& owner, const std::string& joined = {}, bool is_verified = true)
    {
        BOOST_TEST(owner.user != planted.user);
        for (auto& each : references()) {
            auto of_owner = refers_to(each, owner.user, "owner_id = '" + owner.user + "'");
            if (each.table == "invites" && each.column == "accepted_by")
                continue; // of the invite that is the proof
            for (auto& row : keys_of(each, of_owner))
                BOOST_TEST(!rows_before.contains(row), each.column << " of " << row);
        }
        auto me = client.get(base + "/me", owner.token);
        BOOST_TEST(me.text("/user/email") == "zoe@example.org");
        BOOST_TEST(json_at(me, "/user/email_verified") == (is_verified ? "true" : "false"));
        BOOST_TEST(me.text("/user/name") != "Planted");
        BOOST_TEST(json_at(me, "/user/avatar_url") == "null");
        auto workspaces = client.get(base + "/workspaces", owner.token);
        BOOST_TEST(item_count(workspaces) == (joined.empty() ? 1u : 2u));
        for (auto& id : item_texts(workspaces, "id"))
            BOOST_TEST((id == joined || !is_old_workspace(id)), id);
        BOOST_TEST(item_count(client.get(base + "/api-keys", owner.token)) == 0u);
        BOOST_TEST(item_count(client.get(base + "/sessions", owner.token)) == 1u);

        // No credential from before reaches the new account or its workspaces.
        for (auto& old : credentials_before) {
            auto seen = client.get(base + "/me", old);
            BOOST_TEST(seen.text("/user/id") != owner.user);
            BOOST_TEST((old == mallory.token || seen.status == 401u), seen.body);
        }
        BOOST_TEST(client.get(base + "/workspaces", mallory.token).body.find(owner.workspace) ==
                   std::string::npos);
        auto refresh = support::object({{"refresh_token", planted.refresh_token}});
        BOOST_TEST(post("/token/refresh", refresh).status == 401u);
        BOOST_TEST(log_in_with("zoe@example.org", "long enough").status == 401u);
        // The attacker's people keep what they have made among themselves.
        BOOST_TEST(db.sql("SELECT count(*) FROM memberships WHERE workspace_id = '" + planted.workspace +
                          "'") == "2");
    }

    bool is_old_workspace(const std::string& id)
    {
        return id == planted.workspace || id == mallory.workspace || id == ada.workspace;
    }

    person ada = sign_up(client, "ada@good.example");
    person mallory = sign_up(client, "mallory@evil.example");
    person planted = sign_up(client, "zoe@example.org");
    std::vector<std::string> credentials_before;
    std::set<std::string> rows_before;
    std::string invitation, invitation_text;
};

} // namespace

BOOST_AUTO_TEST_SUITE(planted_accounts)

BOOST_FIXTURE_TEST_CASE(a_password_reset_makes_a_new_account, planted_fixture)
{
    client.set("User-Agent", "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0");
    post("/password/forgot", R"({"email":"zoe@example.org"})");
    auto mail = email_to("zoe@example.org", reset_subject);
    BOOST_TEST(mail.text.find("was made on 20") != std::string::npos);
    auto reset =
        post("/password/reset",
             support::object({{"token", support::token_in(mail)}, {"password", "chosen by herself"}}));
    BOOST_TEST(reset.status == 204u, reset.body);
    auto opened = log_in_with("zoe@example.org", "chosen by herself");
    BOOST_REQUIRE(opened.status == 200u);
    check_fresh(person_from(opened));
}

BOOST_FIXTURE_TEST_CASE(a_reset_by_the_maker_of_the_account_keeps_it, planted_fixture)
{
    for (auto by_session : {false, true}) {
        post("/password/forgot", R"({"email":"zoe@example.org"})");
        auto token = emailed_token("zoe@example.org", reset_subject);
        boost::json::object body{{"token", token}, {"password", "another good battery"}};
        if (!by_session) {
            body["current_password"] = "not the password";
            auto wrong = post("/password/reset", boost::json::serialize(body));
            BOOST_TEST(wrong.status == 403u);
            body["current_password"] = "long enough";
        }
        auto reset = post("/password/reset", boost::json::serialize(body), by_session ? planted.token : "");
        BOOST_TEST(reset.status == 204u, reset.body);
        planted = person_from(log_in_with("zoe@example.org", "another good battery"));
        BOOST_TEST(planted.user == db.sql("SELECT id FROM users WHERE email_normalized = 'zoe@example.org'"));
        db.sql("UPDATE users SET email_verified_at = NULL WHERE id = '" + planted.user + "'");
    }
}

BOOST_FIXTURE_TEST_CASE(a_sign_in_with_a_provider_makes_a_new_account, planted_fixture)
{
    set_claims({{"sub", "zoe"}, {"email", "zoe@example.org"}, {"email_verified", true}, {"name", "Zoe"}});
    auto opened = sign_in();
    BOOST_REQUIRE_MESSAGE(opened.status == 200u, opened.body);
    check_fresh(person_from(opened));
}

BOOST_FIXTURE_TEST_CASE(accepting_an_invite_makes_a_new_account, planted_fixture)
{
    auto preview = post("/invites/preview", support::object({{"token", invitation}}));
    BOOST_TEST(json_at(preview, "/has_unproved_account") == "true");
    BOOST_TEST(invitation_text.find("made on 20") != std::string::npos, invitation_text);
    auto accepted =
        post("/invites/accept", support::object({{"token", invitation}, {"password", "chosen by herself"}}));
    BOOST_REQUIRE_MESSAGE(accepted.status == 200u, accepted.body);
    BOOST_TEST(accepted.text("/workspace/id") == ada.workspace);
    check_fresh(person_from(accepted), ada.workspace);
}

BOOST_FIXTURE_TEST_CASE(a_link_without_the_password_proves_no_account, planted_fixture)
{
    auto token = emailed_token("zoe@example.org", verify_subject);
    BOOST_TEST(verify_by_link_only(token).status == 200u);
    BOOST_TEST(json_at(client.get(base + "/me", planted.token), "/user/email_verified") == "true");
    post("/password/forgot", R"({"email":"zoe@example.org"})");
    auto reset = support::object(
        {{"token", emailed_token("zoe@example.org", reset_subject)}, {"password", "chosen by herself"}});
    BOOST_TEST(post("/password/reset", reset).status == 204u);
    check_fresh(person_from(log_in_with("zoe@example.org", "chosen by herself")));
}

BOOST_FIXTURE_TEST_CASE(the_owner_of_the_address_can_disown_the_account, planted_fixture)
{
    auto token = emailed_token("zoe@example.org", verify_subject);
    auto body = support::object({{"token", token}});
    BOOST_TEST(post("/email/verify/disown", body).status == 204u);
    BOOST_TEST(post("/email/verify/disown", body).code() == "invalid_token");
    for (auto& old : credentials_before)
        BOOST_TEST((old == mallory.token || client.get(base + "/me", old).status == 401u));
    check_fresh(person_from(post("/signup", credentials("zoe@example.org", "chosen by herself"))), {}, false);
}

BOOST_AUTO_TEST_SUITE_END()
