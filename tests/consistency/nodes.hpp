// Several servers on one PostgreSQL, all of which can be disturbed.
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

namespace history {

class nodes {
public:
    explicit nodes(std::size_t count)
    {
        for (std::size_t i = 0; i < count; ++i) {
            places_.push_back(std::make_unique<place>());
            start(i);
        }
    }

    std::size_t size() const { return places_.size(); }
    std::uint16_t port(std::size_t which) const { return places_[which]->port; }
    const support::database& database() const { return database_; }
    const std::string& master_key() const { return master_key_; }

    bool is_running(std::size_t which) { return places_[which]->server->is_running(); }

    /// The end of what it has written.
    std::string last_words(std::size_t which) const
    {
        auto all = places_[which]->server->log();
        auto code = places_[which]->server->wait(std::chrono::milliseconds(0));
        return "code " + (code ? std::to_string(*code) : "none") + ", " +
               all.substr(all.size() - std::min<std::size_t>(all.size(), 1500));
    }

    // One thread disturbs; each returns when all is as it was.

    void stop_for(std::size_t which, std::chrono::milliseconds time)
    {
        places_[which]->server->send(SIGSTOP);
        std::this_thread::sleep_for(time);
        places_[which]->server->send(SIGCONT);
    }

    void kill(std::size_t which)
    {
        places_[which]->server->kill();
        start(which);
    }

    /// End the connections on which nodes hear of changes.
    void cut_lines()
    {
        database_.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                      "WHERE datname = current_database() AND application_name = 'latchkey' "
                      "AND query ~ 'nodes|acknowledge|LISTEN|close_again'");
    }

    /// A node goes on serving, and hears nothing.
    void deafen_one_for(std::chrono::milliseconds time)
    {
        wire_.deafen_one(time);
        std::this_thread::sleep_for(time);
    }

    void restart_postgres() { cluster_.restart(); }

private:
    struct place {
        std::unique_ptr<support::running_server> server;
        std::atomic<std::uint16_t> port{0};
    };

    void start(std::size_t which)
    {
        auto& here = *places_[which];
        auto way = database_.conninfo();
        way.replace(way.find(postgres_folder()), postgres_folder().size(), wire_.folder());
        here.server = std::make_unique<support::running_server>(
            way, support::environment{{"LATCHKEY_MASTER_KEY", master_key_},
                                      {"LATCHKEY_THREADS", "2"},
                                      {"LATCHKEY_LOG_LEVEL", "info"}});
        here.port = here.server->port();
    }

    /// Where PostgreSQL listens.
    std::string postgres_folder() const
    {
        auto whole = database_.conninfo();
        auto begin = whole.find("host=") + 5;
        return whole.substr(begin, whole.find('&', begin) - begin);
    }

    support::postgres_cluster cluster_; ///< of its own, to be restarted
    support::database database_{cluster_};
    slow_wire wire_{postgres_folder(), std::chrono::milliseconds(5)};
    std::string master_key_ = support::random_master_key();
    std::vector<std::unique_ptr<place>> places_;
};

/// A client of each node.
class clients {
public:
    /// @param patience what a node has for its answer
    clients(const nodes& all, std::chrono::milliseconds patience)
        : all_(all), patience_(patience), known_(all.size())
    {}

    /// @throw as http_client, soon
    support::http_client& of(std::size_t which)
    {
        auto& known = known_[which];
        auto port = all_.port(which);
        if (!known.client || known.port != port) {
            known.client.emplace(port);
            known.client->set_timeout(patience_);
            known.port = port;
        }
        return *known.client;
    }

private:
    struct one {
        std::uint16_t port = 0;
        std::optional<support::http_client> client;
    };

    const nodes& all_;
    std::chrono::milliseconds patience_;
    std::vector<one> known_;
};

} // namespace history
