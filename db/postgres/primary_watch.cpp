#include "db/postgres/primary_watch.hpp"

#include "db/postgres/connection.hpp"
#include "db/postgres/error.hpp"
#include "db/postgres/host_list.hpp"
#include "db/postgres/known_server.hpp"
#include "db/postgres/spawn.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <utility>
#include <vector>

namespace db {

bool has_several_hosts(const std::string& conninfo)
{
    return read_hosts(parse_conninfo(conninfo)).size() > 1;
}

class primary_watch::impl : public std::enable_shared_from_this<impl> {
public:
    impl(boost::asio::io_context& io, config settings)
        : executor_(io.get_executor()), settings_(std::move(settings)),
          server_(known_server::of(settings_.conninfo))
    {}

    void start()
    {
        auto hosts = read_hosts(parse_conninfo(settings_.conninfo)).size();
        if (hosts == 1)
            return;
        for (std::size_t host = 0; host < hosts; ++host) {
            watched_.push_back(std::make_unique<watched>(executor_));
            spawn(executor_, watch(shared_from_this(), host));
        }
    }

    void stop()
    {
        stopped_ = true;
        for (auto& each : watched_) {
            each->pause.cancel();
            each->deadline.cancel();
            if (each->link)
                each->link->cancel();
        }
    }

private:
    /// The connection to one host.
    struct watched {
        explicit watched(const executor& where) : pause(where), deadline(where) {}
        steady_timer pause, deadline;
        std::unique_ptr<connection> link;
    };

    // `self` keeps the object, not a reference into the frame of its owner.
    static awaitable<void> watch(std::shared_ptr<impl> self, std::size_t host)
    {
        while (!self->stopped_) {
            co_await self->ask_repeatedly(host);
            self->watched_[host]->link.reset();
            co_await self->sleep(host);
        }
    }

    /// Connect, and ask until the connection is lost.
    awaitable<void> ask_repeatedly(std::size_t host)
    {
        watched_[host]->link = std::make_unique<connection>(executor_);
        auto link = watched_[host]->link.get();
        connection::config how{.conninfo = settings_.conninfo,
                               .names = settings_.names,
                               .statement_timeout = settings_.deadline,
                               .prepare = false,
                               .prefer_index_scans = false,
                               .attempt = 0,
                               .check_statements = false,
                               .only_host = host};
        try {
            limit(host, settings_.deadline);
            co_await link->open(how);
            for (;;) {
                watched_[host]->deadline.cancel();
                if (link->is_primary())
                    server_->accept(link->identity());
                co_await sleep(host);
                if (stopped_)
                    break;
                limit(host, settings_.deadline);
                co_await link->identify();
            }
        } catch (const failure&) {
            // The host is down, or refuses: the next attempt follows.
        } catch (const boost::system::system_error&) {
            // It is late, or this object is being destroyed.
        }
        watched_[host]->deadline.cancel();
    }

    /// Cancel the attempt after this time, and until it has ended: it may be resolving names.
    void limit(std::size_t host, std::chrono::milliseconds time)
    {
        auto& deadline = watched_[host]->deadline;
        deadline.expires_after(time);
        deadline.async_wait([weak = weak_from_this(), host](boost::system::error_code cancelled) {
            auto self = weak.lock();
            if (cancelled || !self || self->stopped_ || !self->watched_[host]->link)
                return;
            self->watched_[host]->link->cancel();
            constexpr std::chrono::milliseconds again(100);
            self->limit(host, again);
        });
    }

    awaitable<void> sleep(std::size_t host)
    {
        auto& pause = watched_[host]->pause;
        if (stopped_)
            co_return;
        pause.expires_after(settings_.interval);
        boost::system::error_code cancelled;
        auto token = boost::asio::redirect_error(use_awaitable, cancelled);
        co_await pause.async_wait(token);
    }

    executor executor_;
    config settings_;
    std::shared_ptr<known_server> server_;
    std::vector<std::unique_ptr<watched>> watched_;
    bool stopped_ = false;
};

primary_watch::primary_watch(boost::asio::io_context& io, config settings)
    : impl_(std::make_shared<impl>(io, std::move(settings)))
{
    impl_->start();
}

primary_watch::~primary_watch()
{
    impl_->stop();
}

} // namespace db
