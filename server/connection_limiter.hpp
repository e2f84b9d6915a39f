// Connection limiter: caps on the client connections of the process, in all and of each network.
#pragma once

#include "handlers/access/client_address.hpp"

#include <boost/asio/ip/address.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

namespace server {

/** Counts the connections of all cores. Trusted proxies have no cap of their own: their connections are those
    of many clients. IPv6 networks have a second cap for the /48 around them, since one customer may have all
    of it. Thread-safe; a lock and a few comparisons for each connection. */
class connection_limiter {
public:
    /// The bytes of a network: see handlers::network_bucket.
    using network = std::array<std::uint8_t, 16>;

    struct limits {
        /// 0: unlimited.
        std::size_t total = 0;
        /// Of one network; a /48 has twice as many; 0: unlimited.
        std::size_t per_network = 0;
    };

    /// The place of one connection; given back by the destructor.
    class place {
    public:
        place() = default;
        place(place&& other) noexcept
            : owner_(std::exchange(other.owner_, nullptr)), network_(other.network_),
              is_provisional_(other.is_provisional_)
        {}
        place& operator=(place&& other) noexcept
        {
            std::swap(owner_, other.owner_);
            std::swap(network_, other.network_);
            std::swap(is_provisional_, other.is_provisional_);
            return *this;
        }
        ~place()
        {
            if (owner_)
                owner_->give_back(network_);
        }

    private:
        friend connection_limiter;
        place(connection_limiter& owner, const std::optional<network>& of, bool is_provisional)
            : owner_(&owner), network_(of), is_provisional_(is_provisional)
        {}

        connection_limiter* owner_ = nullptr;
        /// Nothing: of a trusted proxy.
        std::optional<network> network_;
        /// Beyond the total, and no other connection has made room for it.
        bool is_provisional_ = false;
    };

    enum class verdict { admitted, network_full, all_full };
    struct admission {
        connection_limiter::verdict verdict;
        std::optional<connection_limiter::place> place;
    };

    connection_limiter(limits caps, std::span<const handlers::address_range> trusted_proxies)
        : caps_(caps), trusted_proxies_(trusted_proxies)
    {}

    /** Take a place for a connection of a client, if there is one. It is `all_full` only if the client's
        network has room. */
    admission admit(const boost::asio::ip::address& client);

    /// The same as admit() beyond the total, in exchange for a connection that is being closed.
    admission admit_one_more(const boost::asio::ip::address& client);

    /** The same beyond the total for a trusted proxy that has not named its client yet: whether others have
        to make room is decided by move_to(). A small part of the total. */
    admission admit_provisionally(const boost::asio::ip::address& proxy);

    /** Count a connection of a trusted proxy for the client that it forwards, which may be the proxy.
        @return `all_full` if the place is beyond the total: another connection has to be closed for it, or
        this one */
    verdict move_to(place& taken, const boost::asio::ip::address& client);

    /// The number of connections of the network that a place is counted for; 0 of a trusted proxy.
    std::size_t connections_around(const place& of);

private:
    admission take(const boost::asio::ip::address& client, std::size_t total);
    std::optional<network> network_of(const boost::asio::ip::address& client) const;
    std::size_t count_of(const network& of) const;
    bool enter(const network& to);
    void leave(const network& from);
    void give_back(const std::optional<network>& of);

    limits caps_;
    std::span<const handlers::address_range> trusted_proxies_;
    std::mutex lock_;
    std::size_t total_ = 0;
    /// By network and by the /48 around, without those that have none.
    std::map<network, std::size_t> networks_;
};

} // namespace server
