#include "db/migrations/migrations.hpp"

#include "db/postgres/error.hpp"
#include "db/postgres/result.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <initializer_list>
#include <map>
#include <memory>

namespace db {

namespace {

/// A blocking connection, sufficient for the start of the program.
class blocking_connection {
public:
    explicit blocking_connection(const std::string& conninfo)
    {
        const char* names[] = {"dbname", "fallback_application_name", "connect_timeout", nullptr};
        const char* values[] = {conninfo.c_str(), "latchkey", "10", nullptr};
        constexpr int expand_dbname = 1;
        pg_.reset(PQconnectdbParams(names, values, expand_dbname));
        if (PQstatus(pg_.get()) != CONNECTION_OK)
            throw failure_of(pg_.get());
        PQsetNoticeReceiver(pg_.get(), [](void*, const PGresult*) {}, nullptr);
    }

    /// Runs any number of statements without parameters.
    void execute(const std::string& sql) { check(PQexec(pg_.get(), sql.c_str())); }

    /// Runs one statement with text parameters and text results.
    result query(const char* sql, std::initializer_list<std::string> parameters)
    {
        std::vector<const char*> values;
        for (const auto& each : parameters)
            values.push_back(each.c_str());
        return check(PQexecParams(pg_.get(), sql, static_cast<int>(values.size()), nullptr, values.data(),
                                  nullptr, nullptr, 0));
    }

private:
    result check(PGresult* owned)
    {
        result answer(owned);
        auto status = PQresultStatus(owned);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            throw failure_of(owned);
        return answer;
    }

    struct finish {
        void operator()(PGconn* pg) const { PQfinish(pg); }
    };
    std::unique_ptr<PGconn, finish> pg_;
};

using checksums_by_name = std::map<std::string, std::string, std::less<>>;

checksums_by_name load_applied(blocking_connection& db)
{
    auto rows = db.query("SELECT name, checksum FROM schema_migrations", {});
    checksums_by_name found;
    for (int row = 0; row < PQntuples(rows.get()); ++row)
        found.emplace(PQgetvalue(rows.get(), row, 0), PQgetvalue(rows.get(), row, 1));
    return found;
}

// Computed by PostgreSQL, so that this library needs no cryptography of its own.
std::string checksum_of(blocking_connection& db, std::string_view sql)
{
    auto row = db.query("SELECT encode(sha256(convert_to($1, 'UTF8')), 'hex')", {std::string(sql)});
    return PQgetvalue(row.get(), 0, 0);
}

failure refuse(std::string_view name, std::string_view why)
{
    return failure(failure_kind::statement, "migration " + std::string(name) + " " + std::string(why));
}

void apply(blocking_connection& db, const migration& next, const std::string& checksum)
{
    try {
        db.execute(std::string(next.sql));
    } catch (const failure& why) {
        throw failure(why.kind(), "migration " + std::string(next.name) + ": " + why.what(), why.sqlstate());
    }
    db.query("INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)",
             {std::string(next.name), checksum});
}

/** Begins a transaction that excludes concurrent migrations. The advisory lock belongs to the transaction,
    not to the connection, which a pooler might hand to another client with the lock still held. */
void begin_exclusive(blocking_connection& db)
{
    db.execute("BEGIN");
    db.execute("SELECT pg_advisory_xact_lock(hashtext('schema_migrations'))");
}

/** @throw failure if the database has a migration that is unknown to this program */
void check_history(const checksums_by_name& before, std::span<const migration> migrations)
{
    for (const auto& [name, checksum] : before)
        if (std::ranges::find(migrations, name, &migration::name) == migrations.end())
            throw refuse(name,
                         "is in the database but not in this program: run the newer program that made it");
}

/** Applies a migration unless it was applied before. @return whether this call applied it */
bool apply_once(blocking_connection& db, const migration& each, std::span<const migration> migrations)
{
    begin_exclusive(db);
    auto before = load_applied(db);
    check_history(before, migrations);
    auto checksum = checksum_of(db, each.sql);
    auto known = before.find(each.name);
    bool is_new = known == before.end();
    if (!is_new && known->second != checksum)
        throw refuse(each.name, "was changed after it was applied: restore it, and add a new one instead");
    if (is_new && !before.empty() && each.name < before.rbegin()->first)
        throw refuse(each.name, "is missing, but a later one was applied: migrations only go forward");
    if (is_new)
        apply(db, each, checksum);
    db.execute("COMMIT");
    return is_new;
}

bool enable_row_security(blocking_connection& db)
{
    auto is_true = [](const result& answer) {
        return PQgetvalue(answer.get(), 0, 0) == std::string_view("t");
    };
    if (!is_true(db.query("SELECT to_regprocedure('enable_row_security()') IS NOT NULL", {})))
        return false;
    if (is_true(db.query("SELECT enable_row_security()", {})))
        return true;
    // Another database of the cluster may be creating the role concurrently: its grants are visible once it
    // has committed.
    db.query("SELECT pg_sleep(0.2)", {});
    return is_true(db.query("SELECT enable_row_security()", {}));
}

} // namespace

migration_report migrate(const std::string& conninfo, std::span<const migration> migrations)
{
    blocking_connection db(conninfo);
    begin_exclusive(db);
    db.execute(
        "CREATE TABLE IF NOT EXISTS schema_migrations ("
        "name text PRIMARY KEY, checksum text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())");
    check_history(load_applied(db), migrations); // also if the program has no migrations
    db.execute("COMMIT");

    migration_report report;
    for (const auto& each : migrations)
        if (apply_once(db, each, migrations))
            report.applied.emplace_back(each.name);
    begin_exclusive(db);
    report.row_security = enable_row_security(db);
    db.execute("COMMIT");
    return report;
}

} // namespace db
