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
   of many clients. Thread-safe; a lock and a few comparisons for each connection. */
class connection_limiter {
public:
    struct limits {
        /// 0: unlimited.
        std::size_t total = 0;
        /// Of one network; 0: unlimited.
        std::size_t per_network = 0;
    };

    /// The place of one connection; given back by the destructor.
    class place {
    public:
        place() = default;
        place(place&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), network_(other.network_)
        {}
        place& operator=(place&& other) noexcept
        {
            std::swap(owner_, other.owner_);
            std::swap(network_, other.network_);
            return *this;
        }
        ~place()
        {
            if (owner_)
                owner_->give_back(network_);
        }

    private:
        friend connection_limiter;
        using network = std::optional<std::array<std::uint8_t, 16>>;
        place(connection_limiter& owner, const network& of) : owner_(&owner), network_(of) {}

        connection_limiter* owner_ = nullptr;
        /// Nothing: of a trusted proxy.
        network network_;
    };

    enum class verdict { admitted, network_full, all_full };
    struct admission {
        connection_limiter::verdict verdict;
        std::optional<connection_limiter::place> place;
    };

    connection_limiter(limits caps, std::span<const handlers::address_range> trusted_proxies)
        : caps_(caps), trusted_proxies_(trusted_proxies)
    {}

    /// Take a place for a connection of a client, if there is one.
    admission admit(const boost::asio::ip::address& client);

    /** Count a connection of a trusted proxy for the client that it forwards.
        @return false if the network of the client is full */
    bool move_to(place& taken, const boost::asio::ip::address& client);

    /// The same as admit() beyond the total, in exchange for a connection that is being closed.
    admission admit_one_more(const boost::asio::ip::address& client);

private:
    admission take(const boost::asio::ip::address& client, std::size_t total);
    void give_back(const place::network& of);

    limits caps_;
    std::span<const handlers::address_range> trusted_proxies_;
    std::mutex lock_;
    std::size_t total_ = 0;
    /// By network, without those that have none.
    std::map<std::array<std::uint8_t, 16>, std::size_t> networks_;
};

} // namespace server
