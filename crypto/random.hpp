// Randomness: the one source of it, and the ids made from it.
#pragma once

#include <boost/uuid/uuid.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>

namespace crypto {

/** A primitive refused to work: no entropy, no memory. Nothing a caller can mend. */
class failure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/** Fill with bytes from OpenSSL's CSPRNG, drawn in blocks per thread, so that 16 bytes cost some tens of
    nanoseconds; what has been handed out is wiped from the block, and a forked child starts a new one.
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
    thread grow strictly: within a millisecond the 12 bits after the time count up. @throw failure */
boost::uuids::uuid make_uuid_v7();

} // namespace crypto
