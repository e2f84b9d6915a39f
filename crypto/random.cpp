#include "crypto/random.hpp"

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <pthread.h>

namespace crypto {

namespace {

void draw_from_openssl(std::span<std::uint8_t> out)
{
    if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1)
        throw failure("no random bytes available");
}

/// Number of forks up to this process: a child must not return bytes from its parent's buffer.
std::atomic<unsigned> forks = 0;
[[maybe_unused]] const int fork_handler_installed = pthread_atfork(nullptr, nullptr, [] { ++forks; });

/// Buffered random bytes of one thread.
struct random_buffer {
    std::array<std::uint8_t, 1024> bytes;
    std::size_t used = sizeof bytes;
    unsigned forks_at_fill = 0;

    ~random_buffer() { OPENSSL_cleanse(bytes.data(), bytes.size()); }
};

thread_local random_buffer buffer;

} // namespace

void fill_random(std::span<std::uint8_t> out)
{
    if (out.size() > buffer.bytes.size() / 4)
        return draw_from_openssl(out);
    auto forks_now = forks.load(std::memory_order_relaxed);
    if (buffer.bytes.size() - buffer.used < out.size() || buffer.forks_at_fill != forks_now) {
        draw_from_openssl(buffer.bytes);
        buffer.used = 0;
        buffer.forks_at_fill = forks_now;
    }
    auto* from = buffer.bytes.data() + buffer.used;
    std::copy_n(from, out.size(), out.begin());
    OPENSSL_cleanse(from, out.size());
    buffer.used += out.size();
}

boost::uuids::uuid make_uuid_v7()
{
    thread_local std::uint64_t last = 0; // milliseconds and counter, as one 60-bit number
    using std::chrono::duration_cast, std::chrono::milliseconds, std::chrono::system_clock;
    auto now = static_cast<std::uint64_t>(
        duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count());

    boost::uuids::uuid id;
    fill_random(id.data);
    // The counter of a new millisecond starts at a random value in its lower half, which leaves room to count
    // up.
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
