#include "bench/seed.hpp"

#include "bench/failure.hpp"
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
#include <thread>

namespace bench {

namespace {

constexpr std::string_view common_password = "correct horse battery staple";

// Addresses must differ between runs against one database.
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

    /** Run what some databases do not allow this user. */
    void try_to_run(const char* sql) { PQclear(PQexec(get(), sql)); }

    void expect(PGresult* raw, ExecStatusType status)
    {
        std::unique_ptr<PGresult, void (*)(PGresult*)> result(raw, PQclear);
        if (PQresultStatus(raw) != status)
            throw failure(std::string("the database refused the seed: ") + PQerrorMessage(get()));
    }

private:
    std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

/** Rows on their way into a table. Nothing written here needs escaping but the backslash of a bytea. */
class copy {
public:
    copy(database& target, const char* sql) : target_(target)
    {
        target_.expect(PQexec(target_.get(), sql), PGRES_COPY_IN);
        rows_.reserve(piece + 1024);
    }

    template <class... Fields>
    void add(const Fields&... fields)
    {
        ((rows_.append(fields), rows_.push_back('\t')), ...);
        rows_.back() = '\n';
        if (rows_.size() >= piece)
            flush();
    }

    void finish()
    {
        flush();
        if (PQputCopyEnd(target_.get(), nullptr) != 1)
            throw failure(PQerrorMessage(target_.get()));
        target_.expect(PQgetResult(target_.get()), PGRES_COMMAND_OK);
        PQclear(PQgetResult(target_.get())); // the NULL that ends the command
    }

private:
    static constexpr std::size_t piece = 256 * 1024;

    void flush()
    {
        if (PQputCopyData(target_.get(), rows_.data(), static_cast<int>(rows_.size())) != 1)
            throw failure(PQerrorMessage(target_.get()));
        rows_.clear();
    }

    database& target_;
    std::string rows_;
};

struct person {
    std::string id, workspace, email;
};

std::vector<person> make_people(std::size_t count)
{
    auto run = make_run_name();
    std::vector<person> out;
    for (std::size_t i = 0; i < count; ++i)
        out.push_back(
            {to_string(crypto::make_uuid_v7()), to_string(crypto::make_uuid_v7()), make_email(run, i)});
    return out;
}

void write_people(database& target, const std::vector<person>& people)
{
    crypto::hash_arena arena;
    auto hash = crypto::hash_password(arena, common_password, crypto::password_costs{});
    target.run("BEGIN");
    copy users(target,
               "COPY users (id, email, email_normalized, password_hash, name, email_verified_at) FROM STDIN");
    for (auto& p : people)
        users.add(p.id, p.email, p.email, hash, "Load", "now");
    users.finish();
    copy workspaces(target, "COPY workspaces (id, name, owner_id) FROM STDIN");
    for (auto& p : people)
        workspaces.add(p.workspace, "Load", p.id);
    workspaces.finish();
    copy memberships(target, "COPY memberships (workspace_id, user_id, role) FROM STDIN");
    for (auto& p : people)
        memberships.add(p.workspace, p.id, "admin");
    memberships.finish();
    target.run("COMMIT");
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

key_set write_keys(const std::string& url, const crypto::keyring& keyring, const std::vector<person>& people,
                   std::size_t count)
{
    database target(url);
    // The rows' owners exist: they were written just now. Looking each up again would take longer than the
    // rest.
    target.try_to_run("SET session_replication_role = replica");
    crypto::api_key_digester digest(keyring.derive(crypto::purpose::api_key_digest));
    key_set out;
    out.reserve(count);
    copy rows(
        target,
        "COPY api_keys (id, prefix, digest, name, scopes, workspace_id, user_id, created_by) FROM STDIN");
    for (std::size_t i = 0; i < count; ++i) {
        auto& owner = people[i % people.size()];
        auto key = crypto::make_api_key();
        rows.add(to_string(crypto::make_uuid_v7()), key.prefix, as_bytea(digest(key.text)), "load", "{*}",
                 owner.workspace, owner.id, owner.id);
        out.add(key.text);
    }
    rows.finish();
    return out;
}

/** Do parts of a task on as many threads as there are processors. @throw what the first failing part threw */
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

key_set gather(const std::vector<key_set>& parts)
{
    key_set out;
    for (auto& part : parts)
        out.add(part);
    return out;
}

} // namespace

seeded seed(const std::string& database_url, const std::string& master_key, const seed_plan& plan)
{
    auto start = std::chrono::steady_clock::now();
    auto keyring = crypto::keyring::from_base64(master_key);
    if (!keyring)
        throw failure("the master key is not 32 bytes in base64");
    auto people = make_people(std::max<std::size_t>(1, plan.users));
    database main(database_url);
    write_people(main, people);

    auto parts = plan.keys < 10'000 ? 1 : processors();
    std::vector<key_set> keys(parts);
    in_parallel(parts, [&](std::size_t i) {
        keys[i] = write_keys(database_url, *keyring, people, share(plan.keys, parts, i));
    });
    main.run("VACUUM (ANALYZE) users, workspaces, memberships, api_keys");
    main.try_to_run("CHECKPOINT"); // now, and not in the middle of the run

    seeded out;
    out.password = common_password;
    out.keys = gather(keys);
    for (auto& p : people)
        out.emails.push_back(p.email);
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
            throw failure("POST " + std::string(path) + " was refused (" + std::to_string(reply.status) +
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
    return gather(parts);
}

} // namespace bench
