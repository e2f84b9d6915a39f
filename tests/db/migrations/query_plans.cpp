// Query plans: every list of a workspace is an index scan without sorting, at any table size.
// Sums of groups are sorted, but nothing that they are made of.
#include "db/postgres/statement.hpp"
#include "tests/db/database_fixture.hpp"
#include "tests/support/text.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

using support::has;

BOOST_AUTO_TEST_SUITE(query_plans)

namespace {

/// The highest $n of a statement.
int parameters_of(const std::string& sql)
{
    int most = 0;
    for (auto at = sql.find('$'); at != std::string::npos; at = sql.find('$', at + 1))
        most = std::max(most, std::atoi(sql.c_str() + at + 1));
    return most;
}

/// Of the rows of a group, as the usage of a key.
bool sums(const db::statement& one)
{
    return has(one.name(), "_sum");
}

bool reads_many_rows(const db::statement& one)
{
    return one.touched() == db::rows::of_one_workspace &&
           (has(one.name(), "_list") || has(one.name(), "_count") || sums(one));
}

/// The generic plan under row-level security, with the settings of require_index_scan().
std::string plan_of(const support::database& data, const db::statement& one, const std::string& workspace)
{
    std::string arguments;
    for (int i = 0; i < parameters_of(one.sql()); ++i)
        arguments += i == 0 ? "(NULL" : ", NULL";
    const db::statement* settings = db::statement::first();
    while (settings && std::string_view(settings->name()) != "keyset_pagination_require_index_scan")
        settings = settings->next();
    BOOST_REQUIRE(settings != nullptr);
    return data.sql("BEGIN; SET LOCAL ROLE latchkey_workspace; SET LOCAL latchkey.workspace = '" + workspace +
                    "'; SET LOCAL plan_cache_mode = force_generic_plan; " + settings->sql() +
                    "; PREPARE it AS " + one.sql() + "; EXPLAIN (FORMAT JSON) EXECUTE it" + arguments + ")");
}

} // namespace

BOOST_FIXTURE_TEST_CASE(every_list_of_a_workspace_uses_an_index_scan, db::test::database_fixture)
{
    // So many rows that the planner would prefer another plan without the settings.
    auto within = "'" + to_string(workspace) + "'", by = "'" + to_string(ada) + "'";
    data.sql(
        "INSERT INTO audit (id, workspace_id, action, actor_id, target, ip, user_agent, request_id) SELECT "
        "gen_random_uuid(), " +
        within + ", 'a', " + by + ", 't', '', '', '' FROM generate_series(1, 5000); ANALYZE audit");
    int checked = 0;
    for (auto one = db::statement::first(); one; one = one->next()) {
        if (!reads_many_rows(*one))
            continue;
        auto plan = plan_of(data, *one, to_string(workspace));
        std::vector<std::string> nodes{"\"Seq Scan\"", "\"Bitmap Heap Scan\"", "\"Hash Join\""};
        if (!sums(*one)) // the sums are in no index: one for each key is sorted
            nodes.emplace_back("\"Sort\"");
        for (auto& node : nodes)
            BOOST_TEST(plan.find("\"Node Type\": " + node) == std::string::npos,
                       std::string(one->name()) + ": " + plan);
        BOOST_TEST(plan.find("Index") != std::string::npos, one->name());
        ++checked;
    }
    BOOST_TEST(checked >= 16); // fewer: the naming convention of statements has changed
}

BOOST_AUTO_TEST_SUITE_END()
