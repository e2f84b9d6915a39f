#include "server/cli/commands.hpp"

#include "crypto/argon2/argon2.hpp"
#include "crypto/random.hpp"
#include "db/migrations/migrations.hpp"
#include "db/postgres/row_security.hpp"
#include "db/principals/node.hpp"
#include "db/tables/outbox.hpp"
#include "db/tables/users.hpp"
#include "handlers/openapi/document.hpp"
#include "schemas/engine/types.hpp"
#include "server/cli/http_client.hpp"
#include "server/cli/mcp_bridge.hpp"
#include "server/http/core.hpp"
#include "server/jobs/maintenance.hpp"
#include "server/jobs/process_stats.hpp"
#include "server/jobs/signing_keys.hpp"
#include "server/mail/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json/serialize.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <sys/resource.h>

#include <atomic>
#include <deque>
#include <exception>
#include <iostream>
#include <optional>
#include <thread>

namespace server {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds renew_keys_every{30};
constexpr std::chrono::seconds look_every{5};
constexpr long health_limit = 3; // seconds

/** Run one coroutine to its end on an io_context of its own. */
template <class F>
auto run_alone(asio::io_context& io, F work)
{
    using outcome = typename decltype(work())::value_type;
    std::optional<outcome> result;
    std::exception_ptr error;
    asio::co_spawn(io, work(), [&](std::exception_ptr e, outcome value) {
        error = e;
        result = std::move(value);
        io.stop();
    });
    io.restart();
    io.run();
    if (error)
        std::rethrow_exception(error);
    return std::move(*result);
}

void bring_up_to_date(const config& settings)
{
    for (auto& name : db::migrate(settings.database_url).applied)
        log_line(log_level::info, "migrated").add("migration", name);
}

/** As many descriptors as the system lets us have: each connection is one. */
void raise_descriptor_limit()
{
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

db::node::config node_settings(const config& settings)
{
    db::node::config out;
    out.connection = database_settings(settings);
    return out;
}

/** The main thread's part while the cores serve: signals, and the renewal of the signing keys. */
class conductor {
public:
    conductor(common& all, std::deque<core>& cores)
        : all_(all), cores_(cores), db_(io_, database_settings(all.settings), 1),
          signals_(io_, SIGINT, SIGTERM), timer_(io_.get_executor()),
          node_(io_, db_, all.changes, all.lease, node_settings(all.settings)),
          upkeep_(io_.get_executor(), db_, all.sealer, all.settings)
    {
        node_.on_census = [&all](std::size_t nodes) {
            all.limiter.share_among(nodes);
            all.metrics.publish_nodes(nodes);
        };
    }

    auto load()
    {
        return run_alone(io_, [this] { return load_keys(db_, all_.sealer, algorithm()); });
    }

    /** Say so if nothing but the conditions of the statements keeps workspaces apart. */
    void look_for_wall()
    {
        if (!run_alone(io_, [this] { return db::wall_stands(db_); }))
            log_line(log_level::warning, "no row security between workspaces")
                .add("remedy", db::how_to_raise_wall);
    }

    /** Until the first signal has been passed on; a second one ends the cores at once. */
    void run()
    {
        io_.restart();
        wait_for_signal();
        asio::co_spawn(io_, renew(), asio::detached);
        asio::co_spawn(io_, upkeep_.run(), asio::detached);
        asio::co_spawn(io_, watch(), asio::detached);
        io_.run();
    }

    /** When no core serves any more. */
    void leave()
    {
        asio::post(io_, [this] { asio::co_spawn(io_, withdraw(), asio::detached); });
    }

private:
    crypto::jwt_algorithm algorithm() const { return all_.settings.handlers.jwt_algorithm; }

    void wait_for_signal()
    {
        signals_.async_wait([this](boost::system::error_code error, int number) {
            if (error)
                return;
            log_line(log_level::info, draining_ ? "stopping" : "draining").add("signal", number);
            for (auto& one : cores_)
                draining_ ? one.stop() : one.drain();
            draining_ = true;
            wait_for_signal();
        });
    }

    db::awaitable<void> withdraw()
    {
        try {
            co_await node_.leave();
        } catch (const db::failure& e) {
            log_line(log_level::warning, "still listed among the nodes").add("cause", e.what());
        }
        io_.stop();
    }

    db::awaitable<void> renew()
    {
        for (;;) {
            boost::system::error_code ignored;
            timer_.expires_after(renew_keys_every);
            co_await timer_.async_wait(asio::redirect_error(db::use_awaitable, ignored));
            try {
                auto keys = co_await load_keys(db_, all_.sealer, algorithm());
                for (auto& one : cores_)
                    one.replace_keys(keys);
            } catch (const std::exception& e) {
                log_line(log_level::warning, "signing keys not renewed").add("cause", e.what());
            }
        }
    }

    /** Tell the board what is not a core's own. */
    db::awaitable<void> watch()
    {
        db::steady_timer pause(io_.get_executor());
        for (;;) {
            all_.metrics.publish(read_process_state());
            try {
                auto mail = co_await db::outbox::count(db_);
                all_.metrics.publish(handlers::mail_state{mail.waiting, mail.given_up, mail.oldest_seconds});
            } catch (const std::exception&) {
                // The database is away, which others tell of.
            }
            boost::system::error_code ignored;
            pause.expires_after(look_every);
            co_await pause.async_wait(asio::redirect_error(db::use_awaitable, ignored));
        }
    }

    common& all_;
    std::deque<core>& cores_;
    asio::io_context io_{1};
    db::pool db_;
    asio::signal_set signals_;
    db::steady_timer timer_;
    db::node node_; // this process among others
    upkeep upkeep_;
    bool draining_ = false;
};

void serve_until_drained(const config& settings)
{
    raise_descriptor_limit();
    check_free(settings.listen);
    if (settings.migrate)
        bring_up_to_date(settings);

    common all(settings);
    std::deque<core> cores;
    conductor main_thread(all, cores);
    auto keys = main_thread.load();
    main_thread.look_for_wall();
    if (!settings.prepared_statements)
        log_line(log_level::info, "nothing is remembered")
            .add("cause",
                 "behind a pooler no server hears what others change, so every credential is looked up");

    auto listen = settings.listen;
    for (unsigned i = 0; i < settings.threads; ++i) {
        cores.emplace_back(all, i, listen, keys);
        listen =
            cores.back().local_endpoint(); // port 0 was any for the first, and is the same for the others
    }
    log_line(log_level::info, "listening")
        .add("address", listen.address().to_string() + ":" + std::to_string(listen.port()))
        .add("threads", settings.threads)
        .add("argon2", settings.argon2 == crypto::argon2_engine::own ? name_of(crypto::best_argon2_kernel())
                                                                     : "libargon2");

    std::optional<mailer> mail(std::in_place, settings);
    std::deque<std::thread> threads;
    std::atomic<std::size_t> serving{cores.size()};
    for (auto& one : cores)
        threads.emplace_back([&] {
            one.run();
            if (--serving == 0)
                main_thread.leave();
        });
    main_thread.run();
    for (auto& thread : threads)
        thread.join();
    mail.reset();
    all.hashers.reset(); // who still waits for a hash is on a core that no longer runs
    log_line(log_level::info, "stopped");
}

/** Run `work`; what it throws is one line on standard error. */
template <class F>
int report(F work)
{
    try {
        work();
        return 0;
    } catch (const std::exception& e) {
        std::string line = "latchkey: ";
        for (const char* c = e.what(); *c; ++c)
            line.push_back(*c == '\n' ? ' ' : *c);
        std::cerr << line << std::endl;
        return 1;
    }
}

} // namespace

int serve(const config& settings)
{
    return report([&] {
        try {
            serve_until_drained(settings);
        } catch (const boost::system::system_error& e) {
            throw std::runtime_error("cannot listen at " + settings.listen.address().to_string() + ":" +
                                     std::to_string(settings.listen.port()) + ": " + e.code().message());
        }
    });
}

int migrate(const config& settings)
{
    return report([&] {
        auto done = db::migrate(settings.database_url);
        for (auto& name : done.applied)
            std::cout << "applied " << name << '\n';
        std::cout << (done.applied.empty() ? "nothing to do\n" : "up to date\n");
        if (!done.walled)
            std::cout << "no row security between workspaces; " << db::how_to_raise_wall << '\n';
    });
}

int rotate_signing_keys(const config& settings)
{
    return report([&] {
        asio::io_context io{1};
        db::pool db(io, database_settings(settings), 1);
        crypto::sealer sealer(settings.keys.derive(crypto::purpose::seal));
        auto kid = run_alone(io, [&] { return rotate_keys(db, sealer, settings); });
        std::cout << kid << '\n';
    });
}

namespace {

/** An event of whoever runs the command. */
db::audit::entry event_of_operator(std::string_view action)
{
    db::audit::entry out;
    out.action = action;
    out.user_agent = "latchkey";
    return out;
}

/** Change an account on a connection of the command's own. */
template <class Change>
int change_user(const config& settings, std::string_view done, Change how)
{
    return report([&] {
        asio::io_context io{1};
        db::pool db(io, database_settings(settings), 1);
        db::principal_changes changes;
        db::lease unused;
        auto others = node_settings(settings);
        others.remembers = false;
        db::node self(io, db, changes, unused, others);
        auto user = run_alone(io, [&] { return how(changes, db); });
        if (!user)
            throw std::runtime_error("no such account");
        std::cout << done << ' ' << *user << '\n';
    });
}

} // namespace

int print_openapi(const settings_text& settings)
{
    return report([&] {
        std::string url = "http://127.0.0.1:8080";
        for (auto& [name, value] : settings)
            if (name == "public_url")
                url = value;
        std::cout << handlers::describe_api(url, LATCHKEY_VERSION) << '\n';
    });
}

int check_health(const settings_text& settings)
{
    return report([&] {
        std::string listen = "127.0.0.1:8080";
        for (auto& [name, value] : settings)
            if (name == "listen")
                listen = value;
        // Who listens at all addresses listens at this one.
        for (std::string_view all : {"0.0.0.0:", "[::]:"})
            if (listen.starts_with(all))
                listen = "127.0.0.1:" + listen.substr(all.size());
        auto answer = http_client(health_limit).get("http://" + listen + "/readyz");
        if (answer.status != 200)
            throw std::runtime_error(answer.fault.empty() ? "it answers " + std::to_string(answer.status)
                                                          : answer.fault);
        std::cout << "ready\n";
    });
}

int bridge_mcp(const settings_text&)
{
    return report([] { carry_messages(read_bridge_settings(), std::cin, std::cout); });
}

int disable_user(const config& settings, const std::string& email)
{
    return change_user(settings, "disabled", [&](db::principal_changes& changes, db::pool& db) {
        return db::users::disable(changes, db, schemas::normalize_email(email),
                                  event_of_operator("user.disable"), &crypto::make_uuid_v7);
    });
}

int restore_user(const config& settings, const std::string& email)
{
    return change_user(settings, "restored", [&](db::principal_changes& changes, db::pool& db) {
        return db::users::restore(changes, db, schemas::normalize_email(email),
                                  event_of_operator("user.restore"), &crypto::make_uuid_v7);
    });
}

} // namespace server
