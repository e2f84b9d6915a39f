#include "bench/lists.hpp"

#include "bench/failure.hpp"

#include <boost/json.hpp>

#include <libpq-fe.h>

#include <algorithm>
#include <array>
#include <memory>

namespace bench {

namespace {

constexpr std::size_t rows_turned = 200; // the most that a page has
constexpr std::string_view page_size = "limit=50";

// Ids grow in the order of their rows, as the server's do; the address keeps those of two workspaces apart.
constexpr const char* filling = R"(
    CREATE TEMP TABLE place AS
        SELECT u.id AS owner_id, w.id AS workspace_id, u.password_hash, hashtext($1)::bit(28)::int AS apart
        FROM users u JOIN workspaces w ON w.owner_id = u.id WHERE u.email = $1)";

constexpr std::array<const char*, 4> tables{
    R"(INSERT INTO users (id, email, email_normalized, password_hash, name, email_verified_at)
       SELECT format('01900000-%s-7000-8000-%s', lpad(to_hex(apart & 65535), 4, '0'), lpad(to_hex(n), 12, '0'))::uuid,
              n || '.' || apart || '@bench.example', n || '.' || apart || '@bench.example', password_hash,
              'Member ' || n, now()
       FROM place, generate_series(1, $1::int) AS n)",
    R"(INSERT INTO memberships (workspace_id, user_id, role)
       SELECT workspace_id, u.id, CASE WHEN n % 100 = 0 THEN 'manager' ELSE 'member' END::workspace_role
       FROM place, generate_series(1, $1::int) AS n
       JOIN users u ON u.email_normalized = n || '.' || (SELECT apart FROM place) || '@bench.example')",
    R"(INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, created_by)
       SELECT format('01900000-%s-7001-8000-%s', lpad(to_hex(apart & 65535), 4, '0'), lpad(to_hex(n), 12, '0'))::uuid,
              to_hex(apart & 65535) || '.' || to_hex(n), sha256((apart || '.' || n)::bytea), 'load', '{*}',
              workspace_id, owner_id, owner_id
       FROM place, generate_series(1, $1::int) AS n)",
    R"(INSERT INTO audit (id, workspace_id, action, actor_id, target, ip, user_agent, request_id)
       SELECT format('01900000-%s-7002-8000-%s', lpad(to_hex(apart & 65535), 4, '0'), lpad(to_hex(n), 12, '0'))::uuid,
              workspace_id, (ARRAY ['api_key.mint', 'session.open', 'team.remove'])[1 + n % 3], owner_id, n::text,
              '192.0.2.1', 'bench', 'bench'
       FROM place, generate_series(1, $1::int) AS n)"};

} // namespace

void fill_workspace(const std::string& database_url, const std::string& email, const list_sizes& sizes)
{
    std::unique_ptr<PGconn, void (*)(PGconn*)> database(PQconnectdb(database_url.c_str()), PQfinish);
    auto run = [&](const char* sql, const std::string& parameter) {
        const char* value = parameter.c_str();
        std::unique_ptr<PGresult, void (*)(PGresult*)> done(PQexecParams(database.get(), sql,
                                                                         parameter.empty() ? 0 : 1, nullptr,
                                                                         &value, nullptr, nullptr, 0),
                                                            PQclear);
        if (PQresultStatus(done.get()) != PGRES_COMMAND_OK)
            throw failure(std::string("the database refused the seed: ") + PQerrorMessage(database.get()));
    };
    run("SET session_replication_role = replica", ""); // what refers to what is written here too
    std::string place = filling;
    auto literal = PQescapeLiteral(database.get(), email.c_str(), email.size());
    for (auto mark = place.find("$1"); mark != std::string::npos; mark = place.find("$1"))
        place.replace(mark, 2, literal);
    PQfreemem(literal);
    run(place.c_str(), "");
    const std::array<std::size_t, tables.size()> counts{sizes.members, sizes.members, sizes.keys,
                                                        sizes.events};
    for (std::size_t i = 0; i < tables.size(); ++i)
        run(tables[i], std::to_string(counts[i]));
    run("VACUUM (ANALYZE) users, memberships, api_keys, audit", "");
}

std::string find_page(const url& server, const std::string& token, const std::string& list, double depth,
                      std::size_t rows)
{
    auto separator = list.find('?') == std::string::npos ? "?" : "&";
    auto target = list + separator + std::string(page_size);
    http_client client(server);
    auto credential = "Bearer " + token;
    header authorization{"Authorization", credential};
    auto turns = static_cast<std::size_t>(depth * static_cast<double>(rows)) / rows_turned;
    std::string cursor;
    for (std::size_t turned = 0; turned < turns; ++turned) {
        auto page = list + separator + "limit=" + std::to_string(rows_turned) + cursor;
        auto answer = client.call("GET", page, {&authorization, 1});
        if (answer.status != 200)
            throw failure("GET " + page + " was refused: " + answer.body);
        auto body = boost::json::parse(answer.body);
        auto next = body.at("next_cursor");
        if (!next.is_string())
            break;
        cursor = "&cursor=" + std::string(next.as_string());
    }
    return target + cursor;
}

} // namespace bench
