// Random bytes and UUIDs: the only source of randomness.
#pragma once

#include <boost/uuid/uuid.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

namespace crypto {

/// A primitive failed: no entropy, no memory. Callers cannot recover.
class failure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/** Fill with bytes of OpenSSL's CSPRNG, buffered per thread, so that 16 bytes cost some tens of nanoseconds.
    Bytes are wiped from the buffer once used, and a forked child starts with an empty buffer.
    @throw failure */
void fill_random(std::span<std::uint8_t> out);

template <std::size_t N>
std::array<std::uint8_t, N> random_bytes()
{
    std::array<std::uint8_t, N> out;
    fill_random(out);
    return out;
}

/** A UUID of version 7 (RFC 9562, section 5.7): milliseconds since 1970, then random bits. Those of one
    thread increase strictly: within a millisecond, the 12 bits after the time are a counter. @throw failure
    */
boost::uuids::uuid make_uuid_v7();

} // namespace crypto
