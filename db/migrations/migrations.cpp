#include "db/migrations/migrations.hpp"

#include "db/migrations/blocking_connection.hpp"
#include "db/migrations/renew_normalized.hpp"
#include "db/postgres/error.hpp"
#include "db/postgres/result.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <map>

namespace db {

namespace {

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

/// What a migration does beyond its SQL, and after it, in the same transaction.
using step = void(blocking_connection&, const text_normalizers&, std::vector<address_collision>&);

struct {
    std::string_view migration;
    step* run;
} constexpr steps[] = {{"0010_spelling", &renew_normalized}};

void apply(blocking_connection& db, const migration& next, const std::string& checksum,
           const text_normalizers& normalizers, migration_report& report)
{
    try {
        db.execute(std::string(next.sql));
        for (const auto& step : steps)
            if (step.migration == next.name)
                step.run(db, normalizers, report.address_collisions);
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

/// Applies a migration unless it was applied before.
void apply_once(blocking_connection& db, const migration& each, std::span<const migration> migrations,
                const text_normalizers& normalizers, migration_report& report)
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
        apply(db, each, checksum, normalizers, report);
    db.execute("COMMIT");
    if (is_new)
        report.applied.emplace_back(each.name);
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

migration_report migrate(const std::string& conninfo, std::span<const migration> migrations,
                         const text_normalizers& normalizers)
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
        apply_once(db, each, migrations, normalizers, report);
    begin_exclusive(db);
    report.row_security = enable_row_security(db);
    db.execute("COMMIT");
    return report;
}

} // namespace db
