#include "server/connection_limiter.hpp"

namespace server {

connection_limiter::admission connection_limiter::take(const boost::asio::ip::address& client,
                                                       std::size_t total)
{
    place::network network;
    if (!handlers::is_in(trusted_proxies_, client))
        network = handlers::network_bucket(client);
    std::lock_guard guard(lock_);
    if (total != 0 && total_ >= total)
        return {verdict::all_full, std::nullopt};
    if (network) {
        auto& count = networks_[*network]; // a new one is below the cap
        if (caps_.per_network != 0 && count >= caps_.per_network)
            return {verdict::network_full, std::nullopt};
        ++count;
    }
    ++total_;
    return {verdict::admitted, place(*this, network)};
}

connection_limiter::admission connection_limiter::admit(const boost::asio::ip::address& client)
{
    return take(client, caps_.total);
}

connection_limiter::admission connection_limiter::admit_one_more(const boost::asio::ip::address& client)
{
    return take(client, 0);
}

bool connection_limiter::move_to(place& taken, const boost::asio::ip::address& client)
{
    if (taken.network_ || handlers::is_in(trusted_proxies_, client))
        return true;
    auto network = handlers::network_bucket(client);
    std::lock_guard guard(lock_);
    auto& count = networks_[network];
    if (caps_.per_network != 0 && count >= caps_.per_network)
        return false;
    ++count;
    taken.network_ = network;
    return true;
}

void connection_limiter::give_back(const place::network& of)
{
    std::lock_guard guard(lock_);
    --total_;
    if (!of)
        return;
    auto count = networks_.find(*of);
    if (--count->second == 0)
        networks_.erase(count);
}

} // namespace server
