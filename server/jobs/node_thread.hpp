// The thread of this process's node, which keeps the lease.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/node.hpp"
#include "server/shared_state.hpp"

#include <boost/asio/io_context.hpp>

#include <thread>

namespace server {

/** Runs the node and nothing else: what delays its thread delays every revocation of the cluster, and lets
    the lease expire. Create it before the cores run, and destroy it once they have ended. */
class node_thread {
public:
    explicit node_thread(shared_state& shared);
    ~node_thread();
    node_thread(const node_thread&) = delete;
    node_thread& operator=(const node_thread&) = delete;

    /// Deregister the node and end the thread. A failure is logged.
    void deregister();

private:
    db::awaitable<void> deregister_and_stop();

    boost::asio::io_context io_{1};
    /// For the loopback probe.
    db::pool db_;
    db::node node_;
    std::thread thread_;
};

} // namespace server
