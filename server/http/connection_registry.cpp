#include "server/http/connection_registry.hpp"

#include "crypto/encoding.hpp"
#include "crypto/random.hpp"
#include "server/http/response_writer.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace server {

using boost::system::error_code;

namespace {

constexpr std::chrono::seconds linger_time{2};

/// A body counts for its received bytes, and for the buffers that its connection needs to read it.
constexpr std::size_t body_overhead = 8 * 1024;

/// An idle connection keeps the memory for its next request for this time. Parking costs two system calls.
constexpr std::chrono::seconds park_delay{2};

/// Connections that park in one sweep, at most: so many delay the others by half a millisecond at most.
constexpr std::size_t parked_at_once = 128;

/// A body that began less than this ago costs its memory alone: it may arrive with the next bytes.
constexpr std::chrono::seconds body_age_grace{2};

constexpr std::int64_t ticks_per_second = std::chrono::seconds(1) / connection_registry::tick_length;

std::int64_t ticks(std::chrono::seconds time)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(time) / connection_registry::tick_length + 1;
}

} // namespace

// ---- one connection

tracked_connection::tracked_connection(connection_registry& registry, tcp_socket socket,
                                       connection_limiter::place place)
    : registry_(registry), socket_(std::move(socket)), place_(std::move(place)), opened_(registry.tick),
      phase_began_(registry.tick)
{
    registry_.connections.push_back(*this);
}

tracked_connection::~tracked_connection()
{
    release_body();
    enter(phase::idle); // leaves requests_in_flight
    registry_.connections.erase(registry_.connections.iterator_to(*this));
}

void tracked_connection::enter(phase next)
{
    if (phase_ == phase::handling)
        --registry_.requests_in_flight;
    if (next == phase::handling)
        ++registry_.requests_in_flight;
    if (phase_ == phase::body && body_hook::is_linked())
        body_hook::unlink();
    phase_ = next;
    phase_began_ = registry_.tick;

    auto& limits = registry_.settings.limits;
    switch (next) {
    case phase::idle:
        deadline_ = registry_.tick + ticks(answered_ ? limits.idle : limits.header);
        break;
    case phase::header:
        deadline_ = registry_.tick + ticks(limits.header);
        break;
    case phase::body:
        registry_.reading_bodies.push_back(*this);
        body_began_ = registry_.tick;
        body_bytes_ = 0;
        add_body_bytes(0);
        break;
    case phase::handling: // handlers await operations that have deadlines of their own
        deadline_ = 0;
        break;
    case phase::write:
        deadline_ = registry_.tick + ticks(limits.write);
        break;
    case phase::linger:
        deadline_ = registry_.tick + ticks(linger_time);
        break;
    }
}

void tracked_connection::add_body_bytes(std::size_t received)
{
    auto memory = received + (body_memory_ == 0 ? body_overhead : 0);
    auto large_before = has_large_body() ? body_memory_ : 0;
    body_bytes_ += received;
    body_memory_ += memory;
    registry_.body_memory += memory;
    registry_.large_body_memory += (has_large_body() ? body_memory_ : 0) - large_before;
    auto& limits = registry_.settings.limits;
    auto earned = static_cast<std::int64_t>(body_bytes_ * ticks_per_second / limits.least_body_rate);
    deadline_ = body_began_ + std::min(ticks(limits.body), ticks(limits.body_grace) + earned);
}

void tracked_connection::release_body()
{
    registry_.body_memory -= body_memory_;
    registry_.large_body_memory -= has_large_body() ? body_memory_ : 0;
    body_memory_ = 0;
}

std::uint64_t tracked_connection::body_cost() const
{
    auto age = std::max<std::int64_t>(registry_.tick - body_began_ - ticks(body_age_grace), 0) + 1;
    return body_memory_ * static_cast<std::uint64_t>(age);
}

void tracked_connection::evict_body()
{
    is_body_evicted_ = true;
    if (body_hook::is_linked())
        body_hook::unlink();
    ++registry_.bodies_evicted;
    release_body(); // its coroutine frees the memory in its next turn
    close();
}

void tracked_connection::give_way()
{
    gives_way_ = true;
    if (body_hook::is_linked())
        body_hook::unlink();
    release_body();
    close();
}

bool tracked_connection::is_unfinished() const
{
    bool waits = phase_ == phase::header || phase_ == phase::body;
    return waits && !timed_out_ && registry_.tick > phase_began_ + ticks_per_second;
}

bool tracked_connection::is_idle() const
{
    return phase_ == phase::idle && !timed_out_ && (answered_ || registry_.tick > opened_ + ticks_per_second);
}

void tracked_connection::close_if_expired()
{
    if (deadline_ != 0 && registry_.tick >= deadline_)
        close();
}

bool tracked_connection::park_if_idle()
{
    if (!may_park_ || timed_out_ || registry_.tick < phase_began_ + ticks(park_delay))
        return false;
    may_park_ = false;
    error_code ignored;
    socket_.cancel(ignored);
    return true;
}

void tracked_connection::close()
{
    timed_out_ = true;
    error_code ignored;
    socket_.cancel(ignored);
}

// ---- all connections of a core

connection_registry::connection_registry(handlers::context& context, const handlers::router& routes,
                                         const config& settings)
    : context(context), routes(routes), settings(settings), date(http_date()),
      run_id_(crypto::to_base64url(crypto::random_bytes<8>()) + "-")
{}

std::string_view connection_registry::next_request_id(request_id_buffer& space)
{
    auto end = std::ranges::copy(run_id_, space.data()).out;
    end = std::to_chars(end, space.data() + space.size(), ++requests_, 16).ptr;
    return {space.data(), static_cast<std::size_t>(end - space.data())};
}

void connection_registry::sweep()
{
    ++tick;
    if (tick % ticks_per_second == 0)
        date = http_date();
    parked = 0;
    std::size_t to_park = 0;
    for (auto& connection : connections) {
        connection.close_if_expired();
        if (to_park < parked_at_once && connection.park_if_idle())
            ++to_park;
        parked += connection.is_parked() ? 1 : 0;
    }
    memory.trim();
    log.report_omitted(request_log::clock::now());
}

void connection_registry::shed_bodies(tracked_connection& asking)
{
    const auto budget = body_budget(), reserve = budget / 4;
    if (body_memory <= budget) // nearly always, and after every read of a body
        return;
    for (bool large : {true, false}) {
        auto excess = [&] {
            auto used = large ? large_body_memory : body_memory - large_body_memory;
            auto part = large ? budget - reserve : reserve;
            return body_memory <= budget || used <= part ? 0 : std::min(body_memory - budget, used - part);
        };
        std::size_t readable = 0;
        for (auto& each : reading_bodies)
            readable += each.has_large_body() == large ? each.body_memory() : 0;
        // Bodies that are being handled cannot be evicted. If the others do not suffice, evicting them would
        // be in vain, and no further memory is given.
        if (readable < excess()) {
            if (asking.has_large_body() == large)
                asking.evict_body();
            continue;
        }
        while (excess() > 0) {
            auto cost = [&](const tracked_connection& each) {
                return each.has_large_body() == large ? each.body_cost() : 0;
            };
            std::ranges::max_element(reading_bodies, {}, cost)->evict_body();
        }
    }
}

bool connection_registry::make_room(const tracked_connection* but)
{
    // A sample, as of an approximate LRU: the list is in the order of the connections' beginning, and those
    // that were looked at move to its end.
    constexpr int sample = 32;
    tracked_connection *oldest_idle = nullptr, *unfinished = nullptr;
    std::pair<std::size_t, std::int64_t> most{};
    for (int looked_at = 0; looked_at < sample && !connections.empty(); ++looked_at) {
        auto& candidate = connections.front();
        connections.splice(connections.end(), connections, connections.begin());
        if (&candidate == but)
            continue;
        if (candidate.is_idle() && (!oldest_idle || candidate.waits_since() < oldest_idle->waits_since()))
            oldest_idle = &candidate;
        if (oldest_idle || !candidate.is_unfinished())
            continue;
        std::pair rank(limiter ? limiter->connections_around(candidate.place()) : 0,
                       tick - candidate.waits_since());
        if (rank > most) {
            unfinished = &candidate;
            most = rank;
        }
    }
    if (oldest_idle)
        oldest_idle->close();
    else if (unfinished)
        unfinished->give_way();
    return oldest_idle || unfinished;
}

void connection_registry::close_idle()
{
    for (auto& connection : connections)
        if (connection.is_idle())
            connection.close();
}

void connection_registry::close_all()
{
    for (auto& connection : connections)
        connection.close();
}

} // namespace server
