#include "server/cli/commands.hpp"

#include "crypto/random.hpp"
#include "db/postgres/row_security.hpp"
#include "db/principals/node.hpp"
#include "db/principals/transaction.hpp"
#include "db/tables/users.hpp"
#include "handlers/openapi/document.hpp"
#include "handlers/routes.hpp"
#include "schemas/engine/types.hpp"
#include "server/block_on.hpp"
#include "server/cli/http_client.hpp"
#include "server/cli/mcp_bridge.hpp"
#include "server/jobs/signing_keys.hpp"
#include "server/log_queue.hpp"
#include "server/schema_migration.hpp"
#include "server/supervisor.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json/serialize.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <exception>
#include <iostream>
#include <stdexcept>

namespace server {

namespace asio = boost::asio;

namespace {

/// In seconds.
constexpr long health_timeout = 3;

/// Run a command. An exception becomes one line on standard error and exit code 1.
template <class F>
int run_command(F work)
{
    try {
        work();
        return 0;
    } catch (const std::exception& e) {
        std::string line = "latchkey: ";
        for (const char* c = e.what(); *c; ++c)
            line.push_back(*c == '\n' ? ' ' : *c);
        write_to_stderr(line + '\n', log_flush_limit);
        return 1;
    }
}

} // namespace

int serve(const config& settings)
{
    return run_command([&] { serve_until_drained(settings); });
}

int migrate(const config& settings)
{
    return run_command([&] {
        auto done = migrate_schema(settings.database_url);
        for (auto& name : done.applied)
            std::cout << "applied " << name << '\n';
        for (auto& [kept, released] : done.address_collisions)
            std::cout << "same email address: kept by " << kept << ", released by " << released << '\n';
        std::cout << (done.applied.empty() ? "no pending migrations\n" : "schema up to date\n");
        if (!done.row_security)
            std::cout << "row-level security disabled; " << db::how_to_enable_row_security << '\n';
    });
}

int rotate_signing_keys(const config& settings)
{
    return run_command([&] {
        asio::io_context io{1};
        db::pool db(io, database_settings(settings), 1);
        crypto::sealer sealer(settings.keys);
        auto kid = block_on(io, [&] { return rotate_keys(db, sealer, settings); });
        std::cout << kid << '\n';
    });
}

namespace {

/// An audit event of the operator who runs the command.
db::audit::entry operator_event(std::string_view action)
{
    db::audit::entry out;
    out.action = action;
    out.user_agent = "latchkey";
    return out;
}

/// Change an account and wait until every node has applied the invalidation.
template <class Change>
int change_user(const config& settings, std::string_view done, Change change)
{
    return run_command([&] {
        asio::io_context io{1};
        db::pool db(io, database_settings(settings), 1);
        db::invalidation_bus changes;
        db::lease unused;
        db::node::config node_settings;
        node_settings.connection = database_settings(settings);
        node_settings.has_cache = false;
        db::node self(io, db, changes, unused, node_settings);
        auto user = block_on(io, [&] { return change(changes, db); });
        if (!user)
            throw std::runtime_error("no such account");
        std::cout << done << ' ' << *user << '\n';
    });
}

} // namespace

int print_openapi(const setting_list& settings)
{
    return run_command([&] {
        std::string url = "http://127.0.0.1:8080";
        for (auto& [name, value] : settings)
            if (name == "public_url")
                url = value;
        std::cout << handlers::describe_api(handlers::all_routes(), url, LATCHKEY_VERSION) << '\n';
    });
}

namespace {

/// GET a path of the server on this host. @throw runtime_error unless it answers 200
void check(std::string listen, const std::string& path, const std::optional<client_tls>& tls)
{
    // A server that listens on all addresses is reachable on loopback.
    for (std::string_view any : {"0.0.0.0:", "[::]:"})
        if (listen.starts_with(any))
            listen = "127.0.0.1:" + listen.substr(any.size());
    auto response = http_client(health_timeout).get((tls ? "https://" : "http://") + listen + path, tls);
    if (response.status != 200)
        throw std::runtime_error(response.error.empty()
                                     ? "the server answered " + std::to_string(response.status)
                                     : response.error);
}

/// The last value of a setting, or the default.
std::string value_of(const setting_list& settings, std::string_view wanted, std::string otherwise)
{
    for (auto& [name, value] : settings)
        if (name == wanted)
            otherwise = value;
    return otherwise;
}

constexpr auto default_listen = "127.0.0.1:8080";

bool needs_client_certificate(const setting_list& settings)
{
    return !value_of(settings, "tls_client_ca", {}).empty();
}

/// How LATCHKEY_LISTEN is reached on this host; nothing: over HTTP. Where clients need certificates, that of
/// the server is presented: in a mesh it serves both ends.
std::optional<client_tls> tls_of(const setting_list& settings)
{
    if (value_of(settings, "tls_cert", {}).empty())
        return std::nullopt;
    client_tls out;
    if (needs_client_certificate(settings))
        out = {value_of(settings, "tls_cert", {}), value_of(settings, "tls_key", {})};
    return out;
}

} // namespace

int check_health(const setting_list& settings)
{
    return run_command([&] {
        auto admin = value_of(settings, "admin_listen", {});
        if (!admin.empty() && needs_client_certificate(settings))
            check(admin, "/healthz", std::nullopt);
        else
            check(value_of(settings, "listen", default_listen), "/healthz", tls_of(settings));
        std::cout << "alive\n";
    });
}

int check_readiness(const setting_list& settings)
{
    return run_command([&] {
        auto admin = value_of(settings, "admin_listen", {});
        if (!admin.empty())
            check(admin, "/readyz", std::nullopt);
        else
            check(value_of(settings, "listen", default_listen), "/readyz", tls_of(settings));
        std::cout << "ready\n";
    });
}

int bridge_mcp(const setting_list&)
{
    return run_command([] { run_mcp_bridge(read_bridge_settings(), std::cin, std::cout); });
}

int disable_user(const config& settings, const std::string& email)
{
    return change_user(settings, "disabled", [&](db::invalidation_bus& changes, db::pool& db) {
        return db::users::disable(db::transaction(changes, db), schemas::normalize_email(email),
                                  operator_event("user.disable"), &crypto::make_uuid_v7);
    });
}

int restore_user(const config& settings, const std::string& email)
{
    return change_user(settings, "restored", [&](db::invalidation_bus& changes, db::pool& db) {
        return db::users::restore(db::transaction(changes, db), schemas::normalize_email(email),
                                  operator_event("user.restore"), &crypto::make_uuid_v7);
    });
}

} // namespace server
