// Keys of TLS session tickets: derived from the master key and the time, so that all nodes have the same
// ones.
#pragma once

#include "crypto/keyring.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>

namespace server {

/** The keys that session tickets are encrypted with (RFC 5077, section 4; RFC 8446, section 4.6.1). Each
   period of twelve hours since 1970 has its own: a ticket is issued under the current one, and accepted in
   that period and the next, so it lives for one to two periods. Nothing is stored or exchanged: a node that
   was restarted, or has never seen the client, resumes the session. Thread-safe. */
class ticket_keys {
public:
    using clock = std::function<std::chrono::system_clock::time_point()>;

    static constexpr std::chrono::seconds period = std::chrono::hours(12);
    static constexpr std::size_t name_size = 16;

    /// The keys of one period. Wiped on destruction.
    struct key {
        key() = default;
        key(const key&) = default;
        key& operator=(const key&) = default;
        ~key();

        /// Public: the beginning of each ticket.
        std::array<std::uint8_t, name_size> name;
        /// AES-256.
        std::array<std::uint8_t, 32> cipher;
        /// HMAC-SHA-256.
        std::array<std::uint8_t, 32> mac;
    };

    /// @param now the time; of the system by default
    explicit ticket_keys(const crypto::keyring& master, clock now = &std::chrono::system_clock::now);
    ~ticket_keys();
    ticket_keys(const ticket_keys&) = delete;
    ticket_keys& operator=(const ticket_keys&) = delete;

    /// The key for new tickets. Some 3 µs, which a handshake does not notice. @throw crypto::failure
    key current() const;

    /// The key of a ticket, of this period or the previous one; nothing if the name is of neither.
    /// @throw crypto::failure
    std::optional<key> find(std::span<const std::uint8_t, name_size> name) const;

private:
    key of(std::int64_t number) const;
    std::int64_t current_number() const;

    crypto::key secret_;
    clock now_;
};

} // namespace server
