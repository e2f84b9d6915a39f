// TLS handshakes: what they come to.
#pragma once

#include <boost/describe/enum.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/list.hpp>

#include <array>
#include <cstddef>
#include <cstdint>

namespace handlers {

/** What a TLS handshake comes to. Its names are labels of metrics and in the log. Successes:
    - `full`, or `resumed` by a ticket.

    Failures:
    - `plain_http`: the client does not speak TLS, but HTTP
    - `malformed`: the client does not speak TLS
    - `unsupported`: the client has no version, cipher or protocol that is accepted
    - `client_certificate`: the client has no certificate, or one that is not accepted
    - `rejected`: the client ended it, such as for a certificate that it does not trust
    - `timeout`: it took too long
    - `disconnected`: the client closed the connection
    - `other` */
enum class handshake {
    full,
    resumed,
    plain_http,
    malformed,
    unsupported,
    client_certificate,
    rejected,
    timeout,
    disconnected,
    other
};
BOOST_DESCRIBE_ENUM(handshake, full, resumed, plain_http, malformed, unsupported, client_certificate,
                    rejected, timeout, disconnected, other)

inline constexpr std::size_t handshake_outcomes =
    boost::mp11::mp_size<boost::describe::describe_enumerators<handshake>>::value;

/// Handshakes so far, by what they came to.
using handshake_counts = std::array<std::uint64_t, handshake_outcomes>;

constexpr bool is_success(handshake outcome)
{
    return outcome == handshake::full || outcome == handshake::resumed;
}

} // namespace handlers
