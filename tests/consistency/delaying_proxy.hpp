// The way from PostgreSQL to the servers, made slow and uneven: an answer arrives after a notice that was
// sent later.
#pragma once

#include "tests/support/temporary_folder.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <array>
#include <chrono>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace history {

/** Listens as PostgreSQL does, at a socket in a folder of its own, and carries every connection there on.
   What PostgreSQL says waits, each time for another while, and in order on one connection but not between
   two. */
class slow_wire {
public:
    slow_wire(std::string postgres_folder, std::chrono::microseconds at_most)
        : beyond_(std::move(postgres_folder) + socket_name), at_most_(at_most),
          acceptor_(io_, folder_.path() + socket_name)
    {
        boost::asio::co_spawn(io_, accept(), boost::asio::detached);
        thread_ = std::thread([this] { io_.run(); });
    }

    ~slow_wire()
    {
        io_.stop();
        thread_.join();
    }

    slow_wire(const slow_wire&) = delete;
    slow_wire& operator=(const slow_wire&) = delete;

    /** Keep back what PostgreSQL says on one of the lines of servers that listen for changes. From any
       thread; returns at once. */
    void deafen_one(std::chrono::milliseconds time)
    {
        boost::asio::post(io_, [this, until = clock::now() + time] {
            std::vector<connection_ref> listening;
            std::erase_if(all_, [](auto& each) { return each.expired(); });
            for (auto& each : all_)
                if (auto line = each.lock(); line && line->hears_changes)
                    listening.push_back(std::move(line));
            if (!listening.empty())
                listening[std::uniform_int_distribution<std::size_t>(0, listening.size() - 1)(chance_)]
                    ->held_until = until;
        });
    }

    /// To be named as the host in a connection string.
    std::string folder() const { return folder_.path(); }

private:
    using clock = std::chrono::steady_clock;
    using protocol = boost::asio::local::stream_protocol;
    using nothing = boost::asio::awaitable<void>;

    struct connection {
        explicit connection(boost::asio::io_context& io) : client(io), postgres(io) {}
        protocol::socket client, postgres;
        bool hears_changes = false;
        clock::time_point held_until{};
    };
    using connection_ref = std::shared_ptr<connection>;

    nothing accept()
    {
        for (;;) {
            auto made = std::make_shared<connection>(io_);
            co_await acceptor_.async_accept(made->client, boost::asio::use_awaitable);
            all_.push_back(made);
            boost::asio::co_spawn(io_, open(std::move(made)), boost::asio::detached);
        }
    }

    nothing open(connection_ref made)
    {
        try {
            co_await made->postgres.async_connect(beyond_, boost::asio::use_awaitable);
        } catch (const boost::system::system_error&) { // it is away, and so the client is told
            end(*made);
            co_return;
        }
        boost::asio::co_spawn(io_, carry_questions(made), boost::asio::detached);
        boost::asio::co_spawn(io_, carry_answers(std::move(made)), boost::asio::detached);
    }

    nothing carry_questions(connection_ref of)
    {
        std::array<char, 16384> part;
        try {
            for (;;) {
                auto room = boost::asio::buffer(part);
                auto size = co_await of->client.async_read_some(room, boost::asio::use_awaitable);
                if (std::string_view(part.data(), size).find(renewal) != std::string_view::npos)
                    of->hears_changes = true;
                auto read = boost::asio::buffer(part, size);
                co_await boost::asio::async_write(of->postgres, read, boost::asio::use_awaitable);
            }
        } catch (const boost::system::system_error&) { // one side has gone: so does the other
            end(*of);
        }
    }

    nothing carry_answers(connection_ref of)
    {
        std::array<char, 16384> part;
        boost::asio::steady_timer timer(io_);
        std::uniform_int_distribution<std::int64_t> delay(0, at_most_.count());
        try {
            for (;;) {
                auto room = boost::asio::buffer(part);
                auto size = co_await of->postgres.async_read_some(room, boost::asio::use_awaitable);
                timer.expires_after(std::chrono::microseconds(delay(chance_)));
                co_await timer.async_wait(boost::asio::use_awaitable);
                if (of->held_until > clock::now()) {
                    timer.expires_at(of->held_until);
                    co_await timer.async_wait(boost::asio::use_awaitable);
                }
                auto read = boost::asio::buffer(part, size);
                co_await boost::asio::async_write(of->client, read, boost::asio::use_awaitable);
            }
        } catch (const boost::system::system_error&) {
            end(*of);
        }
    }

    /// Shut down, not closed, since a server that was started meanwhile has inherited the sockets.
    static void end(connection& of)
    {
        boost::system::error_code ignored;
        of.client.shutdown(protocol::socket::shutdown_both, ignored);
        of.postgres.shutdown(protocol::socket::shutdown_both, ignored);
    }

    /// In the message that runs the statement: its name, after that of no portal.
    static constexpr std::string_view renewal{"\0node_renew\0", 12};
    static constexpr const char* socket_name = "/.s.PGSQL.5432";

    support::temporary_folder folder_;
    protocol::endpoint beyond_;
    std::chrono::microseconds at_most_;
    std::mt19937_64 chance_{std::random_device()()};
    std::vector<std::weak_ptr<connection>> all_;
    boost::asio::io_context io_{1};
    protocol::acceptor acceptor_;
    std::thread thread_;
};

} // namespace history
