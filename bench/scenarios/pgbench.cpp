#include "bench/scenarios/pgbench.hpp"

#include "bench/load/failure.hpp"
#include "bench/scenarios/shell.hpp"

#include <libpq-fe.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

namespace bench {

namespace {

constexpr std::string_view script = R"(\set id random(1, 100000)
WITH revoked AS (UPDATE bench_revocations SET revoked_at = now() WHERE id = :id RETURNING id)
SELECT pg_notify('bench_revocations', id::text) FROM revoked;
)";

/// @return the first value of the result, or nothing
std::string execute(const std::string& database_url, const char* sql)
{
    std::unique_ptr<PGconn, void (*)(PGconn*)> connection(PQconnectdb(database_url.c_str()), PQfinish);
    std::unique_ptr<PGresult, void (*)(PGresult*)> rows(PQexec(connection.get(), sql), PQclear);
    auto status = PQresultStatus(rows.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw failure(std::string("the database refused: ") + PQerrorMessage(connection.get()));
    return PQntuples(rows.get()) > 0 ? PQgetvalue(rows.get(), 0, 0) : "";
}

} // namespace

std::optional<double> read_pgbench_rate(std::string_view output)
{
    constexpr std::string_view name = "tps = ";
    auto at = output.rfind(name);
    if (at == output.npos)
        return {};
    auto text = output.substr(at + name.size());
    double out = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), out).ec != std::errc())
        return {};
    return out;
}

pgbench_notify::pgbench_notify(std::string database_url) : database_url_(std::move(database_url))
{
    execute(database_url_, "DROP TABLE IF EXISTS bench_revocations; "
                           "CREATE TABLE bench_revocations (id integer PRIMARY KEY, revoked_at timestamptz) "
                           "WITH (fillfactor = 50); "
                           "INSERT INTO bench_revocations SELECT generate_series(1, 100000)");
    is_durable_ = execute(database_url_, "SELECT current_setting('fsync') = 'on' AND "
                                         "current_setting('synchronous_commit') <> 'off'") == "t";
    script_ = std::filesystem::temp_directory_path() / ("latchkey-pgbench-" + std::to_string(getpid()));
    std::ofstream(script_) << script;
}

pgbench_notify::~pgbench_notify()
{
    std::error_code ignored;
    std::filesystem::remove(script_, ignored);
    try {
        execute(database_url_, "DROP TABLE bench_revocations");
    } catch (const failure&) {
        // The next run drops it.
    }
}

std::optional<double> pgbench_notify::run(std::size_t clients, std::chrono::nanoseconds duration) const
{
    constexpr std::string_view find =
        "source " LATCHKEY_SOURCE_DIR "/scripts/lib.sh && PATH=$(postgres_programs ''):$PATH && exec pgbench";
    auto seconds = std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(duration).count());
    auto threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1, clients);
    auto command = std::string(find) +
                   " --no-vacuum --protocol=prepared --client=" + std::to_string(clients) +
                   " --jobs=" + std::to_string(threads) + " --time=" + std::to_string(seconds) +
                   " --file=" + shell_quoted(script_) + " " + shell_quoted(database_url_);
    return read_pgbench_rate(run_shell("bash -c " + shell_quoted(command) + " 2>/dev/null").output);
}

} // namespace bench
