#include "server/http/connection_registry.hpp"

#include "crypto/random.hpp"
#include "server/http/response_writer.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace server {

using boost::system::error_code;

namespace {

constexpr std::chrono::seconds linger_time{2};

/// A body counts for its received bytes, and for the buffers that its connection needs to read it.
constexpr std::size_t body_overhead = 8 * 1024;

constexpr std::int64_t ticks_per_second = std::chrono::seconds(1) / connection_registry::tick_length;

std::int64_t ticks(std::chrono::seconds time)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(time) / connection_registry::tick_length + 1;
}

} // namespace

// ---- one connection

tracked_connection::tracked_connection(connection_registry& registry, tcp_socket socket)
    : registry_(registry), socket_(std::move(socket)), opened_(registry.tick), phase_began_(registry.tick)
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
    body_bytes_ += received;
    body_memory_ += memory;
    registry_.body_memory += memory;
    auto& limits = registry_.settings.limits;
    auto earned = static_cast<std::int64_t>(body_bytes_ * ticks_per_second / limits.least_body_rate);
    deadline_ = body_began_ + std::min(ticks(limits.body), ticks(limits.body_grace) + earned);
}

void tracked_connection::release_body()
{
    registry_.body_memory -= body_memory_;
    body_memory_ = 0;
}

std::int64_t tracked_connection::body_rate() const
{
    auto elapsed = registry_.tick - body_began_ + 1;
    return static_cast<std::int64_t>(body_bytes_) * ticks_per_second / elapsed;
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

bool tracked_connection::is_idle() const
{
    return phase_ == phase::idle && !timed_out_ && (answered_ || registry_.tick > opened_ + ticks_per_second);
}

void tracked_connection::close_if_expired()
{
    if (deadline_ != 0 && registry_.tick >= deadline_)
        close();
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
    : context(context), routes(routes), settings(settings), date(http_date())
{
    auto bytes = crypto::random_bytes<sizeof run_id_>();
    std::memcpy(&run_id_, bytes.data(), sizeof run_id_);
}

std::string_view connection_registry::next_request_id(request_id_buffer& space)
{
    auto end = std::to_chars(space.data(), space.data() + space.size(), run_id_, 36).ptr;
    *end++ = '-';
    end = std::to_chars(end, space.data() + space.size(), ++requests_, 36).ptr;
    return {space.data(), static_cast<std::size_t>(end - space.data())};
}

void connection_registry::sweep()
{
    ++tick;
    if (tick % ticks_per_second == 0)
        date = http_date();
    for (auto& connection : connections)
        connection.close_if_expired();
    log.report_omitted(request_log::clock::now());
}

void connection_registry::shed_bodies()
{
    while (body_memory > body_budget() && !reading_bodies.empty()) {
        auto slowest = std::ranges::min_element(reading_bodies, {}, &tracked_connection::body_rate);
        slowest->evict_body();
    }
}

bool connection_registry::close_an_idle_one()
{
    // A sample, as of an approximate LRU: the list is in the order of the connections' beginning, and those
    // that were looked at move to its end.
    constexpr int sample = 16;
    tracked_connection* oldest = nullptr;
    for (int looked_at = 0; looked_at < sample && !connections.empty(); ++looked_at) {
        auto& candidate = connections.front();
        connections.splice(connections.end(), connections, connections.begin());
        if (candidate.is_idle() && (!oldest || candidate.idle_since() < oldest->idle_since()))
            oldest = &candidate;
    }
    if (oldest)
        oldest->close();
    return oldest != nullptr;
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
