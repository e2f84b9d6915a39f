// Lists that are read page by page while their rows come and go: no row twice, and none that stayed is left
// out.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/support/eventually.hpp"

#include <atomic>
#include <chrono>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

using namespace flows;

namespace {

using names = std::vector<const char*>;

struct moving : signed_up {
    /// What a query returns, as one text with spaces between.
    std::set<std::string> all(const std::string& column, const std::string& from)
    {
        std::istringstream in(db.sql("SELECT string_agg(" + column + "::text, ' ') FROM " + from));
        std::set<std::string> out;
        for (std::string word; in >> word;)
            out.insert(word);
        return out;
    }

    /** Read a list from its beginning to its end three times, while statements run again and again beside it.
        @param keys what tells a row: the first of these that it has @param staying the rows that are there
       all the time */
    void read_while(const std::string& list, const names& keys, const std::set<std::string>& staying,
                    const std::vector<std::string>& movements)
    {
        std::atomic<int> moved{0};
        std::vector<std::jthread> movers;
        for (int i = 0; i < 2; ++i) // each does all in turn, so that as many rows go as come
            movers.emplace_back([&](const std::stop_token& stop) {
                support::sql_connection connection(db.conninfo());
                while (!stop.stop_requested())
                    for (auto& movement : movements) {
                        connection.run(movement);
                        ++moved;
                    }
            });
        std::set<std::string> strangers;
        for (int pass = 0; pass < 3; ++pass) {
            std::set<std::string> seen;
            int pages = 0;
            std::string cursor;
            do {
                int before = moved;
                BOOST_REQUIRE(support::eventually(std::chrono::seconds(20), [&] { return moved > before; }));
                auto page = client.get(base + list + cursor, token);
                BOOST_REQUIRE_MESSAGE(page.status == 200u, page.body);
                BOOST_REQUIRE(++pages < 1000);
                for (auto& row : keys_of(page, keys)) {
                    BOOST_TEST(seen.insert(row).second, "shown twice: " + row);
                    if (!staying.contains(row))
                        strangers.insert(row);
                }
                cursor = "&cursor=" + page.text("/next_cursor");
            } while (cursor != "&cursor=");
            for (auto& row : staying)
                BOOST_TEST(seen.contains(row), "left out: " + row);
        }
        BOOST_TEST(!strangers.empty());
    }

    static std::vector<std::string> keys_of(const support::response& page, const names& keys)
    {
        std::vector<std::string> out;
        for (std::size_t i = 0; i < count(page); ++i)
            for (auto key : keys) {
                auto value = page.text("/items/" + std::to_string(i) + "/" + key);
                if (value.empty())
                    continue;
                out.push_back(value);
                break;
            }
        BOOST_TEST(out.size() == count(page));
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
        stay = all("id", "users WHERE email LIKE 'stay-%' OR id = '" + user + "'");
    }

    /// Ten members who have only just come, and ten of such who leave.
    std::string come =
        "WITH made AS (INSERT INTO users (id, email, email_normalized) SELECT id, 'move-' || id, 'move-' "
        "|| id FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, 10)) AS g RETURNING id) "
        "INSERT INTO memberships (workspace_id, user_id, role) SELECT '" +
        workspace + "', id, 'member' FROM made";
    std::string leave =
        "DELETE FROM users WHERE id IN (SELECT id FROM users WHERE email LIKE 'move-%' ORDER BY random() "
        "LIMIT 10 FOR UPDATE SKIP LOCKED)";

    std::set<std::string> stay;
};

/// How to make rows that stay, to make such as move, and to end some of these, in one table.
struct movable {
    std::string table, columns, values;

    std::string make(int rows, const std::string& mark) const
    {
        auto made = values;
        for (auto place = made.find('#'); place != std::string::npos; place = made.find('#'))
            made.replace(place, 1, mark);
        return "INSERT INTO " + table + " (" + columns + ") SELECT " + made + " FROM generate_series(1, " +
               std::to_string(rows) + ")";
    }

    std::string end(const std::string& column) const
    {
        return "DELETE FROM " + table + " WHERE id IN (SELECT id FROM " + table + " WHERE " + column +
               " LIKE 'move-%' ORDER BY random() LIMIT 10 FOR UPDATE SKIP LOCKED)";
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(pagination_under_writes)

BOOST_FIXTURE_TEST_CASE(a_team_of_a_thousand, moving)
{
    fill_team(1000);
    db.sql(come);
    read_while("/team?limit=37&status=active", {"user_id"}, stay, {come, leave});
    read_while("/team?limit=50&role=member", {"user_id"}, all("id", "users WHERE email LIKE 'stay-%'"),
               {come, leave});
    read_while("/team?limit=50&q=example.com", {"user_id"}, all("id", "users WHERE email LIKE 'stay-%'"),
               {come, leave,
                "UPDATE users SET name = 'example.com' WHERE id IN (SELECT id FROM users WHERE email LIKE "
                "'move-%' FOR UPDATE SKIP LOCKED)"});
}

BOOST_FIXTURE_TEST_CASE(members_and_invites_one_after_the_other, moving)
{
    fill_team(150);
    movable invites{
        "invites", "id, workspace_id, email, email_normalized, role, digest, expires_at",
        "gen_random_uuid(), '" + workspace +
            "', '#' || gen_random_uuid(), '#' || gen_random_uuid(), 'member', decode(md5(random()::text), "
            "'hex'), now() + interval '1 day'"};
    db.sql(invites.make(150, "stay-"));
    db.sql(invites.make(10, "move-"));
    auto all_that_stay = all("id", "invites WHERE email LIKE 'stay-%'");
    auto moves = {come, leave, invites.make(10, "move-"), invites.end("email")};
    read_while("/team/invites?limit=17", {"id"}, all_that_stay, moves);
    all_that_stay.insert(stay.begin(), stay.end());
    read_while("/team?limit=23", {"user_id", "invite_id"}, all_that_stay, moves);
}

BOOST_FIXTURE_TEST_CASE(keys, moving)
{
    movable keys{"api_keys", "id, prefix, digest, name, scopes, workspace_id, user_id, created_by",
                 "gen_random_uuid(), left(md5(gen_random_uuid()::text), 8), "
                 "decode(md5(gen_random_uuid()::text), 'hex'), "
                 "'#key', '{*}', '" +
                     workspace + "', '" + user + "', '" + user + "'"};
    db.sql(keys.make(300, "stay-"));
    db.sql(keys.make(10, "move-"));
    auto all_that_stay = all("id", "api_keys WHERE name LIKE 'stay-%'");
    auto revoke = "UPDATE api_keys SET revoked_at = now() WHERE id IN (SELECT id FROM api_keys WHERE name "
                  "LIKE 'move-%' "
                  "AND revoked_at IS NULL ORDER BY random() LIMIT 5 FOR UPDATE SKIP LOCKED)";
    std::vector<std::string> moves{keys.make(10, "move-"), keys.end("name"), revoke};
    for (std::string list : {"/api-keys?limit=23", "/api-keys?limit=23&status=active",
                             "/team/api-keys?limit=23", "/team/api-keys?limit=23&status=active"})
        read_while(list, {"id"}, all_that_stay, moves);
}

BOOST_FIXTURE_TEST_CASE(the_audit_trail, moving)
{
    movable events{"audit", "id, workspace_id, action, actor_id, target, ip, user_agent, request_id",
                   "gen_random_uuid(), '" + workspace + "', 'moving', '" + user + "', 'here', '', '', '#'"};
    db.sql(events.make(300, "stay-"));
    db.sql(events.make(10, "move-"));
    auto all_that_stay = all("id", "audit WHERE request_id LIKE 'stay-%'");
    std::vector<std::string> moves{events.make(10, "move-"), events.end("request_id")};
    for (auto& list : {std::string("/audit?limit=23"), std::string("/audit?limit=23&action=moving"),
                       "/audit?limit=23&actor=" + user, std::string("/audit?limit=23&target=here"),
                       "/audit?limit=23&target=here&action=moving&actor=" + user})
        read_while(list, {"id"}, all_that_stay, moves);
}

BOOST_AUTO_TEST_SUITE_END()
