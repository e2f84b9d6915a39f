// Request log: one line per request, and the validation of request ids that clients supply.
#pragma once

#include "handlers/http/message.hpp"
#include "handlers/metrics/handshakes.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

namespace server {

/** Whether a client's X-Request-Id may be repeated in headers and logs: at most 128 ASCII alphanumerics, `-`,
    `_` and `.`. */
bool is_valid_request_id(std::string_view id);

/** The request log of one core: at `info` changes and client errors, at `debug` the routine responses to
    other services, tens of thousands per second. The route is logged in place of the path, so that nothing
    from a client's URL reaches the log.

    Refusals are sampled, since anonymous clients can cause any number of them: of each route and status, the
    first refusals of a second are logged, and the others are counted in one line. */
class request_log {
public:
    using clock = std::chrono::steady_clock;

    /// Logged for each second, route and status.
    static constexpr std::uint64_t refusals_per_second = 10;

    /** Log one request.
        @param request null if it could not be parsed
        @param remote address of the socket's other end */
    void record(const handlers::reply& reply, const handlers::request* request, std::string_view request_id,
                const boost::asio::ip::address& remote, std::chrono::nanoseconds duration);

    /// Log a TLS handshake that failed, sampled as refusals are.
    /// @param cause empty: none but the outcome
    void record(handlers::handshake outcome, std::string_view cause, const boost::asio::ip::address& remote);

    /// Whether a refusal is logged; otherwise it is counted.
    bool admits_refusal(std::string_view route, unsigned status, clock::time_point now);

    /// Log how many refusals of past seconds were not logged; called a few times per second.
    /// @return their sum
    std::uint64_t report_omitted(clock::time_point now);

private:
    struct sample {
        clock::time_point begin;
        std::uint64_t logged = 0;
        std::uint64_t omitted = 0;
    };

    /// By route and status: bounded, since a route is a pattern of the route table. A handshake has the name
    /// of its outcome, and no status.
    std::map<std::pair<std::string_view, unsigned>, sample> samples_;
};

} // namespace server
