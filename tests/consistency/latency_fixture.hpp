// Fixture of fault_latency: a node that is measured, a peer, PostgreSQL with a standby, and what can fail.
#pragma once

#include "tests/consistency/delaying_proxy.hpp"
#include "tests/consistency/prober.hpp"
#include "tests/consistency/replicated_postgres.hpp"
#include "tests/support/database.hpp"
#include "tests/support/reactors.hpp"
#include "tests/support/reserved_port.hpp"
#include "tests/support/temporary_folder.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace consistency {

struct latency_fixture {
    /// Of a window: shorter than what is left of a lease at any time, which is 1.4 s.
    static constexpr std::chrono::milliseconds length{1200};

    /// Whether the names of hosts can be taken away. Libraries cannot be preloaded in sanitizer builds.
#ifdef FAKE_DNS_LIBRARY
    static constexpr bool has_dns = true;
#else
    static constexpr bool has_dns = false;
#endif

    /// Scheduled checks per second.
    static constexpr std::int64_t rate = 1000;

    struct window {
        std::vector<clock::duration> latencies;
        std::size_t failed = 0;

        clock::duration percentile(std::size_t percent) const
        {
            auto sorted = latencies;
            std::ranges::sort(sorted);
            return sorted.empty() ? probe::timeout : sorted[(sorted.size() - 1) * percent / 100];
        }
    };

    latency_fixture()
        : log_path_(folder_.path() + "/stderr"), dns_file_(folder_.path() + "/dns"),
          log_(make_pipe(log_path_))
    {
        start_dns();
        reader_ = std::jthread([this](std::stop_token done) { read_log(done); });
        start_node();
        support::environment shared{{"LATCHKEY_MASTER_KEY", master_key_}};
        peer = std::make_unique<support::running_server>(conninfo(false), shared);
        make_keys();
    }

    ~latency_fixture()
    {
        node_.reset();
        reader_ = {};
        support::read_reactor_report(folder_.path() + "/reactors");
        close(log_);
    }

    latency_fixture(const latency_fixture&) = delete;
    latency_fixture& operator=(const latency_fixture&) = delete;

    std::uint16_t port() const { return port_; }

    /// Wait until the node has held its lease for a while, and knows all keys.
    void await_warm()
    {
        auto until = clock::now() + support::default_deadline;
        for (int good = 0; good < 3;) {
            good = holds_lease() && measure(std::chrono::milliseconds(300)).failed == 0 ? good + 1 : 0;
            if (clock::now() > until)
                throw std::runtime_error("the node does not recover");
        }
    }

    /// Open loop: latency counts from the scheduled time of a check.
    window measure(std::chrono::milliseconds for_time)
    {
        constexpr std::size_t connections = 8;
        constexpr auto interval = std::chrono::nanoseconds(std::chrono::seconds(1)) / rate;
        std::vector<std::unique_ptr<probe>> probes;
        for (std::size_t i = 0; i < connections; ++i)
            probes.push_back(std::make_unique<probe>([this] { return port_; }, 0));
        std::vector<time_point> due_of(connections);
        window out;
        auto begun = clock::now(), next = begun;
        auto end = begun + for_time;
        auto is_done = [&] { return next >= end || clock::now() > end + probe::timeout; };
        auto is_idle = [&] { return std::ranges::none_of(probes, &probe::is_busy); };
        std::vector<pollfd> waits(connections);
        while (!is_done() || !is_idle()) {
            for (std::size_t i = 0; i < connections && !is_done() && next <= clock::now(); ++i)
                if (!probes[i]->is_busy()) {
                    probes[i]->send({0, keys_[next_key_++ % keys_.size()], {}});
                    due_of[i] = next;
                    next += interval;
                }
            for (std::size_t i = 0; i < connections; ++i)
                waits[i] = {probes[i]->is_busy() ? probes[i]->socket() : -1, POLLIN, 0};
            wait_for(next - clock::now(), waits);
            for (std::size_t i = 0; i < connections; ++i) {
                if (!probes[i]->is_busy() || (!probes[i]->receive() && !probes[i]->is_late(clock::now())))
                    continue;
                auto done = probes[i]->finish();
                if (done.outcome == outcome::accepted)
                    out.latencies.push_back(done.end - due_of[i]);
                else
                    ++out.failed;
            }
        }
        for (; next < end; next += interval)
            ++out.failed; // no connection was free for it
        return out;
    }

    /// Nothing reads the node's standard error any more, and its pipe is full.
    void stall_log()
    {
        is_stalled_ = true;
        std::this_thread::sleep_for(2 * reader_interval); // it reads no more
        std::string filler(4096, '\n');
        while (write(log_, filler.data(), filler.size()) > 0)
            ;
        while (write(log_, "\n", 1) > 0)
            ;
    }

    void drain_log() { is_stalled_ = false; }

    void start_dns() const { std::ofstream(dns_file_).put('\n'); }
    void stop_dns() const { unlink(dns_file_.c_str()); }

    void start_failover()
    {
        background_ = std::async(std::launch::async, [this] { postgres.fail_over(); });
    }
    void finish_failover() { background_.get(); }

    /// A revocation waits until the suspended peer's lease has run out.
    void start_revocation()
    {
        auto key = mint();
        background_ = std::async(std::launch::async, [this, key] {
            support::http_client client(port_);
            client.del(e2e::base + "/api-keys/" + key.substr(4, 8), session_);
        });
    }
    void finish_revocation() { background_.get(); }

    replicated_postgres postgres;
    support::database database{postgres.primary()};

    /// The other node.
    std::unique_ptr<support::running_server> peer;

private:
    static constexpr std::chrono::milliseconds reader_interval{20};

    /// For input, or until a check is due. If one is due already, all connections are busy.
    static void wait_for(clock::duration left, std::vector<pollfd>& waits)
    {
        constexpr clock::duration least = std::chrono::milliseconds(1);
        auto nanoseconds = std::chrono::nanoseconds(left > clock::duration(0) ? left : least).count();
        timespec time{0, std::min<std::int64_t>(nanoseconds, 999'999'999)};
        ppoll(waits.data(), waits.size(), &time, nullptr);
    }

    static int make_pipe(const std::string& path)
    {
        // Non-blocking concerns this open file alone; the server opens its own.
        return mkfifo(path.c_str(), 0600) == 0 ? open(path.c_str(), O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1;
    }

    void read_log(const std::stop_token& done) const
    {
        std::vector<char> part(65536);
        while (!done.stop_requested()) {
            pollfd wait{is_stalled_ ? -1 : log_, POLLIN, 0};
            auto ready = poll(&wait, 1, static_cast<int>(reader_interval.count())) > 0 && !is_stalled_;
            if (ready && read(log_, part.data(), part.size()) < 0)
                return;
        }
    }

    /// @param names hosts that have to be resolved; otherwise the sockets of the proxies
    std::string conninfo(bool names) const
    {
        auto out = database.conninfo();
        auto begin = out.find("host="), end = out.find('&', out.find("port="));
        auto hosts = !names ? "host=" + proxies_[0]->folder() + "," + proxies_[1]->folder() + "&port=5432"
                            : "host=one.test,two.test&port=" + std::to_string(proxies_[0]->port()) + "," +
                                  std::to_string(proxies_[1]->port());
        return out.replace(begin, end - begin, hosts);
    }

    void start_node()
    {
        auto settings = support::watch_reactors(folder_.path() + "/reactors");
#ifdef FAKE_DNS_LIBRARY
        for (auto& [name, value] : settings)
            if (name == "LD_PRELOAD")
                value += std::string(":") + FAKE_DNS_LIBRARY;
#endif
        for (auto& one : support::environment{{"FAKE_DNS", dns_file_},
                                              {"LATCHKEY_LISTEN", "127.0.0.1:" + std::to_string(port_)},
                                              {"LATCHKEY_DATABASE_URL", conninfo(has_dns)},
                                              {"LATCHKEY_MASTER_KEY", master_key_},
                                              {"LATCHKEY_DATA_DIR", folder_.path()},
                                              {"LATCHKEY_PASSWORD_HASH", "m=64,t=1,p=1"},
                                              {"LATCHKEY_THREADS", "2"},
                                              {"LATCHKEY_DATABASE_CONNECTIONS", "1"},
                                              {"LATCHKEY_RATE_LIMIT_PER_MINUTE", "0"}})
            settings.push_back(one);
        auto line = "exec \"" + support::program_path() + "\" serve 2> \"" + log_path_ + "\"";
        node_.emplace(std::vector<std::string>{"/bin/sh", "-c", line}, settings, STDOUT_FILENO);
        if (!support::eventually([this] { return holds_lease(); }))
            throw std::runtime_error("the node holds no lease");
    }

    bool holds_lease() const
    {
        try {
            support::http_client client(port_);
            return client.get("/metrics").body.find("\nlatchkey_lease_held 1") != std::string::npos;
        } catch (const std::exception&) {
            return false;
        }
    }

    std::string mint() const
    {
        return support::http_client(port_)
            .post(e2e::base + "/api-keys", R"({"name":"k"})", session_)
            .text("/secret");
    }

    void make_keys()
    {
        constexpr int count = 50;
        auto body = support::object({{"email", "ada@example.com"}, {"password", "long enough"}});
        session_ = support::http_client(port_).post(e2e::base + "/signup", body).text("/access_token");
        for (int i = 0; i < count; ++i)
            keys_.push_back(std::make_shared<const std::string>(get("/auth", mint())));
    }

    std::array<std::unique_ptr<delaying_proxy>, 2> proxies_{make_proxy(0), make_proxy(1)};
    std::unique_ptr<delaying_proxy> make_proxy(std::size_t cluster) const
    {
        constexpr std::chrono::microseconds no_delay(0);
        return std::make_unique<delaying_proxy>(postgres.hosts()[cluster], no_delay, cluster);
    }

    support::temporary_folder folder_;
    std::string log_path_, dns_file_;

    /// The pipe of the node's standard error.
    int log_;
    std::atomic<bool> is_stalled_{false};
    std::jthread reader_;
    std::string master_key_ = support::random_master_key(), session_;
    std::uint16_t port_ = support::reserve_port();
    std::optional<support::child_process> node_;
    std::vector<std::shared_ptr<const std::string>> keys_;
    std::size_t next_key_ = 0;
    std::future<void> background_;
};

/// Requests for unknown paths, which are logged in samples, while this object exists.
class storm {
public:
    explicit storm(const latency_fixture& on)
        : thread_([&on](std::stop_token done) {
              auto message = std::make_shared<const std::string>(
                  "GET /nowhere HTTP/1.1\r\nHost: latchkey\r\nX-Request-Id: " + std::string(128, 'x') +
                  "\r\n\r\n");
              probe one([&on] { return on.port(); }, 0);
              while (!done.stop_requested()) {
                  one.send({0, message, {}});
                  pollfd wait{one.socket(), POLLIN, 0};
                  while (!one.receive() && !one.is_late(clock::now()))
                      poll(&wait, 1, 100);
                  one.finish();
              }
          })
    {}

private:
    std::jthread thread_;
};

} // namespace consistency
