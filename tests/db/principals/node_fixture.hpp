// Server processes in one: each a core and its node, on a thread of its own.
#pragma once

#include "db/principals/node.hpp"
#include "tests/db/database_fixture.hpp"
#include "tests/support/eventually.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace db::test {

using namespace std::chrono_literals;
using state = db::principals::state;

inline constexpr auto lease_length = 1000ms;

inline db::node::config node_settings(const std::string& conninfo)
{
    db::node::config out;
    out.connection.conninfo = conninfo;
    out.connection.connect_timeout = 1s;
    out.lease_length = lease_length;
    out.ack_timeout = 3s;
    out.fence_after = 1500ms;
    return out;
}

/** One server process: a core and its node, on one thread that can be suspended.
    @param probe_database another database, so that the loopback probe fails */
class process {
public:
    explicit process(const support::database& data, const support::database* probe_database = nullptr)
    {
        std::promise<void> started;
        thread_ = std::thread([&, probe_database = probe_database ? probe_database : &data] {
            db::principals::config settings;
            settings.lease = &lease_;
            db::test::core core(data, changes_, settings);
            db::pool other(core.io, db::test::core::pipeline_settings(*probe_database), 1);
            auto own = node_settings(data.conninfo());
            own.connection.on_event = [this](std::string_view event, std::string_view detail) {
                if (event == "lease ended")
                    lease_ended_ = std::string(detail);
            };
            std::optional<db::node> self(std::in_place, core.io, other, changes_, lease_, std::move(own));
            auto work = boost::asio::make_work_guard(core.io);
            core_ = &core;
            node_ = &*self;
            started.set_value();
            core.io.run();
        });
        started.get_future().get();
    }

    ~process()
    {
        resume();
        core_->io.stop();
        thread_.join();
    }

    /// Run a coroutine there, and wait for it here.
    template <class Body>
    auto run(Body body)
    {
        return boost::asio::co_spawn(core_->io, std::move(body), boost::asio::use_future).get();
    }

    bool holds_lease() const { return lease_.holds(); }

    bool gets_lease() const
    {
        return support::eventually(20s, [&] { return holds_lease(); });
    }

    state cached(const db::digest& key)
    {
        return run([&]() -> db::awaitable<state> { co_return core_->principals.cached(key).state; });
    }

    void load(const db::digest& key)
    {
        run([&]() -> db::awaitable<void> { co_await core_->principals.load_api_key(key); });
    }

    /// Load a key. @return whether it is cached then
    bool caches(const db::digest& key)
    {
        load(key);
        return cached(key) == state::hit;
    }

    /// @return how long the revocation took
    std::chrono::milliseconds revoke(const db::test::database_fixture& of, const db::test::key& key)
    {
        auto event = db::test::event("api_key.revoke");
        event.workspace_id = of.workspace;
        auto begin = std::chrono::steady_clock::now();
        run([&]() -> db::awaitable<void> {
            db::api_keys::owner_filter within{of.workspace, of.bob};
            db::transaction work(changes_, core_->db);
            co_await db::api_keys::revoke(std::move(work), within, key.prefix, event);
        });
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                     begin);
    }

    std::chrono::milliseconds revoke_by_digest(const db::test::key& key)
    {
        auto begin = std::chrono::steady_clock::now();
        run([&]() -> db::awaitable<void> {
            db::transaction work(changes_, core_->db);
            auto event = db::test::event("api_key.report");
            co_await db::api_keys::revoke_by_digest(std::move(work), key.digest, event, std::nullopt);
        });
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                     begin);
    }

    /// Block the thread until resume(), as SIGSTOP would.
    void suspend()
    {
        std::promise<void> suspended;
        resumed_.emplace();
        boost::asio::post(core_->io, [&suspended, wait = resumed_->get_future().share()] {
            suspended.set_value();
            wait.wait();
        });
        suspended.get_future().get();
    }

    void resume()
    {
        if (resumed_)
            resumed_->set_value();
        resumed_.reset();
    }

    void deregister()
    {
        run([&]() -> db::awaitable<void> { co_await node_->deregister(); });
    }

    std::size_t other_live_nodes()
    {
        return run([&]() -> db::awaitable<std::size_t> { co_return node_->other_live_nodes(); });
    }

    /// Why the node has last ended its lease itself.
    std::string lease_ended()
    {
        return run([&]() -> db::awaitable<std::string> { co_return lease_ended_; });
    }

    db::node& node() { return *node_; }
    db::test::core& core() { return *core_; }
    db::invalidation_bus& changes() { return changes_; }

private:
    db::lease lease_;
    db::invalidation_bus changes_;
    db::test::core* core_ = nullptr;
    db::node* node_ = nullptr;
    std::optional<std::promise<void>> resumed_;
    std::string lease_ended_;
    std::thread thread_;
};

struct two_nodes : db::test::database_fixture {
    two_nodes()
    {
        BOOST_REQUIRE(a.gets_lease());
        BOOST_REQUIRE(b.gets_lease());
    }

    std::string rows() { return data.sql("SELECT count(*) FROM nodes"); }

    /// End the connections on which nodes listen.
    void terminate_connections()
    {
        data.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE datname = current_database() AND pid <> pg_backend_pid() AND"
                 " query ~ 'nodes|latchkey_acknowledgements|acknowledge_changes|republish_change|LISTEN'");
    }

    process a{data}, b{data};
};

} // namespace db::test
