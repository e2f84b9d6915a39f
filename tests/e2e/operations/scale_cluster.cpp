#include "tests/e2e/operations/scale_cluster.hpp"

#include "db/migrations/migrations.hpp"
#include "tests/support/child_process.hpp"

#include <boost/test/unit_test.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace e2e {

namespace {

std::int64_t number(const char* variable, std::int64_t otherwise)
{
    auto set = std::getenv(variable);
    return set ? std::atoll(set) : otherwise;
}

} // namespace

bool is_scale_drill()
{
    return std::getenv("LATCHKEY_SCALE") != nullptr;
}

int scale_rounds()
{
    return static_cast<int>(number("LATCHKEY_SCALE_ROUNDS", is_scale_drill() ? 1000 : 5));
}

scale_databases& scale_databases::shared()
{
    static scale_databases all;
    return all;
}

scale_databases::scale_databases()
{
    auto kept = std::getenv("LATCHKEY_SCALE_FOLDER");
    if (!kept)
        temporary_ = std::make_unique<support::temporary_folder>();
    folder_ = kept ? kept : temporary_->path();
    auto options = std::string(is_scale_drill() ? "" : " --throwaway") +
                   (kept ? "" : " --while " + std::to_string(getpid()));
    url_ = postgres("start " + folder_ + options);
    auto count = [&](const std::string& condition) {
        return support::sql(conninfo("latchkey"), "SELECT count(*) FROM pg_database WHERE " + condition);
    };
    if (count("datname = 'filled'") == "0") {
        create("small", 100);
        create("large", number("LATCHKEY_SCALE", 300));
        support::sql(conninfo("latchkey"), "CREATE DATABASE filled");
    }
    for (std::string database : {"small", "large"}) {
        support::sql(conninfo(database), "DELETE FROM signing_keys"); // of another master key
        next_ = std::max<std::int64_t>(next_, owners(database).back());
        auto facts = support::sql(
            conninfo(database),
            "SELECT format('%s users, %s sessions, %s API keys, %s audit events, %s', (SELECT count(*) FROM "
            "users), (SELECT count(*) FROM sessions), (SELECT count(*) FROM api_keys), (SELECT count(*) FROM "
            "audit), pg_size_pretty(pg_database_size(current_database())))");
        BOOST_TEST_MESSAGE(database << ": " << facts);
    }
    for (auto setting : {"shared_buffers", "fsync", "synchronous_commit", "max_wal_size"})
        BOOST_TEST_MESSAGE(setting << " = "
                                   << support::sql(conninfo("large"), "SHOW " + std::string(setting)));
}

scale_databases::~scale_databases()
{
    try {
        postgres("stop " + folder_ + " fast");
    } catch (const std::exception&) {
        // The watchdog of scripts/postgres ends it.
    }
}

std::string scale_databases::postgres(const std::string& command) const
{
    std::vector<std::string> words{LATCHKEY_SOURCE_DIR "/scripts/postgres"};
    std::istringstream in(command);
    for (std::string word; in >> word;)
        words.push_back(word);
    support::child_process script(words, {}, STDOUT_FILENO);
    if (script.wait() != 0)
        throw std::runtime_error("scripts/postgres " + command);
    auto out = script.output();
    return out.substr(0, out.find('\n'));
}

void scale_databases::create(const std::string& database, std::int64_t people)
{
    auto begin = std::chrono::steady_clock::now();
    auto configure = [&](const std::string& settings) {
        support::sql_connection admin(conninfo("latchkey"));
        std::istringstream each(settings);
        for (std::string one; std::getline(each, one, ';');)
            admin.run("ALTER SYSTEM " + one);
        admin.run("SELECT pg_reload_conf()");
    };
    configure("SET fsync = off;SET max_wal_size = '8GB';SET autovacuum = off");
    support::sql_connection admin(conninfo("latchkey"));
    admin.run("SET client_min_messages = warning"); // the database need not exist
    admin.run("DROP DATABASE IF EXISTS " + database);
    admin.run("CREATE DATABASE " + database);
    db::migrate(conninfo(database));
    prepare_people(conninfo(database));
    fill(conninfo(database), {1, people});
    configure("RESET fsync;RESET autovacuum");
    sync(); // the disk is idle when the measurement begins
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    BOOST_TEST_MESSAGE("filled " << database << " in " << took.count() << " s");
}

std::string scale_databases::conninfo(const std::string& database) const
{
    const std::string given = "/latchkey?";
    auto url = url_;
    return url.replace(url.find(given), given.size(), "/" + database + "?");
}

std::deque<std::int64_t> scale_databases::owners(const std::string& database) const
{
    std::istringstream numbers(support::sql(
        conninfo(database),
        "SELECT string_agg(substring(email FROM 7 FOR position('@' IN email) - 7), ' ' ORDER BY id) "
        "FROM users WHERE email LIKE 'person%' AND "
        "substring(email FROM 7 FOR position('@' IN email) - 7)::bigint % 5 = 0"));
    std::deque<std::int64_t> out;
    for (std::int64_t one = 0; numbers >> one;)
        out.push_back(one);
    return out;
}

people scale_databases::next_owners(int count)
{
    auto first = next_ + 5;
    next_ += std::int64_t{5} * count;
    return {first, next_, 5};
}

} // namespace e2e
