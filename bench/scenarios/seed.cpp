#include "bench/scenarios/seed.hpp"

#include "bench/load/failure.hpp"
#include "crypto/api_key.hpp"
#include "crypto/keyring.hpp"
#include "crypto/password.hpp"
#include "crypto/random.hpp"

#include <boost/json.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <libpq-fe.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_set>

namespace bench {

namespace {

constexpr std::string_view common_password = "correct horse battery staple";

// Email addresses must be unique across runs against one database.
std::string make_email(std::string_view run, std::size_t number)
{
    return "load-" + std::string(run) + "-" + std::to_string(number) + "@bench.example";
}

std::string make_run_name()
{
    return to_string(crypto::make_uuid_v7());
}

class database {
public:
    explicit database(const std::string& url) : connection_(PQconnectdb(url.c_str()), PQfinish)
    {
        if (PQstatus(get()) != CONNECTION_OK)
            throw failure(std::string("cannot reach the database: ") + PQerrorMessage(get()));
    }

    PGconn* get() const { return connection_.get(); }

    void run(const char* sql) { expect(PQexec(get(), sql), PGRES_COMMAND_OK); }

    /// The first column of a query's rows.
    std::vector<std::string> query(const char* sql)
    {
        std::unique_ptr<PGresult, void (*)(PGresult*)> rows(PQexec(get(), sql), PQclear);
        if (PQresultStatus(rows.get()) != PGRES_TUPLES_OK)
            throw failure(std::string("the database rejected the seed: ") + PQerrorMessage(get()));
        std::vector<std::string> out;
        for (int i = 0; i < PQntuples(rows.get()); ++i)
            out.emplace_back(PQgetvalue(rows.get(), i, 0));
        return out;
    }

    /// Run a statement that needs privileges this user may not have; errors are ignored.
    void try_to_run(const char* sql) { PQclear(PQexec(get(), sql)); }

    void expect(PGresult* raw, ExecStatusType status)
    {
        std::unique_ptr<PGresult, void (*)(PGresult*)> result(raw, PQclear);
        if (PQresultStatus(raw) != status)
            throw failure(std::string("the database rejected the seed: ") + PQerrorMessage(get()));
    }

private:
    std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

/// A COPY in progress, fed by several threads.
class copy {
public:
    copy(database& target, const char* sql) : target_(target)
    {
        target_.expect(PQexec(target_.get(), sql), PGRES_COPY_IN);
    }

    void send(std::string_view rows)
    {
        std::lock_guard lock(mutex_);
        if (PQputCopyData(target_.get(), rows.data(), static_cast<int>(rows.size())) != 1)
            throw failure(PQerrorMessage(target_.get()));
    }

    void finish()
    {
        if (PQputCopyEnd(target_.get(), nullptr) != 1)
            throw failure(PQerrorMessage(target_.get()));
        target_.expect(PQgetResult(target_.get()), PGRES_COMMAND_OK);
        PQclear(PQgetResult(target_.get())); // the NULL that ends the command
    }

private:
    database& target_;
    std::mutex mutex_;
};

/// The row buffer of one thread. Of the values written here, only the backslash of a bytea needs escaping.
class rows {
public:
    explicit rows(copy& target) : target_(target) { text_.reserve(piece + 1024); }

    template <class... Fields>
    void add(const Fields&... fields)
    {
        ((text_.append(fields), text_.push_back('\t')), ...);
        text_.back() = '\n';
        if (text_.size() >= piece)
            flush();
    }

    void flush()
    {
        target_.send(text_);
        text_.clear();
    }

private:
    static constexpr std::size_t piece = 256 * 1024;

    copy& target_;
    std::string text_;
};

struct user {
    std::string id, workspace, membership, email;
};

std::vector<user> make_users(std::size_t count)
{
    auto run = make_run_name();
    std::vector<user> out;
    for (std::size_t i = 0; i < count; ++i)
        out.push_back({to_string(crypto::make_uuid_v7()), to_string(crypto::make_uuid_v7()),
                       to_string(crypto::make_uuid_v7()), make_email(run, i)});
    return out;
}

void write_users(database& target, const std::vector<user>& users)
{
    crypto::hash_arena arena;
    auto hash = crypto::hash_password(arena, common_password, crypto::password_costs{});
    auto write = [&](const char* sql, auto add) {
        copy table(target, sql);
        rows out(table);
        for (auto& u : users)
            add(out, u);
        out.flush();
        table.finish();
    };
    write("COPY users (id, email, email_normalized, password_hash, name, email_verified_at) FROM STDIN",
          [&](rows& out, const user& u) { out.add(u.id, u.email, u.email, hash, "Load", "now"); });
    write("COPY workspaces (id, name, owner_id) FROM STDIN",
          [](rows& out, const user& u) { out.add(u.workspace, "Load", u.id); });
    write("COPY memberships (workspace_id, user_id, id, role) FROM STDIN",
          [](rows& out, const user& u) { out.add(u.workspace, u.id, u.membership, "admin"); });
}

std::string as_bytea(const crypto::digest& bytes)
{
    constexpr std::string_view digits = "0123456789abcdef";
    std::string out = "\\\\x";
    for (auto byte : bytes) {
        out.push_back(digits[byte >> 4]);
        out.push_back(digits[byte & 15]);
    }
    return out;
}

/// Run part(i) for every i on a thread of its own. Rethrows the exception of the first failing part.
template <class Part>
void in_parallel(std::size_t parts, const Part& part)
{
    std::vector<std::exception_ptr> failures(parts);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < parts; ++i)
            threads.emplace_back([&, i] {
                try {
                    part(i);
                } catch (...) {
                    failures[i] = std::current_exception();
                }
            });
    }
    for (auto& one : failures)
        if (one)
            std::rethrow_exception(one);
}

std::size_t share(std::size_t all, std::size_t parts, std::size_t index)
{
    return all / parts + (index < all % parts ? 1 : 0);
}

std::size_t processors()
{
    return std::max(1u, std::thread::hardware_concurrency());
}

key_set concatenate(const std::vector<key_set>& parts)
{
    key_set out;
    for (auto& part : parts)
        out.add(part);
    return out;
}

/// Drop the indexes of api_keys except its primary key. @return the statements that recreate them
std::vector<std::string> drop_indexes(database& target)
{
    constexpr auto constraints = R"(
        FROM pg_constraint WHERE conrelid = 'api_keys'::regclass AND contype = 'u')";
    constexpr auto indexes = R"(
        FROM pg_index WHERE indrelid = 'api_keys'::regclass AND NOT indisprimary
            AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid))";
    auto query = [&](std::string select, const char* from) { return target.query((select + from).c_str()); };
    auto recreate = query("SELECT format('ALTER TABLE api_keys ADD CONSTRAINT %I %s', conname, "
                          "pg_get_constraintdef(oid))",
                          constraints);
    auto plain = query("SELECT pg_get_indexdef(indexrelid)", indexes);
    recreate.insert(recreate.end(), plain.begin(), plain.end());
    auto drops = query("SELECT format('DROP INDEX %s', indexrelid::regclass)", indexes);
    for (auto& drop : query("SELECT format('ALTER TABLE api_keys DROP CONSTRAINT %I', conname)", constraints))
        drops.push_back(drop);
    for (auto& drop : drops)
        target.run(drop.c_str());
    return recreate;
}

/// Prefixes in use: they are short enough that a million random ones include duplicates.
class used_prefixes {
public:
    explicit used_prefixes(const std::vector<std::string>& existing) : all_(existing.begin(), existing.end())
    {}

    /// A key with a unique prefix. Thread-safe.
    crypto::new_api_key make_key()
    {
        for (;;) {
            auto key = crypto::make_api_key();
            std::scoped_lock lock(mutex_);
            if (all_.insert(key.prefix).second)
                return key;
        }
    }

private:
    std::mutex mutex_;
    std::unordered_set<std::string> all_;
};

/// One COPY, fed by one thread per processor that generates keys.
key_set write_keys(database& target, const crypto::keyring& keyring, const std::vector<user>& users,
                   std::size_t count)
{
    auto digest_key = keyring.derive(crypto::purpose::api_key_digest);
    used_prefixes prefixes(target.query("SELECT prefix FROM api_keys"));
    std::vector<key_set> made(processors());
    copy table(
        target,
        "COPY api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, created_by, membership_id) "
        "FROM STDIN");
    in_parallel(made.size(), [&](std::size_t part) {
        crypto::api_key_digester digest(digest_key);
        rows out(table);
        auto size = share(count, made.size(), part);
        made[part].reserve(size);
        std::size_t first = 0;
        for (std::size_t before = 0; before < part; ++before)
            first += share(count, made.size(), before);
        for (std::size_t i = 0; i < size; ++i) {
            auto& owner = users[(first + i) % users.size()];
            auto key = prefixes.make_key();
            out.add(to_string(crypto::make_uuid_v7()), key.prefix, as_bytea(digest(key.text)), "load", "{*}",
                    owner.workspace, owner.id, owner.id, owner.membership);
            made[part].add(key.text);
        }
        out.flush();
    });
    table.finish();
    return concatenate(made);
}

} // namespace

seeded seed(const std::string& database_url, const std::string& master_key, const seed_plan& plan)
{
    auto start = std::chrono::steady_clock::now();
    auto keyring = crypto::keyring::from_base64(master_key);
    if (!keyring)
        throw failure("the master key is not 32 bytes in base64");
    auto users = make_users(std::max<std::size_t>(1, plan.users));
    database target(database_url);

    // Building an index over a million rows takes a fifth of the time of a million random insertions. One
    // transaction: other sessions see the table as before or as after.
    constexpr std::size_t many = 50'000;
    // Skip foreign keys: the referenced rows are written here too, and the checks cost more than the rows.
    target.try_to_run("SET session_replication_role = replica");
    target.run("BEGIN");
    target.run("SET LOCAL maintenance_work_mem = '256MB'");
    write_users(target, users);
    auto indexes = plan.keys >= many ? drop_indexes(target) : std::vector<std::string>();
    seeded out;
    out.keys = write_keys(target, *keyring, users, plan.keys);
    for (auto& index : indexes)
        target.run(index.c_str());
    target.run(copy_key_principals);
    target.run("COMMIT");
    target.run("VACUUM (ANALYZE) users, workspaces, memberships, api_keys, api_key_principals");
    target.try_to_run("CHECKPOINT"); // now rather than during the run

    out.password = common_password;
    for (auto& u : users)
        out.emails.push_back(u.email);
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return out;
}

seeded seed_by_calls(const url& server, const seed_plan& plan)
{
    auto start = std::chrono::steady_clock::now();
    http_client client(server);
    auto call = [&](std::string_view path, std::span<const header> headers, const boost::json::object& body) {
        auto reply =
            client.call("POST", "/api/v1/users" + std::string(path), headers, boost::json::serialize(body));
        if (reply.status != 201)
            throw failure("POST " + std::string(path) + " failed (" + std::to_string(reply.status) +
                          "): " + reply.body);
        return boost::json::parse(reply.body);
    };
    seeded out;
    out.password = common_password;
    auto run = make_run_name();
    std::vector<std::string> credentials;
    for (std::size_t i = 0; i < std::max<std::size_t>(1, plan.users); ++i) {
        out.emails.push_back(make_email(run, i));
        auto account = call("/signup", {}, {{"email", out.emails.back()}, {"password", common_password}});
        credentials.push_back("Bearer " + std::string(account.at("access_token").as_string()));
    }
    for (std::size_t i = 0; i < plan.keys; ++i) {
        header authorization{"Authorization", credentials[i % credentials.size()]};
        auto key = call("/api-keys", {&authorization, 1}, {{"name", "load"}});
        out.keys.add(key.at("secret").as_string());
    }
    out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return out;
}

key_set make_unknown_keys(std::size_t count)
{
    std::vector<key_set> parts(processors());
    in_parallel(parts.size(), [&](std::size_t i) {
        for (std::size_t n = share(count, parts.size(), i); n > 0; --n)
            parts[i].add(crypto::make_api_key().text);
    });
    return concatenate(parts);
}

} // namespace bench
