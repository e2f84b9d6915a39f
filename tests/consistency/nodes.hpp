// Fixture: several server processes on a PostgreSQL with a standby, with fault injection for all of them.
#pragma once

#include "tests/consistency/delaying_proxy.hpp"
#include "tests/consistency/history.hpp"
#include "tests/consistency/replicated_postgres.hpp"
#include "tests/support/database.hpp"
#include "tests/support/http.hpp"
#include "tests/support/server.hpp"

#include <algorithm>
#include <array>
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
    nodes(std::size_t count, std::uint64_t seed) : proxies_{make_proxy(0, seed), make_proxy(1, seed + 1)}
    {
        for (std::size_t i = 0; i < count; ++i) {
            instances_.push_back(std::make_unique<instance>());
            start(i);
        }
    }

    std::size_t size() const { return instances_.size(); }
    std::uint16_t port(std::size_t which) const { return instances_[which]->port; }

    /// A connection string with both clusters, for programs that bypass the proxies.
    std::string conninfo() const { return conninfo({postgres_.hosts()[0], postgres_.hosts()[1]}); }

    /// Execute statements on the primary. @throw runtime_error
    void sql(const std::string& statements) const { support::sql(conninfo(), statements); }

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
        sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = 'latchkey' "
            "AND query ~ 'nodes|acknowledge|LISTEN|republish_change'");
    }

    /// A node keeps serving and receives no notifications.
    void mute_one_for(std::chrono::milliseconds time)
    {
        proxies_[postgres_.primary_index()]->mute_one(time);
        std::this_thread::sleep_for(time);
    }

    void restart_postgres() { postgres_.primary().restart(); }

    void pause_postgres_for(std::chrono::milliseconds time)
    {
        postgres_.primary().freeze();
        std::this_thread::sleep_for(time);
        postgres_.primary().thaw();
    }

    /// The standby takes over. @return the fixture of the two clusters, which has the ways to do it
    replicated_postgres& postgres() { return postgres_; }

private:
    struct instance {
        std::unique_ptr<support::running_server> server;
        std::atomic<std::uint16_t> port{0};
    };

    void start(std::size_t which)
    {
        auto& here = *instances_[which];
        here.server = std::make_unique<support::running_server>(
            conninfo({proxies_[0]->folder(), proxies_[1]->folder()}),
            support::environment{{"LATCHKEY_MASTER_KEY", master_key_},
                                 {"LATCHKEY_THREADS", "2"},
                                 {"LATCHKEY_LOG_LEVEL", "info"}});
        here.port = here.server->port();
    }

    std::unique_ptr<delaying_proxy> make_proxy(std::size_t cluster, std::uint64_t seed) const
    {
        constexpr std::chrono::milliseconds max_delay(5);
        return std::make_unique<delaying_proxy>(postgres_.hosts()[cluster], max_delay, seed);
    }

    std::string conninfo(const std::array<std::string, 2>& hosts) const
    {
        auto out = database_.conninfo();
        auto begin = out.find("host=") + 5, end = out.find('&', begin);
        return out.replace(begin, end - begin, hosts[0] + "," + hosts[1]) +
               "&target_session_attrs=read-write&connect_timeout=3";
    }

    replicated_postgres postgres_;

    /// On the first primary, and copied to each later one.
    support::database database_{postgres_.primary()};
    std::array<std::unique_ptr<delaying_proxy>, 2> proxies_;
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
