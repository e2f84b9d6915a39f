// Core: one thread's io_context with its own listener, connections, database pipelines and credential cache.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/invalidation_bus.hpp"
#include "db/principals/last_used.hpp"
#include "db/principals/principals.hpp"
#include "db/tables/refusals.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/quota_client.hpp"
#include "handlers/metrics/registry.hpp"
#include "handlers/oidc/https_client.hpp"
#include "handlers/oidc/provider.hpp"
#include "server/http/connection_registry.hpp"
#include "server/http/descriptors.hpp"
#include "server/shared_state.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <optional>
#include <string>

namespace server {

/** One core of the server: shares nothing with the others, so it needs no locks. Created and destroyed on the
    main thread, used on its own thread; stop(), replace_keys(), replace_tls() and drain() may be called from
   any. */
class core {
public:
    /** @param number index among the cores, from 0
        @param listen address of the listener. Each core has its own (SO_REUSEPORT), among which the kernel
        distributes the connections
        @param admin_listen address of the listener for operators; one core has it
        @throw std::runtime_error if an address cannot be bound */
    core(shared_state& shared, std::size_t number, const boost::asio::ip::tcp::endpoint& listen,
         const std::optional<boost::asio::ip::tcp::endpoint>& admin_listen,
         std::shared_ptr<const crypto::jwt_keys> keys);
    ~core();

    boost::asio::ip::tcp::endpoint local_endpoint() const { return acceptor_.local_endpoint(); }

    /// Of the listener for operators, which must exist.
    boost::asio::ip::tcp::endpoint admin_endpoint() const { return admin_acceptor_->local_endpoint(); }

    /// Serve until drained or stopped. Blocks its thread.
    void run();

    /** Report the server as not ready and keep accepting for the drain delay; then finish the requests in
        flight and let run() return, after the drain limit at the latest. */
    void drain();

    /// Let run() return at once.
    void stop();

    /// Invalidations no longer wait for this core. On its thread, or once that has ended.
    void leave_bus();

    /// Sign and verify JWTs with other keys from now on.
    void replace_keys(std::shared_ptr<const crypto::jwt_keys> keys);

    /// Use another certificate for new connections from now on.
    void replace_tls(std::shared_ptr<const tls_context> tls);

private:
    handlers::awaitable<void> accept(tcp_acceptor* from, connection_registry* into,
                                     descriptor_reserve reserve);
    void accept_backlog();
    handlers::awaitable<void> sweep();
    handlers::core_state state() const;
    handlers::awaitable<void> drain_and_stop();

    shared_state& shared_;
    std::size_t number_;
    /// Before io_: its coroutines hold the connections that are linked into the registry.
    connection_registry registry_;
    connection_registry admin_registry_;
    /// One thread, on which all its sockets and timers are used: only its queue needs a lock.
    boost::asio::io_context io_{BOOST_ASIO_CONCURRENCY_HINT_UNSAFE_IO};
    db::pool db_;
    db::pool lookups_;
    db::principals principals_;
    db::invalidation_bus::registration registration_;
    db::last_used_writer last_used_;
    db::audit::refusal_writer refusals_;
    handlers::quota_client quotas_;
    std::optional<handlers::https_client> https_;
    std::optional<handlers::oidc_provider> provider_;
    handlers::context context_;
    tcp_acceptor acceptor_;
    std::optional<tcp_acceptor> admin_acceptor_;
};

/** Check that no process listens at `address`: with SO_REUSEPORT, a second server would silently receive half
    of the first one's connections.
    @throw std::runtime_error address in use, or not of this host */
void check_address_free(const boost::asio::ip::tcp::endpoint& address);

/// `address:port`, for the log.
std::string text_of(const boost::asio::ip::tcp::endpoint& address);

} // namespace server
