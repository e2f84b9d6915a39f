// A proxy in front of PostgreSQL with random delays, so that a response can arrive after a notification that
// was sent later.
#pragma once

#include "tests/support/temporary_folder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace consistency {

/** Listens as PostgreSQL does, on a Unix socket in a folder of its own and on a port, and forwards every
    connection. Delays each chunk from PostgreSQL by a random time; chunks stay in order within a
    connection, but not across connections. */
class delaying_proxy {
public:
    delaying_proxy(std::string postgres_folder, std::chrono::microseconds max_delay, std::uint64_t seed)
        : upstream_(std::move(postgres_folder) + socket_name), max_delay_(max_delay), random_(seed),
          acceptor_(io_, folder_.path() + socket_name),
          tcp_acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0})
    {
        boost::asio::co_spawn(io_, accept(acceptor_), boost::asio::detached);
        boost::asio::co_spawn(io_, accept(tcp_acceptor_), boost::asio::detached);
        thread_ = std::thread([this] { io_.run(); });
    }

    ~delaying_proxy()
    {
        io_.stop();
        thread_.join();
    }

    delaying_proxy(const delaying_proxy&) = delete;
    delaying_proxy& operator=(const delaying_proxy&) = delete;

    /** Hold back PostgreSQL's output on a random connection of those on which servers listen for changes.
        From any thread; returns at once. */
    void mute_one(std::chrono::milliseconds time)
    {
        boost::asio::post(io_, [this, until = clock::now() + time] {
            std::vector<connection_ref> listening;
            std::erase_if(all_, [](auto& each) { return each.expired(); });
            for (auto& each : all_)
                if (auto known = each.lock(); known && known->listens)
                    listening.push_back(std::move(known));
            if (!listening.empty())
                listening[std::uniform_int_distribution<std::size_t>(0, listening.size() - 1)(random_)]
                    ->held_until = until;
        });
    }

    /// The host in a connection string.
    std::string folder() const { return folder_.path(); }

    /// The same on 127.0.0.1, for a host with a name.
    std::uint16_t port() const { return tcp_acceptor_.local_endpoint().port(); }

private:
    using clock = std::chrono::steady_clock;
    using protocol = boost::asio::local::stream_protocol;
    using task = boost::asio::awaitable<void>;

    struct connection {
        explicit connection(boost::asio::io_context& io) : client(io), postgres(io) {}
        boost::asio::generic::stream_protocol::socket client;
        protocol::socket postgres;
        bool listens = false;
        clock::time_point held_until{};
    };
    using connection_ref = std::shared_ptr<connection>;

    template <class Acceptor>
    task accept(Acceptor& from)
    {
        for (;;) {
            auto made = std::make_shared<connection>(io_);
            auto client = co_await from.async_accept(boost::asio::use_awaitable);
            made->client = std::move(client);
            all_.push_back(made);
            boost::asio::co_spawn(io_, open(std::move(made)), boost::asio::detached);
        }
    }

    task open(connection_ref made)
    {
        try {
            co_await made->postgres.async_connect(upstream_, boost::asio::use_awaitable);
        } catch (const boost::system::system_error&) { // PostgreSQL is down: close the client too
            shut_down(*made);
            co_return;
        }
        boost::asio::co_spawn(io_, forward_requests(made), boost::asio::detached);
        boost::asio::co_spawn(io_, forward_responses(std::move(made)), boost::asio::detached);
    }

    task forward_requests(connection_ref of)
    {
        std::array<char, 16384> chunk;
        try {
            for (;;) {
                auto room = boost::asio::buffer(chunk);
                auto size = co_await of->client.async_read_some(room, boost::asio::use_awaitable);
                if (std::string_view(chunk.data(), size).find(renewal) != std::string_view::npos)
                    of->listens = true;
                auto read = boost::asio::buffer(chunk, size);
                co_await boost::asio::async_write(of->postgres, read, boost::asio::use_awaitable);
            }
        } catch (const boost::system::system_error&) { // one side has closed: close the other
            shut_down(*of);
        }
    }

    task forward_responses(connection_ref of)
    {
        std::array<char, 16384> chunk;
        boost::asio::steady_timer timer(io_);
        std::uniform_int_distribution<std::int64_t> delay(0, max_delay_.count());
        try {
            for (;;) {
                auto room = boost::asio::buffer(chunk);
                auto size = co_await of->postgres.async_read_some(room, boost::asio::use_awaitable);
                timer.expires_after(std::chrono::microseconds(delay(random_)));
                co_await timer.async_wait(boost::asio::use_awaitable);
                if (of->held_until > clock::now()) {
                    timer.expires_at(of->held_until);
                    co_await timer.async_wait(boost::asio::use_awaitable);
                }
                auto read = boost::asio::buffer(chunk, size);
                co_await boost::asio::async_write(of->client, read, boost::asio::use_awaitable);
            }
        } catch (const boost::system::system_error&) {
            shut_down(*of);
        }
    }

    /// shutdown(), not close(): a server started meanwhile has inherited the sockets.
    static void shut_down(connection& of)
    {
        boost::system::error_code ignored;
        of.client.shutdown(protocol::socket::shutdown_both, ignored);
        of.postgres.shutdown(protocol::socket::shutdown_both, ignored);
    }

    /// The statement name in a Bind message, after an empty portal name.
    static constexpr std::string_view renewal{"\0node_renew\0", 12};
    static constexpr const char* socket_name = "/.s.PGSQL.5432";

    support::temporary_folder folder_;
    protocol::endpoint upstream_;
    std::chrono::microseconds max_delay_;
    std::mt19937_64 random_;
    std::vector<std::weak_ptr<connection>> all_;
    boost::asio::io_context io_{1};
    protocol::acceptor acceptor_;
    boost::asio::ip::tcp::acceptor tcp_acceptor_;
    std::thread thread_;
};

} // namespace consistency
