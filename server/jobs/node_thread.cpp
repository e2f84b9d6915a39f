#include "server/jobs/node_thread.hpp"

#include "db/postgres/spawn.hpp"
#include "server/log.hpp"
#include "server/short_slices.hpp"

#include <boost/asio/post.hpp>

#include <exception>
#include <pthread.h>

namespace server {

namespace {

db::node::config node_settings(const config& settings)
{
    db::node::config out;
    out.connection = database_settings(settings);
    out.connection.on_event = [](std::string_view event, std::string_view detail) {
        auto level = event == "connected" ? log_level::debug : log_level::warning;
        log_line(level, "node").add("state", event).add("detail", detail);
    };
    return out;
}

} // namespace

node_thread::node_thread(shared_state& shared)
    : db_(io_, database_settings(shared.settings), 1),
      node_(io_, db_, shared.changes, shared.lease, node_settings(shared.settings))
{
    node_.on_live_nodes = [&shared](std::size_t nodes) {
        shared.limiter.share_among(nodes);
        shared.metrics.publish_nodes(nodes);
    };
    thread_ = std::thread([this] {
        pthread_setname_np(pthread_self(), "node");
        request_short_slices();
        io_.run();
    });
}

node_thread::~node_thread()
{
    io_.stop();
    if (thread_.joinable())
        thread_.join();
}

void node_thread::deregister()
{
    boost::asio::post(io_, [this] { db::spawn(io_.get_executor(), deregister_and_stop()); });
    thread_.join();
}

db::awaitable<void> node_thread::deregister_and_stop()
{
    try {
        co_await node_.deregister();
    } catch (const std::exception& e) {
        log_line(log_level::warning, "node deregistration failed").add("cause", e.what());
    }
    io_.stop();
}

} // namespace server
