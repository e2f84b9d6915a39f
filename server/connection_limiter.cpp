#include "server/connection_limiter.hpp"

#include <algorithm>

namespace server {

namespace {

/// Connections beyond the total, as a part of it, of trusted proxies that have not named the client yet.
constexpr std::size_t provisional_part = 16, least_provisional = 8;

/// A /48 has this many times the cap of a network.
constexpr std::size_t networks_of_site = 2;

/// The /48 around a network; nothing for IPv4.
std::optional<connection_limiter::network> site_of(const connection_limiter::network& network)
{
    if (network[10] == 0xff) // an IPv4-mapped address
        return std::nullopt;
    auto out = network;
    out[6] = 0;
    out[15] = 48; // no network has this byte
    return out;
}

} // namespace

std::optional<connection_limiter::network>
connection_limiter::network_of(const boost::asio::ip::address& client) const
{
    if (handlers::is_in(trusted_proxies_, client))
        return std::nullopt;
    return handlers::network_bucket(client);
}

std::size_t connection_limiter::count_of(const network& of) const
{
    auto known = networks_.find(of);
    return known == networks_.end() ? 0 : known->second;
}

/// Counts a connection of a network, under the lock. @return false if the network or its site is full
bool connection_limiter::enter(const network& to)
{
    auto site = site_of(to);
    auto cap = caps_.per_network;
    if (cap != 0 && (count_of(to) >= cap || (site && count_of(*site) >= cap * networks_of_site)))
        return false;
    ++networks_[to];
    if (site)
        ++networks_[*site];
    return true;
}

/// Under the lock.
void connection_limiter::leave(const network& from)
{
    auto decrement = [this](const network& of) {
        auto count = networks_.find(of);
        if (--count->second == 0)
            networks_.erase(count);
    };
    decrement(from);
    if (auto site = site_of(from))
        decrement(*site);
}

connection_limiter::admission connection_limiter::take(const boost::asio::ip::address& client,
                                                       std::size_t total)
{
    auto network = network_of(client);
    std::lock_guard guard(lock_);
    // First of all: a client over its own cap does not count as one for which others have to make room.
    if (network && !enter(*network))
        return {verdict::network_full, std::nullopt};
    if (total != 0 && total_ >= total) {
        if (network)
            leave(*network);
        return {verdict::all_full, std::nullopt};
    }
    ++total_;
    return {verdict::admitted, place(*this, network, caps_.total != 0 && total_ > caps_.total)};
}

connection_limiter::admission connection_limiter::admit(const boost::asio::ip::address& client)
{
    return take(client, caps_.total);
}

connection_limiter::admission connection_limiter::admit_one_more(const boost::asio::ip::address& client)
{
    auto out = take(client, 0);
    if (out.place)
        out.place->is_provisional_ = false;
    return out;
}

connection_limiter::admission connection_limiter::admit_provisionally(const boost::asio::ip::address& proxy)
{
    return take(proxy, caps_.total + std::max(caps_.total / provisional_part, least_provisional));
}

connection_limiter::verdict connection_limiter::move_to(place& taken, const boost::asio::ip::address& client)
{
    auto network = taken.network_ ? std::nullopt : network_of(client);
    std::lock_guard guard(lock_);
    if (network && !enter(*network))
        return verdict::network_full;
    if (network)
        taken.network_ = network;
    bool was_provisional = std::exchange(taken.is_provisional_, false);
    return was_provisional && total_ > caps_.total ? verdict::all_full : verdict::admitted;
}

std::size_t connection_limiter::connections_around(const place& of)
{
    if (!of.network_)
        return 0;
    std::lock_guard guard(lock_);
    return count_of(*of.network_);
}

void connection_limiter::give_back(const std::optional<network>& of)
{
    std::lock_guard guard(lock_);
    --total_;
    if (of)
        leave(*of);
}

} // namespace server
