#include "crypto/random.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <chrono>

namespace crypto {

namespace {

void draw(std::span<std::uint8_t> out)
{
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1)
        throw failure("no random bytes to be had");
}

/** Random bytes in store. A thread's own; a process that forks without exec is not foreseen. */
struct store {
    std::array<std::uint8_t, 1024> bytes;
    std::size_t used = sizeof bytes;

    ~store() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

thread_local store reserve;

} // namespace

void fill_random(std::span<std::uint8_t> out)
{
    if (out.size() > reserve.bytes.size() / 4)
        return draw(out);
    if (reserve.bytes.size() - reserve.used < out.size()) {
        draw(reserve.bytes);
        reserve.used = 0;
    }
    auto* from = reserve.bytes.data() + reserve.used;
    std::copy_n(from, out.size(), out.begin());
    OPENSSL_cleanse(from, out.size());
    reserve.used += out.size();
}

boost::uuids::uuid make_uuid_v7()
{
    thread_local std::uint64_t last = 0; // milliseconds and counter, as one 60-bit number
    using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::system_clock;
    auto now = static_cast<std::uint64_t>(
        duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());

    boost::uuids::uuid id;
    fill_random(id.data);
    // The counter of a new millisecond starts at random in its lower half: room to grow, and nothing to
    // guess.
    auto start = ((std::uint64_t{id.data[6]} << 8) | id.data[7]) & 0x7ff;
    last = std::max(last + 1, (now << 12) | start);

    for (std::size_t i = 0; i < 6; ++i)
        id.data[i] = static_cast<std::uint8_t>(last >> (52 - 8 * i));
    id.data[6] = static_cast<std::uint8_t>(0x70 | ((last >> 8) & 0x0f));
    id.data[7] = static_cast<std::uint8_t>(last);
    id.data[8] = static_cast<std::uint8_t>(0x80 | (id.data[8] & 0x3f));
    return id;
}

} // namespace crypto
