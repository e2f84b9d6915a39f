#include "server/http/core.hpp"

#include "crypto/random.hpp"
#include "db/postgres/primary_watch.hpp"
#include "db/postgres/spawn.hpp"
#include "handlers/routes.hpp"
#include "server/http/connection.hpp"
#include "server/log.hpp"
#include "server/short_slices.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <sys/socket.h>

#include <pthread.h>
#include <stdexcept>
#include <utility>

namespace server {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

db::pipeline::config pipeline_settings(const config& settings)
{
    auto out = database_settings(settings);
    out.on_event = [](std::string_view event, std::string_view detail) {
        auto level = event == "connected" ? log_level::debug : log_level::warning;
        log_line(level, "database connection").add("state", event).add("detail", detail);
    };
    return out;
}

/// Credential lookups are by key: a plan change to a sequential scan would slow down every request.
db::pipeline::config lookup_settings(const config& settings)
{
    auto out = pipeline_settings(settings);
    out.prefer_index_scans = true;
    return out;
}

db::principals::config cache_settings(const config& settings, const db::lease& lease)
{
    db::principals::config out;
    out.session_max_age = settings.handlers.session_max_age;
    out.lease = &lease;
    auto database = pipeline_settings(settings);
    out.needs_lease = database.prepare && db::has_several_hosts(database.conninfo);
    out.cache_bytes = settings.cache_bytes / settings.threads;
    out.negative_cache_bytes = out.cache_bytes / 16;
    return out;
}

/// What this process opens besides the connections of clients, and some for those of operators.
std::size_t reserved_descriptors(const config& settings)
{
    constexpr std::size_t others = 40;
    auto of_core = settings.database_connections + 1;
    if (oidc_provider_settings(settings))
        of_core += handlers::https_client::config().max_calls;
    return settings.threads * of_core + settings.smtp_connections + others;
}

/// @return why the connection could not be started, or nothing
std::string try_start(connection_registry& into, tcp_socket socket)
{
    try {
        start_connection(into, std::move(socket));
        return {};
    } catch (const std::exception& e) { // no memory
        return e.what();
    }
}

/// @throw std::runtime_error with the address
tcp_acceptor listen_at(asio::io_context& io, const tcp::endpoint& address, bool reuse_port)
{
    tcp_acceptor out(io.get_executor());
    try {
        out.open(address.protocol());
        out.set_option(tcp::acceptor::reuse_address(true));
        if (reuse_port)
            out.set_option(asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>(true));
        out.bind(address);
        out.listen(4096);
    } catch (const boost::system::system_error& e) {
        throw std::runtime_error("cannot listen at " + text_of(address) + ": " + e.code().message());
    }
    return out;
}

} // namespace

std::string text_of(const tcp::endpoint& address)
{
    return address.address().to_string() + ":" + std::to_string(address.port());
}

core::core(shared_state& shared, std::size_t number, const tcp::endpoint& listen,
           const std::optional<tcp::endpoint>& admin_listen, std::shared_ptr<const crypto::jwt_keys> keys)
    : shared_(shared), number_(number), registry_(context_, shared.routes, shared.settings),
      admin_registry_(context_, shared.admin_routes, shared.settings),
      db_(io_, pipeline_settings(shared.settings), shared.settings.database_connections),
      lookups_(io_, lookup_settings(shared.settings), 1),
      principals_(io_, lookups_, cache_settings(shared.settings, shared.lease)),
      registration_(shared.changes.register_core(io_, principals_)), last_used_(io_, db_),
      refusals_(io_, db_), quotas_(io_, lookups_, shared.limiter),
      context_{shared.settings.handlers,
               shared.permissions,
               shared.limiter,
               *shared.hash_pool,
               shared.sealer,
               shared.changes,
               db_,
               principals_,
               last_used_,
               refusals_,
               crypto::api_key_digester(shared.settings.keys.derive(crypto::purpose::api_key_digest)),
               crypto::siphash(crypto::random_bytes<crypto::siphash::key_size>()),
               crypto::hmac_sha256(shared.settings.keys.derive(crypto::purpose::refresh_token)),
               crypto::token_signer(shared.settings.keys.derive(crypto::purpose::cursor)),
               crypto::token_signer(shared.settings.keys.derive(crypto::purpose::unsubscription)),
               std::move(keys)},
      acceptor_(listen_at(io_, listen, true))
{
    if (admin_listen)
        admin_acceptor_.emplace(listen_at(io_, *admin_listen, true));
    registry_.metrics = admin_registry_.metrics = &shared.metrics.requests(number);
    registry_.limiter = &shared.connections;
    registry_.tls = shared.tls;
    registry_.expects_proxy_header = shared.settings.proxy_protocol;
    context_.quotas = &quotas_;
    context_.metrics = &shared.metrics;
    context_.openapi = &shared.openapi;
    context_.routes = handlers::all_routes();
    if (auto provider = oidc_provider_settings(shared.settings)) {
        https_.emplace(io_.get_executor(), handlers::https_client::config());
        provider_.emplace(io_.get_executor(), *https_, std::move(*provider));
        context_.oidc = &*provider_;
    }
}

core::~core() = default;

void core::run()
{
    auto name = "core-" + std::to_string(number_);
    pthread_setname_np(pthread_self(), name.c_str());
    request_short_slices();
    // Operators can use half of the reserve.
    auto reserved = reserved_descriptors(shared_.settings);
    db::spawn(io_.get_executor(), accept(&acceptor_, &registry_, descriptor_reserve(reserved)));
    if (admin_acceptor_)
        db::spawn(io_.get_executor(),
                  accept(&*admin_acceptor_, &admin_registry_, descriptor_reserve(reserved / 2)));
    db::spawn(io_.get_executor(), sweep());
    io_.run();
}

handlers::awaitable<void> core::accept(tcp_acceptor* from, connection_registry* into,
                                       descriptor_reserve reserve)
{
    db::steady_timer timer(io_.get_executor());
    bool is_near_reserve = false, is_short = false;
    while (from->is_open()) {
        std::string shortage;
        error_code error;
        if (is_near_reserve && reserve.is_reached(from->native_handle())) {
            shortage = "too few file descriptors";
        } else {
            auto socket = co_await from->async_accept(asio::redirect_error(db::use_awaitable, error));
            if (!error) {
                is_near_reserve = reserve.is_near(socket.native_handle());
                shortage = try_start(*into, std::move(socket));
            } else if (from->is_open() && !is_error_of_one_client(error)) {
                shortage = error.message();
            }
        }
        if (shortage.empty()) {
            is_short = false;
            continue;
        }
        // New clients wait in the kernel's backlog; closing idle connections makes room for them.
        if (!std::exchange(is_short, true))
            log_line(log_level::warning, "accepting connections paused").add("cause", shortage);
        into->close_idle();
        timer.expires_after(connection_registry::tick_length);
        co_await timer.async_wait(asio::redirect_error(db::use_awaitable, error));
    }
}

handlers::awaitable<void> core::sweep()
{
    db::steady_timer timer(io_.get_executor());
    for (;;) {
        error_code error;
        timer.expires_after(connection_registry::tick_length);
        co_await timer.async_wait(asio::redirect_error(db::use_awaitable, error));
        registry_.sweep();
        admin_registry_.sweep();
        shared_.metrics.publish(number_, state());
    }
}

handlers::core_state core::state() const
{
    handlers::core_state out;
    out.credentials = principals_.count();
    out.connections = registry_.connections.size() + admin_registry_.connections.size();
    out.connections_parked = registry_.parked + admin_registry_.parked;
    out.connections_refused = registry_.connections_refused;
    out.handshakes = registry_.handshakes;
    out.body_bytes = registry_.body_memory + admin_registry_.body_memory;
    out.bodies_evicted = registry_.bodies_evicted + admin_registry_.bodies_evicted;
    out.requests_in_flight = registry_.requests_in_flight + admin_registry_.requests_in_flight;
    out.request_batches = db_.in_flight();
    out.credential_batches = lookups_.in_flight();
    out.database_connections = db_.connections() + lookups_.connections();
    out.database_connections_opened = db_.connections_made() + lookups_.connections_made();
    out.database_retries = db_.retries() + lookups_.retries();
    return out;
}

/// Serve the connections that the kernel has accepted already: closing the listener would reset them.
void core::accept_backlog()
{
    error_code error;
    acceptor_.non_blocking(true, error);
    for (;;) {
        tcp_socket socket(io_.get_executor());
        acceptor_.accept(socket, error);
        if (error && is_error_of_one_client(error))
            continue;
        if (error)
            break;
        auto shortage = try_start(registry_, std::move(socket));
        if (!shortage.empty())
            log_line(log_level::warning, "connection not started").add("cause", shortage);
    }
}

handlers::awaitable<void> core::drain_and_stop()
{
    constexpr std::chrono::milliseconds poll_interval{50};
    context_.draining = true;
    db::steady_timer timer(io_.get_executor());
    error_code error;

    // Keep accepting until the load balancers have seen that the server is not ready. Each connection is
    // closed after its next response.
    timer.expires_after(shared_.settings.limits.drain_delay);
    co_await timer.async_wait(asio::redirect_error(db::use_awaitable, error));
    registry_.close_idle();

    // Wait for the requests in flight. Meanwhile new connections are answered, each with one response, so
    // that health checks see 503 and no client is refused needlessly.
    auto polls_left = shared_.settings.limits.drain / poll_interval; // for both waits together
    for (; polls_left > 0 && registry_.requests_in_flight > 0; --polls_left) {
        timer.expires_after(poll_interval);
        co_await timer.async_wait(asio::redirect_error(db::use_awaitable, error));
        registry_.close_idle();
    }

    // Stop listening, and wait for the connections to end.
    accept_backlog();
    acceptor_.close(error);
    for (; polls_left > 0 && !registry_.connections.empty(); --polls_left) {
        timer.expires_after(poll_interval);
        co_await timer.async_wait(asio::redirect_error(db::use_awaitable, error));
        registry_.close_idle();
    }
    registry_.close_all();

    // The listener for operators is the last to close: it has shown the state of the drain until here.
    if (admin_acceptor_)
        admin_acceptor_->close(error);
    admin_registry_.close_all();

    // Write the buffered last-used times and refusals, and leave the database and the invalidation bus.
    try {
        co_await last_used_.close();
        co_await refusals_.close();
    } catch (const std::exception& e) {
        log_line(log_level::warning, "last write of buffered records failed").add("cause", e.what());
    }
    co_await db_.close();
    co_await lookups_.close();
    leave_bus();
    io_.stop();
}

void core::drain()
{
    asio::post(io_, [this] { db::spawn(io_.get_executor(), drain_and_stop()); });
}

void core::stop()
{
    io_.stop();
}

void core::leave_bus()
{
    registration_ = {};
}

void core::replace_keys(std::shared_ptr<const crypto::jwt_keys> keys)
{
    asio::post(io_, [this, keys = std::move(keys)]() mutable { context_.jwt = std::move(keys); });
}

void core::replace_tls(std::shared_ptr<const tls_context> tls)
{
    asio::post(io_, [this, tls = std::move(tls)]() mutable { registry_.tls = std::move(tls); });
}

void check_address_free(const tcp::endpoint& address)
{
    asio::io_context io;
    listen_at(io, address, false);
}

} // namespace server
