// One core of the server: a thread's io_context with its own listener, connections and pipelines.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/invalidation.hpp"
#include "db/principals/last_used.hpp"
#include "db/principals/lease.hpp"
#include "db/principals/principals.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/router.hpp"
#include "handlers/metrics/registry.hpp"
#include "handlers/oidc/https_client.hpp"
#include "handlers/oidc/provider.hpp"
#include "server/config.hpp"
#include "server/http/connection.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <string>

namespace server {

/** What all cores use. Made before them, destroyed after them; safe for all threads. */
struct common {
    explicit common(const config& settings);

    const config& settings;
    handlers::permission_table permissions;
    handlers::rate_limiter limiter;
    std::unique_ptr<crypto::hashers> hashers; // to be stopped before the cores that wait for it are destroyed
    crypto::sealer sealer;
    db::lease lease; ///< of this process, kept by its node
    db::principal_changes changes;
    handlers::metrics_board metrics;
    handlers::router routes;
    std::string openapi; ///< the document, as JSON
};

/** One core. Nothing in it is shared with another, so nothing in it locks. Made and destroyed on the main
    thread, used on its own; stop(), replace_keys() and drain() may be called from any. */
class core {
public:
    /** @param number among the cores, from 0 on
        @param listen where to listen; SO_REUSEPORT lets every core have a listener of its own, among which
        the kernel spreads the connections
        @throw boost::system::system_error if the address cannot be had */
    core(common& all, std::size_t number, const boost::asio::ip::tcp::endpoint& listen,
         std::shared_ptr<const crypto::jwt_keys> keys);
    ~core();

    boost::asio::ip::tcp::endpoint local_endpoint() const { return acceptor_.local_endpoint(); }

    /** Serve until drained or stopped. Blocks: the thread's whole life. */
    void run();

    /** Take no more work than what is under way; run() returns when that has ended, at the latest after the
        drain limit. */
    void drain();

    /** End at once. */
    void stop();

    void replace_keys(std::shared_ptr<const crypto::jwt_keys> keys);

private:
    handlers::awaitable<void> accept();
    handlers::awaitable<void> sweep();
    handlers::core_state state() const;
    handlers::awaitable<void> finish();
    void take(tcp_socket socket);

    common& all_;
    std::size_t number_; // among the cores
    session_host host_;  // before io_, in which the connections live that are listed in it
    boost::asio::io_context io_{1};
    db::pool db_;
    db::pool lookups_;
    db::principals principals_;
    db::principal_changes::enrolment enrolment_;
    db::usage usage_;
    std::optional<handlers::https_client> web_;
    std::optional<handlers::oidc_provider> provider_;
    handlers::context context_;
    tcp_acceptor acceptor_;
    db::steady_timer clock_;
};

/** Make sure that nobody listens at `address` yet: with SO_REUSEPORT a second server would quietly take half
    of the first one's connections. @throw boost::system::system_error address in use, or not ours */
void check_free(const boost::asio::ip::tcp::endpoint& address);

} // namespace server
