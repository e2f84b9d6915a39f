// The one database of this process: a writable primary, on the newest timeline seen.
#pragma once

#include "db/postgres/statement.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace db {

/// Which history of which cluster a server continues. A promotion begins a new timeline.
struct server_identity {
    /// pg_control_system().system_identifier
    std::uint64_t system = 0;
    std::uint32_t timeline = 0;

    bool operator==(const server_identity&) const = default;
};

/// Returns three texts: whether the session may write ('t' or 'f'), and the identity (timeline in
/// hexadecimal).
extern const statement identify_server;

/** Shared by all connections of this process with the same connection string. Once one of them has reached
    a server that has taken over, the others are given up before their next answer is used: what an earlier
    primary still answers must not be cached under a lease of the present one. Thread-safe. */
class known_server {
public:
    /// @return the same object for the same connection string, while anything holds it
    static std::shared_ptr<known_server> of(const std::string& conninfo);

    /** A connection has reached this server. Another cluster, or a newer timeline, replaces the known one.
        @return a number for is_current(); nothing if the server is on an older timeline */
    std::optional<std::uint64_t> accept(const server_identity& reached);

    /// Whether no other server was accepted since. One atomic load.
    bool is_current(std::uint64_t accepted) const
    {
        return accepted == number_.load(std::memory_order_acquire);
    }

    /// Whether a connection of this process has found that the statements of the program fit the schema.
    bool statements_checked() const { return statements_checked_.load(std::memory_order_relaxed); }
    void set_statements_checked() { statements_checked_.store(true, std::memory_order_relaxed); }

private:
    std::mutex mutex_;
    server_identity identity_;
    std::atomic<std::uint64_t> number_{0};
    std::atomic<bool> statements_checked_{false};
};

} // namespace db
