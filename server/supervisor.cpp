#include "server/supervisor.hpp"

#include "crypto/argon2/argon2.hpp"
#include "db/postgres/row_security.hpp"
#include "db/postgres/spawn.hpp"
#include "db/tables/outbox.hpp"
#include "schemas/engine/time_zones.hpp"
#include "server/block_on.hpp"
#include "server/http/core.hpp"
#include "server/jobs/maintenance.hpp"
#include "server/jobs/node_thread.hpp"
#include "server/jobs/password_costs.hpp"
#include "server/jobs/process_stats.hpp"
#include "server/jobs/signing_keys.hpp"
#include "server/log.hpp"
#include "server/log_writer.hpp"
#include "server/mail/worker.hpp"
#include "server/schema_migration.hpp"
#include "server/shared_state.hpp"
#include "server/tls/certificate_files.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <exception>
#include <optional>
#include <string>
#include <thread>

namespace server {

namespace asio = boost::asio;

namespace {

constexpr std::chrono::seconds refresh_interval{30};
constexpr std::chrono::seconds outbox_interval{5};

/// A node behind a pooler does not know the others. Rate limits hold for up to this number; for more, a
/// client that spreads over all of them may have a little more.
constexpr std::size_t nodes_behind_a_pooler = 16;

void run_migrations(const config& settings)
{
    auto done = migrate_schema(settings.database_url);
    for (auto& name : done.applied)
        log_line(log_level::info, "migration applied").add("migration", name);
    for (auto& [kept, released] : done.address_collisions)
        log_line(log_level::warning, "two accounts had the same email address: one has released it")
            .add("kept_by", kept)
            .add("released_by", released);
}

/// Raise the file descriptor limit to its maximum: each connection takes one.
void raise_descriptor_limit()
{
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/** The work of the main thread while the cores serve: signals, refresh of the signing keys, maintenance and
    the state of the outbox. */
class supervisor {
public:
    supervisor(shared_state& shared, std::deque<core>& cores)
        : shared_(shared), cores_(cores), db_(io_, database_settings(shared.settings), 1),
          signals_(io_, SIGINT, SIGTERM), hangups_(io_), node_(shared),
          maintenance_(io_.get_executor(), db_, shared.sealer, shared.settings)
    {
        if (!shared.settings.prepared_statements)
            shared.limiter.share_among(nodes_behind_a_pooler);
    }

    // The cores leave the bus before the node ends: a core that stops in the middle of an eviction completes
    // it on the thread of the node, and requests that wait for the node hold frames of a core.
    ~supervisor()
    {
        for (auto& each : cores_)
            each.leave_bus();
    }
    supervisor(const supervisor&) = delete;
    supervisor& operator=(const supervisor&) = delete;

    /// Read the certificate again on SIGHUP and when it changes, and pass it to the cores.
    void watch_certificate(certificate_files files)
    {
        shared_.metrics.publish_certificate(files.current()->expires_at());
        auto pass_on = [this](const std::shared_ptr<const tls_context>& next) {
            shared_.metrics.publish_certificate(next->expires_at());
            for (auto& core : cores_)
                core.replace_tls(next);
        };
        certificates_.emplace(std::move(files), pass_on);
        hangups_.add(SIGHUP);
        wait_for_hangup();
    }

    auto load_signing_keys()
    {
        return block_on(io_, [this] { return load_keys(db_, shared_.sealer, algorithm()); });
    }

    /// Make the budgets of this configuration those of the installation.
    void store_mail_budgets()
    {
        auto store = [this] { return db::mail_budgets::store(db_, shared_.settings.mail_budgets); };
        if (block_on(io_, store))
            log_line(log_level::info, "mail budgets changed");
    }

    void imitate_stored_hashes()
    {
        block_on(io_, [this] { return adopt_common_password_costs(db_, *shared_.hash_pool); });
    }

    /// Log a warning if only the conditions of the statements isolate the workspaces.
    void warn_if_row_security_off()
    {
        if (!block_on(io_, [this] { return db::row_security_enabled(db_); }))
            log_line(log_level::warning, "row-level security disabled")
                .add("remedy", db::how_to_enable_row_security);
    }

    /// Run until the node is deregistered. An exception of a job ends the process.
    void run() noexcept
    {
        io_.restart();
        wait_for_signal();
        db::spawn(io_.get_executor(), refresh_periodically());
        db::spawn(io_.get_executor(), maintenance_.run());
        db::spawn(io_.get_executor(), maintenance_.sweep_tables());
        db::spawn(io_.get_executor(), publish_outbox());
        process_stats_sampler samples_process(shared_.metrics);
        io_.run();
        node_.deregister();
    }

    /// Let run() return. Called on the thread of the last core, once that has stopped.
    void stop()
    {
        asio::post(io_, [this] { io_.stop(); });
    }

private:
    crypto::jwt_algorithm algorithm() const { return shared_.settings.handlers.jwt_algorithm; }

    /// The first signal drains the cores, a second one stops them.
    void wait_for_signal()
    {
        signals_.async_wait([this](boost::system::error_code error, int number) {
            if (error)
                return;
            log_line(log_level::info, is_draining_ ? "stopping" : "draining").add("signal", number);
            for (auto& core : cores_)
                is_draining_ ? core.stop() : core.drain();
            is_draining_ = true;
            wait_for_signal();
        });
    }

    void wait_for_hangup()
    {
        hangups_.async_wait([this](boost::system::error_code error, int) {
            if (error)
                return;
            certificates_->reload();
            wait_for_hangup();
        });
    }

    /// Load periodically what changes without this process: another node may have rotated the signing keys,
    /// and logins renew outdated password hashes.
    db::awaitable<void> refresh_periodically()
    {
        db::steady_timer timer(io_.get_executor());
        for (;;) {
            boost::system::error_code ignored;
            timer.expires_after(refresh_interval);
            co_await timer.async_wait(asio::redirect_error(db::use_awaitable, ignored));
            try {
                auto keys = co_await load_keys(db_, shared_.sealer, algorithm());
                for (auto& core : cores_)
                    core.replace_keys(keys);
                co_await adopt_common_password_costs(db_, *shared_.hash_pool);
            } catch (const std::exception& e) {
                log_line(log_level::warning, "periodic refresh failed").add("cause", e.what());
            }
        }
    }

    /// Publish the state of the outbox.
    db::awaitable<void> publish_outbox()
    {
        db::steady_timer timer(io_.get_executor());
        for (;;) {
            try {
                auto mail = co_await db::outbox::load_stats(db_);
                auto drops = co_await db::mail_budgets::count_drops(db_);
                handlers::mail_state state{mail.pending, mail.failed, mail.oldest_pending_seconds, {}};
                state.drops = std::move(drops);
                shared_.metrics.publish(state);
            } catch (const std::exception&) {
                // The database is unavailable, which the pipelines log.
            }
            boost::system::error_code ignored;
            timer.expires_after(outbox_interval);
            co_await timer.async_wait(asio::redirect_error(db::use_awaitable, ignored));
        }
    }

    shared_state& shared_;
    std::deque<core>& cores_;
    asio::io_context io_{1};
    db::pool db_;
    asio::signal_set signals_, hangups_;
    node_thread node_;
    maintenance maintenance_;
    /// Absent without TLS.
    std::optional<certificate_watcher> certificates_;
    bool is_draining_ = false;
};

void log_start(const config& settings, const core& first)
{
    if (!settings.prepared_statements)
        log_line(log_level::info, "credential cache disabled")
            .add("cause",
                 "behind a pooler a node receives no invalidations, so every credential is looked up "
                 "in the database");
    log_line line(log_level::info, "listening");
    line.add("address", text_of(first.local_endpoint()));
    if (settings.admin_listen)
        line.add("admin_address", text_of(first.admin_endpoint()));
    line.add("threads", settings.threads)
        .add("argon2", settings.argon2 == crypto::argon2_engine::built_in
                           ? name_of(crypto::best_argon2_kernel())
                           : "libargon2");
}

} // namespace

void serve_until_drained(const config& settings)
{
    // Prepare the process and the database. The log comes first and ends last.
    flush_log_on_crash();
    log_writer writes_log;
    schemas::load_time_zones();
    raise_descriptor_limit();
    std::optional<certificate_files> certificates;
    if (settings.tls)
        certificates.emplace(*settings.tls, std::make_shared<ticket_keys>(settings.keys));
    check_address_free(settings.listen);
    if (settings.admin_listen)
        check_address_free(*settings.admin_listen);
    if (settings.migrate)
        run_migrations(settings);

    // Create the main thread's supervisor, then the cores with their listeners.
    shared_state shared(settings, certificates ? certificates->current() : nullptr);
    std::deque<core> cores;
    supervisor main_thread(shared, cores);
    auto keys = main_thread.load_signing_keys();
    main_thread.store_mail_budgets();
    main_thread.imitate_stored_hashes();
    main_thread.warn_if_row_security_off();
    auto listen = settings.listen;
    for (unsigned i = 0; i < settings.threads; ++i) {
        cores.emplace_back(shared, i, listen, i == 0 ? settings.admin_listen : std::nullopt, keys);
        listen = cores.back().local_endpoint(); // port 0: the first core picks a port for all
    }
    if (certificates)
        main_thread.watch_certificate(std::move(*certificates));
    log_start(settings, cores.front());

    // Serve. The last core to stop ends the supervisor.
    std::optional<mail_worker_pool> mail_workers(std::in_place, settings);
    std::deque<std::thread> threads;
    std::atomic<std::size_t> running_cores{cores.size()};
    for (auto& core : cores)
        threads.emplace_back([&] {
            core.run();
            if (--running_cores == 0)
                main_thread.stop();
        });
    main_thread.run();

    // Shut down: the hash pool before the cores, since it completes on their io_contexts.
    for (auto& thread : threads)
        thread.join();
    mail_workers.reset();
    shared.hash_pool.reset();
    log_line(log_level::info, "stopped");
}

} // namespace server
