// Keyset pagination: the blocks that a page reads grow neither with the list nor with other workspaces.
#include "db/tables/keyset_pagination.hpp"

#include "db/postgres/statement.hpp"
#include "db/tables/invites.hpp"
#include "db/tables/join_requests.hpp"
#include "db/tables/team.hpp"
#include "tests/support/database.hpp"

#include <boost/json.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

BOOST_AUTO_TEST_SUITE(keyset_pagination)

namespace {

const db::statement& find_statement(std::string_view name)
{
    for (auto each = db::statement::first(); each; each = each->next())
        if (each->name() == name)
            return *each;
    throw std::runtime_error("there is no statement " + std::string(name));
}

/// The plan and cost of an executed statement.
struct plan {
    /// Of 8 KiB, read from memory or disk.
    std::int64_t blocks = 0;

    /// Such as "Limit, Index Scan".
    std::string nodes;
    std::string sql;

    explicit plan(const boost::json::value& explained)
    {
        auto& top = explained.at(0).at("Plan");
        blocks = top.at("Shared Hit Blocks").as_int64() + top.at("Shared Read Blocks").as_int64();
        add(top);
    }

    void add(const boost::json::value& node)
    {
        nodes.append(nodes.empty() ? "" : ", ").append(node.at("Node Type").as_string().c_str());
        if (auto children = node.as_object().if_contains("Plans"))
            for (auto& each : children->as_array())
                add(each);
    }

    bool scans_indexes_only() const
    {
        for (auto bad : {"Sort", "Seq Scan", "Bitmap", "Hash", "Merge", "Gather"})
            if (nodes.find(bad) != std::string::npos)
                return false;
        return true;
    }
};

/** A workspace with twenty thousand members, keys, events, invites and join requests, and a small one. In
    the large one few rows are of a rare kind, and they are the oldest or the newest: far from in_workspace
    a page begins. */
struct two_sizes {
    static constexpr std::string_view large = "'01900000-0000-7000-8000-00000000000a'";
    static constexpr std::string_view little = "'01900000-0000-7000-8000-00000000000b'";
    static constexpr std::string_view owner = "'01900000-0000-7000-8001-000000000001'"; // of both
    static constexpr std::string_view first = "'00000000-0000-0000-0000-000000000000'";
    static constexpr std::string_view last = "'ffffffff-ffff-ffff-ffff-ffffffffffff'";

    two_sizes()
    {
        // The linker keeps only referenced objects of a library, and the statements in them.
        auto* volatile members = &db::team::list;
        auto* volatile invited = &db::invites::list;
        auto* volatile requests = &db::join_requests::list;
        BOOST_REQUIRE((members && invited && requests));
        data.sql(R"(
            CREATE FUNCTION id_of(kind int, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS
                $$ SELECT format('01900000-0000-7000-800%s-%s', kind, lpad(to_hex(n), 12, '0'))::uuid $$;
            CREATE FUNCTION workspace_of(n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS
                $$ SELECT CASE WHEN n % 5000 = 4999 THEN id_of(0, 11) ELSE id_of(0, 10) END $$;
            INSERT INTO users (id, email, email_normalized, name)
            SELECT id_of(1, n), n || '@example.org', n || '@example.org', 'Member'
            FROM generate_series(1, 40000) AS n;
            INSERT INTO workspaces (id, name, owner_id) VALUES (id_of(0, 10), 'Large', id_of(1, 1)),
                                                               (id_of(0, 11), 'Little', id_of(1, 1));
            INSERT INTO memberships (workspace_id, user_id, role)
            SELECT workspace_of(n), id_of(1, n),
                   (CASE WHEN n % 5000 = 4998 THEN 'admin' WHEN n % 5000 = 4997 THEN 'manager'
                         ELSE 'member' END)::workspace_role
            FROM generate_series(1, 20000) AS n;
            INSERT INTO join_requests (workspace_id, user_id)
            SELECT workspace_of(n), id_of(1, n) FROM generate_series(20001, 40000) AS n;
            INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, revoked_at)
            SELECT id_of(2, n), n, n::text::bytea, 'ci', '{*}', workspace_of(n), id_of(1, 1),
                   CASE WHEN n < 10 THEN now() END
            FROM generate_series(1, 20000) AS n;
            INSERT INTO invites (id, workspace_id, email, email_normalized, role, digest, expires_at)
            SELECT id_of(3, n), workspace_of(n), n || '@example.net', n || '@example.net', 'member',
                   n::text::bytea, now() + interval '1 day'
            FROM generate_series(1, 20000) AS n;
            INSERT INTO audit (id, workspace_id, action, actor_id, credential_id, target, ip, user_agent,
                               request_id)
            SELECT id_of(4, n), workspace_of(n), CASE WHEN n < 10 THEN 'rare' ELSE 'usual' END,
                   id_of(1, CASE WHEN n < 10 THEN 2 ELSE 1 END), id_of(2, CASE WHEN n < 10 THEN 2 ELSE 1 END),
                   CASE WHEN n < 10 THEN 'rare' ELSE 'usual' END, '', '', ''
            FROM generate_series(1, 20000) AS n)");
        data.sql("VACUUM ANALYZE");
    }

    /// @param arguments as SQL, in the order of the statement's parameters; the first is the workspace
    plan explain(std::string_view name, const std::vector<std::string_view>& arguments) const
    {
        std::string values;
        for (auto each : arguments)
            values.append(values.empty() ? "" : ", ").append(each);
        std::string sql = "BEGIN;";
        sql.append(find_statement("keyset_pagination_require_index_scan").sql())
            .append("; SET LOCAL plan_cache_mode = force_generic_plan;");
        sql.append("SET LOCAL latchkey.workspace = ").append(arguments[0]).append(";");
        sql.append("SET LOCAL ROLE latchkey_workspace; PREPARE page AS ").append(find_statement(name).sql());
        sql.append("; EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE page (").append(values).append(")");
        return plan(boost::json::parse(data.sql(sql)));
    }

    /// Checks that a page or a count reads at most so many blocks, and neither gathers nor sorts rows.
    void check(std::string_view name, const std::vector<std::string_view>& arguments, std::int64_t most) const
    {
        auto seen = explain(name, arguments);
        BOOST_TEST_CONTEXT(name << " in " << arguments[0] << ": " << seen.nodes)
        {
            BOOST_TEST(seen.scans_indexes_only());
            BOOST_TEST(seen.blocks <= most);
        }
    }

    support::database data;
};

/// 51 rows, each possibly in a block of its own, and the inner index pages.
constexpr std::int64_t page_blocks = 100;

/// As above, with a lookup of each user and of the membership that the policy requires.
constexpr std::int64_t user_page_blocks = 1'000;

} // namespace

BOOST_FIXTURE_TEST_CASE(a_page_of_keys_reads_only_its_own_rows, two_sizes)
{
    for (auto in_workspace : {large, little})
        for (auto before : {last, std::string_view("id_of(2, 200)")})
            for (std::string_view state : {"", "_active", "_revoked"}) {
                check("api_keys_list_own" + std::string(state), {in_workspace, owner, before, "51"},
                      page_blocks);
                check("api_keys_list_all" + std::string(state), {in_workspace, before, "51"}, page_blocks);
                check("api_keys_count_own" + std::string(state), {in_workspace, owner}, page_blocks);
                check("api_keys_count_all" + std::string(state), {in_workspace}, page_blocks);
            }
}

// Keys that end soon are few among many: their pages are filtered, in the order of the index of the active
// keys.
BOOST_FIXTURE_TEST_CASE(keys_that_end_soon_are_found_without_collecting_others, two_sizes)
{
    constexpr std::string_view end = "now() + interval '1 day'";
    for (auto in_workspace : {large, little}) {
        // Each key of the workspace, possibly in a block of its own.
        auto most = in_workspace == large ? 21'000 : page_blocks;
        check("api_keys_list_own_expiring", {in_workspace, owner, last, "51", end}, most);
        check("api_keys_list_all_expiring", {in_workspace, last, "51", end}, most);
        check("api_keys_count_own_expiring", {in_workspace, owner, end}, most);
        check("api_keys_count_all_expiring", {in_workspace, end}, most);
    }
}

BOOST_FIXTURE_TEST_CASE(a_page_of_events_reads_only_its_own_rows, two_sizes)
{
    constexpr std::string_view null = "NULL";
    struct filter {
        std::string name;
        std::string_view action, actor, target, credential;
    };
    const filter filters[] = {{"", null, null, null, null},
                              {"_action", "'usual'", null, null, null},
                              {"_action", "'rare'", null, null, null},
                              {"_action", "'none'", null, null, null},
                              {"_actor", null, "id_of(1, 2)", null, null},
                              {"_actor", null, "id_of(1, 3)", null, null},
                              {"_target", null, null, "'rare'", null},
                              {"_target", null, null, "'none'", null},
                              {"_credential", null, null, null, "id_of(2, 2)"},
                              {"_credential", null, null, null, "id_of(2, 3)"}};
    for (auto in_workspace : {large, little})
        for (auto& one : filters) {
            for (auto before : {last, std::string_view("id_of(4, 200)")})
                for (auto least : {first, std::string_view("id_of(4, 19999)")})
                    check("audit_list" + one.name,
                          {in_workspace, before, least, null, null, one.action, one.actor, one.target,
                           one.credential, "51"},
                          page_blocks);
            check("audit_count" + one.name,
                  {in_workspace, last, first, null, null, one.action, one.actor, one.target, one.credential},
                  page_blocks);
        }
}

BOOST_FIXTURE_TEST_CASE(a_page_of_members_reads_only_its_own_rows, two_sizes)
{
    for (auto in_workspace : {large, little})
        for (auto after : {first, std::string_view("id_of(1, 19000)")}) {
            for (std::string_view role : {"", "_admins", "_managers", "_members"}) {
                check("team_list" + std::string(role), {in_workspace, after, "51"}, user_page_blocks);
                check("team_count" + std::string(role), {in_workspace}, page_blocks);
            }
            check("invites_list", {in_workspace, after, "51", "NULL", "NULL", "true"}, page_blocks);
            check("invites_count", {in_workspace, "NULL", "NULL", "true"}, page_blocks);
            check("join_requests_list", {in_workspace, after, "51"}, user_page_blocks);
        }
}

BOOST_AUTO_TEST_SUITE_END()
