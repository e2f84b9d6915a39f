#include "server/http/connection_registry.hpp"

#include "crypto/random.hpp"
#include "server/http/response_writer.hpp"

#include <charconv>
#include <cstring>

namespace server {

using boost::system::error_code;

namespace {

constexpr std::chrono::seconds linger_time{2};

std::int64_t ticks(std::chrono::seconds time)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(time) / connection_registry::tick_length + 1;
}

} // namespace

// ---- one connection

tracked_connection::tracked_connection(connection_registry& registry, tcp_socket socket)
    : registry_(registry), socket_(std::move(socket)), opened_(registry.tick)
{
    registry_.connections.push_back(*this);
}

tracked_connection::~tracked_connection()
{
    enter(phase::idle); // leaves requests_in_flight
    registry_.connections.erase(registry_.connections.iterator_to(*this));
}

void tracked_connection::enter(phase next)
{
    if (phase_ == phase::handling)
        --registry_.requests_in_flight;
    if (next == phase::handling)
        ++registry_.requests_in_flight;
    phase_ = next;

    auto& limits = registry_.settings.limits;
    switch (next) {
    case phase::idle:
        deadline_ = registry_.tick + ticks(answered_ ? limits.idle : limits.header);
        break;
    case phase::header:
        deadline_ = registry_.tick + ticks(limits.header);
        break;
    case phase::body:
        deadline_ = registry_.tick + ticks(limits.body);
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

bool tracked_connection::is_idle() const
{
    constexpr std::int64_t first_second = std::chrono::seconds(1) / connection_registry::tick_length;
    return phase_ == phase::idle && (answered_ || registry_.tick > opened_ + first_second);
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
    if (tick % (std::chrono::seconds(1) / tick_length) == 0)
        date = http_date();
    for (auto& connection : connections)
        connection.close_if_expired();
    log.report_omitted(request_log::clock::now());
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
