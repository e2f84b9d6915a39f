// Fixture: several server processes on one PostgreSQL, with fault injection for all of them.
#pragma once

#include "tests/consistency/delaying_proxy.hpp"
#include "tests/consistency/history.hpp"
#include "tests/support/database.hpp"
#include "tests/support/http.hpp"
#include "tests/support/server.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace consistency {

class nodes {
public:
    /// @param seed of the random delays
    nodes(std::size_t count, std::uint64_t seed)
        : proxy_(postgres_folder(), std::chrono::milliseconds(5), seed)
    {
        for (std::size_t i = 0; i < count; ++i) {
            instances_.push_back(std::make_unique<instance>());
            start(i);
        }
    }

    std::size_t size() const { return instances_.size(); }
    std::uint16_t port(std::size_t which) const { return instances_[which]->port; }
    const support::database& database() const { return database_; }
    const std::string& master_key() const { return master_key_; }

    bool is_running(std::size_t which) { return instances_[which]->server->is_running(); }

    /// The exit code and the end of the log.
    std::string log_tail(std::size_t which) const
    {
        auto all = instances_[which]->server->log();
        auto code = instances_[which]->server->wait(std::chrono::milliseconds(0));
        return "code " + (code ? std::to_string(*code) : "none") + ", " +
               all.substr(all.size() - std::min<std::size_t>(all.size(), 1500));
    }

    // Faults. Called by one thread; each returns once the fault is over.

    void suspend_for(std::size_t which, std::chrono::milliseconds time)
    {
        instances_[which]->server->send(SIGSTOP);
        std::this_thread::sleep_for(time);
        instances_[which]->server->send(SIGCONT);
    }

    void kill(std::size_t which)
    {
        instances_[which]->server->kill();
        start(which);
    }

    /// Terminate the connections on which nodes listen.
    void terminate_connections()
    {
        database_.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                      "WHERE datname = current_database() AND application_name = 'latchkey' "
                      "AND query ~ 'nodes|acknowledge|LISTEN|republish_change'");
    }

    /// A node keeps serving and receives no notifications.
    void mute_one_for(std::chrono::milliseconds time)
    {
        proxy_.mute_one(time);
        std::this_thread::sleep_for(time);
    }

    void restart_postgres() { cluster_.restart(); }

private:
    struct instance {
        std::unique_ptr<support::running_server> server;
        std::atomic<std::uint16_t> port{0};
    };

    void start(std::size_t which)
    {
        auto& here = *instances_[which];
        auto conninfo = database_.conninfo();
        conninfo.replace(conninfo.find(postgres_folder()), postgres_folder().size(), proxy_.folder());
        here.server = std::make_unique<support::running_server>(
            conninfo, support::environment{{"LATCHKEY_MASTER_KEY", master_key_},
                                           {"LATCHKEY_THREADS", "2"},
                                           {"LATCHKEY_LOG_LEVEL", "info"}});
        here.port = here.server->port();
    }

    /// The folder of PostgreSQL's socket.
    std::string postgres_folder() const
    {
        auto whole = database_.conninfo();
        auto begin = whole.find("host=") + 5;
        return whole.substr(begin, whole.find('&', begin) - begin);
    }

    /// Not shared with other tests, since it is restarted.
    support::postgres_cluster cluster_;
    support::database database_{cluster_};
    delaying_proxy proxy_;
    std::string master_key_ = support::random_master_key();
    std::vector<std::unique_ptr<instance>> instances_;
};

/// HTTP clients of all nodes, which follow a node to its new port after a restart.
class clients {
public:
    /// @param timeout for one response
    clients(const nodes& all, std::chrono::milliseconds timeout)
        : all_(all), timeout_(timeout), slots_(all.size())
    {}

    /// @throw as http_client, within the timeout
    support::http_client& at(std::size_t which)
    {
        auto& slot = slots_[which];
        auto port = all_.port(which);
        if (!slot.client || slot.port != port) {
            slot.client.emplace(port);
            slot.client->set_timeout(timeout_);
            slot.port = port;
        }
        return *slot.client;
    }

private:
    struct slot_type {
        std::uint16_t port = 0;
        std::optional<support::http_client> client;
    };

    const nodes& all_;
    std::chrono::milliseconds timeout_;
    std::vector<slot_type> slots_;
};

} // namespace consistency
