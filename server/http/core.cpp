#include "server/http/core.hpp"

#include "handlers/openapi/document.hpp"
#include "handlers/routes.hpp"
#include "server/provider.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/json/serialize.hpp>

#include <sys/socket.h>

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
        log_line(level, "database").add("what", event).add("detail", detail);
    };
    return out;
}

/// Look-ups find rows by their keys, and a change of plans would be felt by every request.
db::pipeline::config lookup_settings(const config& settings)
{
    auto out = pipeline_settings(settings);
    out.by_index_alone = true;
    return out;
}

db::principals::config cache_settings(const config& settings, const db::lease& lease)
{
    db::principals::config out;
    out.trust = &lease;
    out.cache_bytes = settings.cache_bytes / settings.threads;
    out.absent_bytes = out.cache_bytes / 16;
    return out;
}

crypto::hashers::config hasher_settings(const config& settings)
{
    return {.threads = settings.threads,
            .queue_limit = settings.hash_queue,
            .costs = settings.handlers.password_costs,
            .engine = settings.argon2};
}

tcp_acceptor listen_at(asio::io_context& io, const tcp::endpoint& address, bool shared)
{
    tcp_acceptor out(io.get_executor());
    out.open(address.protocol());
    out.set_option(tcp::acceptor::reuse_address(true));
    if (shared)
        out.set_option(asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>(true));
    out.bind(address);
    out.listen(4096);
    return out;
}

} // namespace

common::common(const config& all)
    : settings(all), permissions(all.handlers.extra_resources),
      hashers(std::make_unique<crypto::hashers>(hasher_settings(all))),
      sealer(all.keys.derive(crypto::purpose::seal)), metrics(all.threads, lease, hashers.get()),
      routes(handlers::all_routes()),
      openapi(boost::json::serialize(handlers::describe_api(all.handlers.public_url, LATCHKEY_VERSION)))
{}

core::core(common& all, std::size_t number, const tcp::endpoint& listen,
           std::shared_ptr<const crypto::jwt_keys> keys)
    : all_(all), number_(number), host_(context_, all.routes, all.settings),
      db_(io_, pipeline_settings(all.settings), all.settings.database_connections),
      lookups_(io_, lookup_settings(all.settings), 1),
      principals_(io_, lookups_, cache_settings(all.settings, all.lease)),
      enrolment_(all.changes.enrol(io_, principals_)), usage_(io_, db_),
      context_{all.settings.handlers,
               all.permissions,
               all.limiter,
               *all.hashers,
               all.sealer,
               all.changes,
               db_,
               principals_,
               usage_,
               crypto::api_key_digester(all.settings.keys.derive(crypto::purpose::api_key_digest)),
               crypto::hmac_sha256(all.settings.keys.derive(crypto::purpose::refresh_token)),
               crypto::token_signer(all.settings.keys.derive(crypto::purpose::cursor)),
               crypto::token_signer(all.settings.keys.derive(crypto::purpose::unsubscription)),
               std::move(keys)},
      acceptor_(listen_at(io_, listen, true)), clock_(io_.get_executor())
{
    host_.counts = &all.metrics.requests(number);
    context_.metrics = &all.metrics;
    context_.openapi = &all.openapi;
    if (auto provider = provider_settings(all.settings)) {
        web_.emplace(io_.get_executor(), handlers::https_client::config());
        provider_.emplace(io_.get_executor(), *web_, std::move(*provider));
        context_.oidc = &*provider_;
    }
}

core::~core() = default;

void core::run()
{
    asio::co_spawn(io_, accept(), asio::detached);
    asio::co_spawn(io_, sweep(), asio::detached);
    io_.run();
}

void core::take(tcp_socket socket)
{
    serve(host_, std::move(socket));
}

handlers::awaitable<void> core::accept()
{
    while (acceptor_.is_open()) {
        error_code error;
        auto socket = co_await acceptor_.async_accept(asio::redirect_error(db::use_awaitable, error));
        if (!error) {
            take(std::move(socket));
        } else if (error == asio::error::no_descriptors) {
            // Out of descriptors: those waiting stay in the kernel's queue until some come free.
            log_line(log_level::warning, "too many connections").add("cause", error.message());
            clock_.expires_after(session_host::tick_length);
            co_await clock_.async_wait(asio::redirect_error(db::use_awaitable, error));
        }
    }
}

handlers::awaitable<void> core::sweep()
{
    decltype(clock_) timer(io_.get_executor());
    for (;;) {
        error_code error;
        timer.expires_after(session_host::tick_length);
        co_await timer.async_wait(asio::redirect_error(db::use_awaitable, error));
        host_.sweep();
        all_.metrics.publish(number_, state());
    }
}

handlers::core_state core::state() const
{
    handlers::core_state out;
    out.credentials = principals_.count();
    out.connections = host_.sessions.size();
    out.at_work = host_.at_work;
    out.statements = db_.in_flight();
    out.lookups = lookups_.in_flight();
    out.database_up = db_.connections() + lookups_.connections();
    out.database_opened = db_.connections_made() + lookups_.connections_made();
    return out;
}

/** Draining, from the signal to the end. While requests are under way new connections are still answered, so
    that a health check hears 503 and nobody is turned away for nothing; each is closed after one reply. */
handlers::awaitable<void> core::finish()
{
    context_.draining = true;
    host_.close_idle();
    decltype(clock_) timer(io_.get_executor());
    auto turns = all_.settings.limits.drain / std::chrono::milliseconds(50); // for all of it
    error_code error;
    for (; turns > 0 && host_.at_work > 0; --turns) {
        timer.expires_after(std::chrono::milliseconds(50));
        co_await timer.async_wait(asio::redirect_error(db::use_awaitable, error));
        host_.close_idle();
    }

    // What the kernel has accepted for us already is served, not reset.
    acceptor_.non_blocking(true, error);
    for (;;) {
        tcp_socket waiting(io_.get_executor());
        acceptor_.accept(waiting, error);
        if (error)
            break;
        take(std::move(waiting));
    }
    acceptor_.close(error);
    for (; turns > 0 && !host_.sessions.empty(); --turns) {
        timer.expires_after(std::chrono::milliseconds(50));
        co_await timer.async_wait(asio::redirect_error(db::use_awaitable, error));
        host_.close_idle();
    }
    host_.close_all();
    try {
        co_await usage_.close();
    } catch (const db::failure& e) {
        log_line(log_level::warning, "usage not written").add("cause", e.what());
    }
    co_await db_.close();
    co_await lookups_.close();
    enrolment_ = {}; // whoever changes something from now on need not wait for this core
    io_.stop();
}

void core::drain()
{
    asio::post(io_, [this] { asio::co_spawn(io_, finish(), asio::detached); });
}

void core::stop()
{
    io_.stop();
}

void core::replace_keys(std::shared_ptr<const crypto::jwt_keys> keys)
{
    asio::post(io_, [this, keys = std::move(keys)]() mutable { context_.jwt = std::move(keys); });
}

void check_free(const tcp::endpoint& address)
{
    asio::io_context io;
    listen_at(io, address, false);
}

} // namespace server
