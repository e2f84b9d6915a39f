// Migrations: applied in order and once; changed, missing and unknown ones are rejected.
#include "db/migrations/migrations.hpp"

#include "db/postgres/error.hpp"
#include "tests/support/database.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(migrations)

namespace {

const std::vector<db::migration> two{
    {"0001_first", "CREATE TABLE one (a int); INSERT INTO one VALUES (1); -- ä"},
    {"0002_second", "ALTER TABLE one ADD b int; UPDATE one SET b = a + 1"},
};

struct empty_database {
    std::string name = "migrations_" + std::to_string(++made);
    std::string conninfo = support::shared_cluster().conninfo(name);
    inline static int made = 0;

    empty_database() { support::sql(support::shared_cluster().conninfo(), "CREATE DATABASE " + name); }
    ~empty_database() { support::shared_cluster().drop_database(name); }

    std::string rejection(std::vector<db::migration> migrations) const
    {
        try {
            db::migrate(conninfo, migrations);
        } catch (const db::failure& why) {
            return why.what();
        }
        return "";
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(all_are_applied_in_order_and_once, empty_database)
{
    BOOST_TEST(db::migrate(conninfo, two).applied == (std::vector<std::string>{"0001_first", "0002_second"}),
               boost::test_tools::per_element());
    BOOST_TEST(db::migrate(conninfo, two).applied.empty());
    BOOST_TEST(support::sql(conninfo, "SELECT b FROM one") == "2");
}

BOOST_FIXTURE_TEST_CASE(only_new_migrations_are_applied, empty_database)
{
    std::vector<db::migration> first{two[0]};
    db::migrate(conninfo, first);
    BOOST_TEST(db::migrate(conninfo, two).applied == std::vector<std::string>{"0002_second"},
               boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(the_program_embeds_its_migrations, empty_database)
{
    BOOST_TEST(!db::embedded_migrations().empty());
    auto applied = db::migrate(conninfo).applied;
    BOOST_TEST(applied.size() == db::embedded_migrations().size());
    BOOST_TEST(std::is_sorted(applied.begin(), applied.end()));
    BOOST_TEST(db::migrate(conninfo).applied.empty());
}

BOOST_FIXTURE_TEST_CASE(concurrent_processes_apply_each_once, empty_database)
{
    std::atomic<std::size_t> applied = 0, failed = 0;
    std::vector<std::thread> threads;
    for (int each = 0; each < 4; ++each)
        threads.emplace_back([&] {
            try {
                applied += db::migrate(conninfo).applied.size();
            } catch (const std::exception&) {
                ++failed;
            }
        });
    for (auto& each : threads)
        each.join();
    BOOST_TEST(failed == 0u);
    BOOST_TEST(applied == db::embedded_migrations().size());
}

BOOST_FIXTURE_TEST_CASE(a_changed_migration_is_rejected, empty_database)
{
    db::migrate(conninfo, two);
    std::vector<db::migration> changed{{"0001_first", "CREATE TABLE one (a bigint)"}, two[1]};
    BOOST_TEST(
        rejection(changed) ==
        "migration 0001_first was changed after it was applied: restore it, and add a new one instead");
}

BOOST_FIXTURE_TEST_CASE(an_unknown_migration_is_rejected, empty_database)
{
    db::migrate(conninfo, two);
    BOOST_TEST(rejection({two[0]}) == "migration 0002_second is in the database but not in this program: "
                                      "run the newer program that made it");
}

BOOST_FIXTURE_TEST_CASE(a_migration_before_the_last_applied_one_is_rejected, empty_database)
{
    db::migrate(conninfo, two);
    auto message = rejection({two[0], {"0001_late", "SELECT 1"}, two[1]});
    BOOST_TEST(message.starts_with("migration 0001_late is missing, but a later one was applied"));
}

BOOST_FIXTURE_TEST_CASE(a_failing_migration_is_rolled_back, empty_database)
{
    auto message = rejection({two[0], {"0002_broken", "CREATE TABLE half (a int); SELECT nonsense"}});
    BOOST_TEST(message.starts_with("migration 0002_broken: column \"nonsense\" does not exist"));
    BOOST_TEST(support::sql(conninfo, "SELECT to_regclass('one') IS NOT NULL") == "t");
    BOOST_TEST(support::sql(conninfo, "SELECT to_regclass('half') IS NULL") == "t");
    BOOST_TEST(db::migrate(conninfo, two).applied.size() == 1u);
}

BOOST_AUTO_TEST_CASE(an_unreachable_database_is_a_failure)
{
    BOOST_CHECK_EXCEPTION(db::migrate("host=/nonexistent dbname=x"), db::failure,
                          [](const db::failure& why) { return why.unavailable(); });
}

BOOST_AUTO_TEST_SUITE_END()
