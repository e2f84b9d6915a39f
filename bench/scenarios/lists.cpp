#include "bench/scenarios/lists.hpp"

#include "bench/load/failure.hpp"
#include "bench/scenarios/seed.hpp"

#include <boost/json.hpp>

#include <libpq-fe.h>

#include <array>
#include <memory>

namespace bench {

namespace {

constexpr std::size_t rows_per_page = 200; // the maximum of a page
constexpr std::string_view page_size = "limit=50";

// Ids ascend in row order, as the server's do; a hash of the email address keeps those of two workspaces
// distinct.
constexpr const char* create_owner = R"(
    CREATE TEMP TABLE owner AS
        SELECT u.id AS owner_id, w.id AS workspace_id, u.password_hash, hashtext($1)::bit(28)::int AS salt
        FROM users u JOIN workspaces w ON w.owner_id = u.id WHERE u.email = $1)";

constexpr std::array<const char*, 4> inserts{
    R"(INSERT INTO users (id, email, email_normalized, password_hash, name, email_verified_at)
       SELECT format('01900000-%s-7000-8000-%s', lpad(to_hex(salt & 65535), 4, '0'),
              lpad(to_hex(n), 12, '0'))::uuid,
              n || '.' || salt || '@bench.example', n || '.' || salt || '@bench.example', password_hash,
              'Member ' || n, now()
       FROM owner, generate_series(1, $1::int) AS n)",
    R"(INSERT INTO memberships (workspace_id, user_id, role)
       SELECT workspace_id, u.id, CASE WHEN n % 10 = 0 THEN 'manager' ELSE 'member' END::workspace_role
       FROM owner, generate_series(1, $1::int) AS n
       JOIN users u ON u.email_normalized = n || '.' || (SELECT salt FROM owner) || '@bench.example')",
    R"(INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, created_by, revoked_at)
       SELECT format('01900000-%s-7001-8000-%s', lpad(to_hex(salt & 65535), 4, '0'),
              lpad(to_hex(n), 12, '0'))::uuid,
              to_hex(salt & 65535) || '.' || to_hex(n), sha256((salt || '.' || n)::bytea), 'load', '{*}',
              workspace_id, owner_id, owner_id, CASE WHEN n <= 100 THEN now() END
       FROM owner, generate_series(1, $1::int) AS n)",
    R"(INSERT INTO audit (id, workspace_id, action, actor_id, target, ip, user_agent, request_id)
       SELECT format('01900000-%s-7002-8000-%s', lpad(to_hex(salt & 65535), 4, '0'),
              lpad(to_hex(n), 12, '0'))::uuid,
              workspace_id, (ARRAY ['api_key.mint', 'session.open', 'team.remove'])[1 + n % 3], owner_id,
              n::text, '192.0.2.1', 'bench', 'bench'
       FROM owner, generate_series(1, $1::int) AS n)"};

} // namespace

void fill_workspace(const std::string& database_url, const std::string& email, const list_sizes& sizes)
{
    std::unique_ptr<PGconn, void (*)(PGconn*)> database(PQconnectdb(database_url.c_str()), PQfinish);
    auto run = [&](const char* sql, const std::string& parameter, bool may_fail = false) {
        const char* value = parameter.c_str();
        std::unique_ptr<PGresult, void (*)(PGresult*)> done(PQexecParams(database.get(), sql,
                                                                         parameter.empty() ? 0 : 1, nullptr,
                                                                         &value, nullptr, nullptr, 0),
                                                            PQclear);
        if (PQresultStatus(done.get()) != PGRES_COMMAND_OK && !may_fail)
            throw failure(std::string("the database rejected the seed: ") + PQerrorMessage(database.get()));
    };
    run("SET session_replication_role = replica", "",
        true); // skip foreign keys: the referenced rows are written here too
    std::string sql = create_owner;
    auto literal = PQescapeLiteral(database.get(), email.c_str(), email.size());
    for (auto mark = sql.find("$1"); mark != std::string::npos; mark = sql.find("$1"))
        sql.replace(mark, 2, literal);
    PQfreemem(literal);
    run(sql.c_str(), "");
    const std::array<std::size_t, inserts.size()> counts{sizes.members, sizes.members, sizes.keys,
                                                         sizes.events};
    for (std::size_t i = 0; i < inserts.size(); ++i)
        run(inserts[i], std::to_string(counts[i]));
    run(copy_key_principals, "");
    run("VACUUM (ANALYZE) users, memberships, api_keys, api_key_principals, audit", "");
    run("CHECKPOINT", "", true); // now rather than during the run
}

page_reader read_pages(const url& server, const std::string& token)
{
    auto client = std::make_shared<http_client>(server);
    return [client, credential = "Bearer " + token](const std::string& target) {
        header authorization{"Authorization", credential};
        auto response = client->call("GET", target, {&authorization, 1});
        if (response.status != 200)
            throw failure("GET " + target + " failed: " + response.body);
        return response.body;
    };
}

std::vector<std::string> find_pages(const page_reader& read, const std::string& list, std::size_t rows,
                                    const std::vector<double>& depths)
{
    auto separator = list.find('?') == std::string::npos ? "?" : "&";
    auto page = list + separator + "limit=" + std::to_string(rows_per_page);
    std::vector<std::string> out;
    std::string cursor;
    std::size_t pages_read = 0;
    for (auto depth : depths) {
        auto wanted = static_cast<std::size_t>(depth * static_cast<double>(rows)) / rows_per_page;
        for (; pages_read < wanted; ++pages_read) {
            auto next = boost::json::parse(read(page + cursor)).at("next_cursor");
            if (!next.is_string())
                throw failure(list + " ends after " + std::to_string(pages_read + 1) + " pages, before row " +
                              std::to_string(wanted * rows_per_page));
            cursor = "&cursor=" + std::string(next.as_string());
        }
        out.push_back(list + separator + std::string(page_size) + cursor);
    }
    return out;
}

} // namespace bench
