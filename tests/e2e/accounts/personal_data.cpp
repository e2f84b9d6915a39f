// Personal data of a deleted account: nothing that identifies the person is left in any column of any table.
#include "handlers/endpoints/audit.hpp"
#include "tests/e2e/support/invite_fixture.hpp"
#include "tests/e2e/support/outbox.hpp"

#include <regex>
#include <set>
#include <sstream>
#include <string>

using namespace e2e;

namespace {

/// The actions that the OpenAPI document lists.
std::set<std::string> documented_actions()
{
    std::set<std::string> out;
    const std::string text(handlers::audit::operations[0].description);
    const std::regex action("`([a-z_]+\\.[a-z_]+)`");
    for (std::sregex_iterator it(text.begin(), text.end(), action), end; it != end; ++it)
        if ((*it)[1] != "details.count")
            out.insert((*it)[1]);
    return out;
}

struct personal_data_fixture : invite_fixture {
    /// What identifies the person, as a case-insensitive regular expression of PostgreSQL. Of the new account
    /// Zora.
    std::string traces(const std::string& user_id) const { return user_id + "|zora|quimby|zq@|zoras-own"; }

    support::response expect(unsigned status, support::response got)
    {
        BOOST_TEST(got.status == status, got.body);
        return got;
    }

    /// The columns in which a pattern occurs, each "table.column". Walks all columns of all tables.
    std::string places_of(const std::string& pattern)
    {
        // Bytes are searched as text, not as hexadecimal digits.
        auto columns = db.sql(
            "SELECT string_agg(table_name || ' ' || column_name || ' ' || "
            "CASE data_type WHEN 'bytea' THEN 'encode(' || column_name || ',''escape'')' "
            "ELSE column_name || '::text' END, ';' ORDER BY table_name, column_name) "
            "FROM information_schema.columns JOIN information_schema.tables USING (table_schema, table_name) "
            "WHERE table_schema = 'public' AND table_type = 'BASE TABLE'");
        std::string found;
        std::istringstream all(columns);
        std::size_t walked = 0;
        for (std::string line; std::getline(all, line, ';'); ++walked) {
            std::istringstream words(line);
            std::string table, column, text;
            words >> table >> column >> text;
            auto where = text + " ~* '" + pattern + "'";
            if (db.sql("SELECT count(*) FROM " + table + " WHERE " + where) != "0")
                found += " " + table + "." + column;
        }
        BOOST_TEST(walked > 100u);
        return found;
    }

    /// Zora is invited, twice, and signs up by the second invite.
    person invite_zora()
    {
        auto cancelled = invite_one("Zora.Quimby@Example.net");
        emailed_token("Zora.Quimby@Example.net");
        expect(204, client.del(base + "/team/invites/" + cancelled, token));
        auto id = invite_one("ZORA.quimby@example.net");
        expect(202, post("/team/invites/" + id + "/resend", "", token));
        auto body = support::object({{"token", emailed_token("ZORA.quimby@example.net", reminder_subject)},
                                     {"name", "Zora Quimby"},
                                     {"password", "long enough"}});
        return person_from(expect(200, post("/invites/accept", body)));
    }

    void change_keys(const person& zora)
    {
        for (std::string key : {"first", "second"}) {
            auto made = expect(201, post("/api-keys", R"({"name":"zora's )" + key + "\"}", zora.token));
            auto path = base + "/api-keys/" + made.text("/prefix");
            expect(200, client.patch(path, R"({"name":"quimby"})", zora.token));
            expect(201, client.post(path + "/rotate", "{}", zora.token));
            if (key == "first")
                expect(202, post("/api-keys/report", support::object({{"key", made.text("/secret")}})));
            else
                expect(204, client.del(base + "/team/api-keys/" + made.text("/prefix"), token));
        }
    }

    void change_sessions(const person& zora)
    {
        auto other = log_in(client, "zora.quimby@example.net"),
             third = log_in(client, "zora.quimby@example.net");
        expect(204, post("/logout", "", other.token));
        auto sessions = client.get(base + "/sessions", zora.token);
        for (auto& id : item_texts(sessions, "id"))
            if (id != jwt_part(zora.token, 1).text("/sid"))
                client.del(base + "/sessions/" + id, zora.token);
        log_in(client, "zora.quimby@example.net");
        client.del(base + "/sessions", zora.token);
        expect(200, post("/workspaces/" + workspace + "/switch", "", zora.token));
    }

    /// Every action of these that the calls above did not cause, as an event of both roles.
    void add_events(const std::set<std::string>& actions, const person& zora)
    {
        int number = 0;
        for (auto& action : actions)
            for (bool is_actor : {true, false})
                db.sql("INSERT INTO audit (id, workspace_id, action, actor_id, target, ip, user_agent, "
                       "request_id) VALUES (gen_random_uuid(), '" +
                       workspace + "', '" + action + "', " + (is_actor ? "'" + zora.user + "'" : "NULL") +
                       ", " + (is_actor ? "NULL" : "'" + zora.user + "'") +
                       ", '203.0.113.9', 'zoras-own-agent', 'r" + std::to_string(++number) + "')");
    }

    std::set<std::string> actions_about(const std::string& pattern)
    {
        std::set<std::string> out;
        std::istringstream all(db.sql("SELECT coalesce(string_agg(DISTINCT action, ' '), '') FROM audit a "
                                      "WHERE to_jsonb(a)::text ~* '" +
                                      pattern + "'"));
        for (std::string action; all >> action;)
            out.insert(action);
        return out;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(personal_data)

BOOST_FIXTURE_TEST_CASE(nothing_about_a_deleted_person_is_left_in_any_table, personal_data_fixture)
{
    auto zora = invite_zora();
    change_keys(zora);
    change_sessions(zora);
    client.set("User-Agent", "zoras-own-agent");
    expect(401, post("/login", credentials("zora.quimby@example.net", "not her own")));
    expect(403, client.patch(base + "/workspace", R"({"name":"Mine"})", zora.token));
    client.set("User-Agent", "");
    expect(200, client.patch(base + "/team/" + zora.user, R"({"role":"admin"})", token));
    expect(200, client.patch(base + "/workspace", R"({"name":"Renamed"})", zora.token));
    invite_one("third@example.org", "member", zora.token);
    auto hand_over = [&](const std::string& to, const std::string& with) {
        expect(200, post("/team/transfer-ownership",
                         support::object({{"user_id", to}, {"password", "long enough"}}), with));
    };
    hand_over(zora.user, token);
    hand_over(user, zora.token);
    expect(201, post("/workspaces", R"({"name":"Zora's own"})", zora.token));
    expect(202, post("/email/change",
                     support::object({{"new_email", "ZQ@Other.example"}, {"password", "long enough"}}),
                     zora.token));
    auto confirmation = emailed_token("ZQ@Other.example", "Confirm your new email address");
    expect(200, post("/email/change/confirm", support::object({{"token", confirmation}})));

    // Refusals are written in the background.
    auto everything = traces(zora.user);
    bool are_written = support::eventually([&] {
        auto seen = actions_about(everything);
        return seen.contains("login.failed") && seen.contains("access.denied");
    });
    BOOST_TEST(are_written);
    auto seen = actions_about(everything), missing = documented_actions();
    for (auto& action : seen) {
        BOOST_TEST(missing.contains(action), action << " is not documented");
        missing.erase(action);
    }
    for (std::string caused_here :
         {"invite.create", "team.join", "team.set_role", "login.failed", "access.denied"})
        BOOST_TEST(seen.contains(caused_here), caused_here);
    add_events(missing, zora);
    BOOST_TEST((actions_about(everything) == documented_actions()));
    await_delivery(db);
    BOOST_TEST(places_of(everything).find("audit.details") != std::string::npos);
    auto events = db.sql("SELECT count(*) FROM audit WHERE workspace_id = '" + workspace + "'");

    auto back = log_in(client, "zq@other.example");
    expect(204, client.send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})",
                            back.token));
    BOOST_TEST(places_of(everything) == "");
    auto left = db.sql("SELECT count(*) FROM audit WHERE workspace_id = '" + workspace + "'");
    BOOST_TEST(std::stoi(left) > std::stoi(events)); // the events themselves, a login and a departure
    BOOST_TEST(db.sql("SELECT count(*) FROM audit WHERE details ->> 'email' = 'third@example.org'") == "1");
}

BOOST_FIXTURE_TEST_CASE(an_unproved_address_erases_nothing_of_its_owner, personal_data_fixture)
{
    auto id = invite_one("grace@example.net");
    auto impostor = sign_up(client, "grace@example.net");
    expect(204, client.send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})",
                            impostor.token));
    BOOST_TEST(db.sql("SELECT details ->> 'email' FROM audit WHERE target = '" + id + "'") ==
               "grace@example.net");
    BOOST_TEST(preview(emailed_token("grace@example.net")).status == 200u);
    BOOST_TEST(places_of(impostor.user) == "");
}

BOOST_AUTO_TEST_SUITE_END()
