// A server started by a shell, which can redirect its streams and lower its limits first.
#pragma once

#include "tests/support/database.hpp"
#include "tests/support/http.hpp"
#include "tests/support/reactors.hpp"
#include "tests/support/reserved_port.hpp"
#include "tests/support/server.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace e2e {

struct shell_server {
    shell_server() = default;
    ~shell_server()
    {
        if (process)
            process->kill();
        support::read_reactor_report(folder.path() + "/reactors");
    }
    shell_server(const shell_server&) = delete;
    shell_server& operator=(const shell_server&) = delete;

    /// Start it and wait until it answers. @param before shell commands @param after redirections
    void start(const std::string& before, const std::string& after, const support::environment& more = {})
    {
        auto settings = support::watch_reactors(folder.path() + "/reactors");
        for (auto& one : support::environment{{"LATCHKEY_LISTEN", "127.0.0.1:" + std::to_string(port)},
                                              {"LATCHKEY_DATABASE_URL", db.conninfo()},
                                              {"LATCHKEY_MASTER_KEY", support::random_master_key()},
                                              {"LATCHKEY_DATA_DIR", folder.path()},
                                              {"LATCHKEY_PASSWORD_HASH", "m=64,t=1,p=1"},
                                              {"LATCHKEY_THREADS", "2"},
                                              {"LATCHKEY_DATABASE_CONNECTIONS", "1"},
                                              {"LATCHKEY_RATE_LIMIT_PER_MINUTE", "0"},
                                              {"LATCHKEY_LOG_LEVEL", "debug"}})
            settings.push_back(one);
        settings.insert(settings.end(), more.begin(), more.end());
        auto line = before + " exec \"" + support::program_path() + "\" serve " + after;
        process.emplace(std::vector<std::string>{"/bin/sh", "-c", line}, settings, STDERR_FILENO);
        BOOST_REQUIRE_MESSAGE(support::eventually([&] { return is_alive(); }), process->output());
        support::await_reactors(folder.path() + "/reactors");
    }

    /// Whether it answers a new client.
    bool is_alive() const
    {
        try {
            support::http_client fresh(port);
            fresh.set_timeout(std::chrono::seconds(5));
            return fresh.get("/healthz").status == 200u;
        } catch (const std::exception&) {
            return false;
        }
    }

    /// The value of a metric; -1 if it is missing.
    long metric(const std::string& name)
    {
        auto text = client.get("/metrics").body;
        auto at = text.find("\n" + name + " ");
        return at == text.npos ? -1 : std::stol(text.substr(at + name.size() + 2));
    }

    support::database db;
    support::temporary_folder folder;
    std::uint16_t port = support::reserve_port();
    std::optional<support::child_process> process;
    support::http_client client{port};
};

} // namespace e2e
