// Keyset pagination under concurrent inserts and deletes: no row shows twice, and no unchanged row is
// missing.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/thorough.hpp"

#include <atomic>
#include <chrono>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace e2e;

namespace {

using names = std::vector<const char*>;

struct pagination_fixture : account_fixture {
    /// The values of one column.
    std::set<std::string> all(const std::string& column, const std::string& from)
    {
        std::istringstream in(db.sql("SELECT string_agg(" + column + "::text, ' ') FROM " + from));
        std::set<std::string> out;
        for (std::string word; in >> word;)
            out.insert(word);
        return out;
    }

    /** Read a whole list while two connections run statements in a loop, until it has met rows of theirs.
        @param keys the members that may identify a row; the first present one is used
        @param staying the rows that exist all the time
        @param writes the statements, balanced between inserts and deletes */
    void read_while(const std::string& list, const names& keys, const std::set<std::string>& staying,
                    const std::vector<std::string>& writes)
    {
        std::atomic<int> written{0};
        std::vector<std::jthread> writers;
        for (int i = 0; i < 2; ++i) // each runs all in turn, to keep the number of rows steady
            writers.emplace_back([&](const std::stop_token& stop) {
                support::sql_connection connection(db.conninfo());
                while (!stop.stop_requested())
                    for (auto& write : writes) {
                        connection.run(write);
                        ++written;
                    }
            });
        std::set<std::string> transient;
        const int passes = support::is_thorough() ? 3 : 1;
        for (int pass = 0; pass < passes || (transient.empty() && pass < 10); ++pass) {
            std::set<std::string> seen;
            int pages = 0;
            std::string cursor;
            do {
                int before = written;
                BOOST_REQUIRE(support::eventually([&] { return written > before; }));
                auto page = client.get(base + list + cursor, token);
                BOOST_REQUIRE_MESSAGE(page.status == 200u, page.body);
                BOOST_REQUIRE(++pages < 1000);
                for (auto& row : keys_of(page, keys)) {
                    BOOST_TEST(seen.insert(row).second, "shown twice: " + row);
                    if (!staying.contains(row))
                        transient.insert(row);
                }
                cursor = "&cursor=" + page.text("/next_cursor");
            } while (cursor != "&cursor=");
            for (auto& row : staying)
                BOOST_TEST(seen.contains(row), "missing: " + row);
        }
        BOOST_TEST(!transient.empty());
    }

    static std::vector<std::string> keys_of(const support::response& page, const names& keys)
    {
        std::vector<std::string> out;
        for (std::size_t i = 0; i < item_count(page); ++i)
            for (auto key : keys) {
                auto value = page.text("/items/" + std::to_string(i) + "/" + key);
                if (value.empty())
                    continue;
                out.push_back(value);
                break;
            }
        BOOST_TEST(out.size() == item_count(page));
        return out;
    }

    void fill_team(int people)
    {
        db.sql("INSERT INTO users (id, email, email_normalized, email_verified_at) SELECT gen_random_uuid(), "
               "'stay-' || "
               "i || '@example.com', 'stay-' || i || '@example.com', now() FROM generate_series(1, " +
               std::to_string(people) + ") AS i");
        db.sql("INSERT INTO memberships (workspace_id, user_id, role) SELECT '" + workspace +
               "', id, 'member' FROM users WHERE email LIKE 'stay-%'");
        stable_members = all("id", "users WHERE email LIKE 'stay-%' OR id = '" + user + "'");
    }

    /// Statements that add ten transient members, and delete ten.
    std::string join_ten =
        "WITH made AS (INSERT INTO users (id, email, email_normalized) SELECT id, 'move-' || id, 'move-' "
        "|| id FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 10)) AS g RETURNING id) "
        "INSERT INTO memberships (workspace_id, user_id, role) SELECT '" +
        workspace + "', id, 'member' FROM made";
    std::string remove_ten =
        "DELETE FROM users WHERE id IN (SELECT id FROM users WHERE email LIKE 'move-%' ORDER BY random() "
        "LIMIT 10 FOR UPDATE SKIP LOCKED)";

    std::set<std::string> stable_members;
};

/// Statements that insert rows into one table, stable or transient by their mark, and delete transient ones.
struct row_source {
    std::string table, columns, values;

    std::string insert(int rows, const std::string& mark) const
    {
        auto made = values;
        for (auto at = made.find('#'); at != std::string::npos; at = made.find('#'))
            made.replace(at, 1, mark);
        return "INSERT INTO " + table + " (" + columns + ") SELECT " + made + " FROM generate_series(1, " +
               std::to_string(rows) + ")";
    }

    std::string erase(const std::string& column) const
    {
        return "DELETE FROM " + table + " WHERE id IN (SELECT id FROM " + table + " WHERE " + column +
               " LIKE 'move-%' ORDER BY random() LIMIT 10 FOR UPDATE SKIP LOCKED)";
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(pagination_under_writes)

BOOST_FIXTURE_TEST_CASE(the_list_of_a_thousand_members, pagination_fixture)
{
    fill_team(1000);
    db.sql(join_ten);
    read_while("/team?limit=37&status=active", {"user_id"}, stable_members, {join_ten, remove_ten});
    read_while("/team?limit=50&role=member", {"user_id"}, all("id", "users WHERE email LIKE 'stay-%'"),
               {join_ten, remove_ten});
    read_while("/team?limit=50&q=example.com", {"user_id"}, all("id", "users WHERE email LIKE 'stay-%'"),
               {join_ten, remove_ten,
                "UPDATE users SET name = 'example.com' WHERE id IN (SELECT id FROM users WHERE email LIKE "
                "'move-%' FOR UPDATE SKIP LOCKED)"});
}

BOOST_FIXTURE_TEST_CASE(the_list_of_members_followed_by_invites, pagination_fixture)
{
    fill_team(150);
    row_source invites{
        "invites", "id, workspace_id, email, email_normalized, role, digest, expires_at",
        "gen_random_uuid(), '" + workspace +
            "', '#' || gen_random_uuid(), '#' || gen_random_uuid(), 'member', decode(md5(random()::text), "
            "'hex'), now() + interval '1 day'"};
    db.sql(invites.insert(150, "stay-"));
    db.sql(invites.insert(10, "move-"));
    auto stable_rows = all("id", "invites WHERE email LIKE 'stay-%'");
    auto writes = {join_ten, remove_ten, invites.insert(10, "move-"), invites.erase("email")};
    read_while("/team/invites?limit=17", {"id"}, stable_rows, writes);
    stable_rows.insert(stable_members.begin(), stable_members.end());
    read_while("/team?limit=23", {"user_id", "invite_id"}, stable_rows, writes);
}

BOOST_FIXTURE_TEST_CASE(api_keys, pagination_fixture)
{
    row_source keys{"api_keys", "id, prefix, digest, name, scopes, workspace_id, user_id, created_by",
                    "gen_random_uuid(), left(md5(gen_random_uuid()::text), 8), "
                    "decode(md5(gen_random_uuid()::text), 'hex'), "
                    "'#key', '{*}', '" +
                        workspace + "', '" + user + "', '" + user + "'"};
    db.sql(keys.insert(300, "stay-"));
    db.sql(keys.insert(10, "move-"));
    auto stable_rows = all("id", "api_keys WHERE name LIKE 'stay-%'");
    auto revoke = "UPDATE api_keys SET revoked_at = now() WHERE id IN (SELECT id FROM api_keys WHERE name "
                  "LIKE 'move-%' "
                  "AND revoked_at IS NULL ORDER BY random() LIMIT 5 FOR UPDATE SKIP LOCKED)";
    std::vector<std::string> writes{keys.insert(10, "move-"), keys.erase("name"), revoke};
    for (std::string list : {"/api-keys?limit=23", "/api-keys?limit=23&status=active",
                             "/team/api-keys?limit=23", "/team/api-keys?limit=23&status=active"})
        read_while(list, {"id"}, stable_rows, writes);
}

BOOST_FIXTURE_TEST_CASE(the_audit_log, pagination_fixture)
{
    row_source events{"audit", "id, workspace_id, action, actor_id, target, ip, user_agent, request_id",
                      "gen_random_uuid(), '" + workspace + "', 'moving', '" + user +
                          "', 'here', '', '', '#'"};
    db.sql(events.insert(300, "stay-"));
    db.sql(events.insert(10, "move-"));
    auto stable_rows = all("id", "audit WHERE request_id LIKE 'stay-%'");
    std::vector<std::string> writes{events.insert(10, "move-"), events.erase("request_id")};
    for (auto& list : {std::string("/audit?limit=23"), std::string("/audit?limit=23&action=moving"),
                       "/audit?limit=23&actor=" + user, std::string("/audit?limit=23&target=here"),
                       "/audit?limit=23&target=here&action=moving&actor=" + user})
        read_while(list, {"id"}, stable_rows, writes);
}

BOOST_AUTO_TEST_SUITE_END()
