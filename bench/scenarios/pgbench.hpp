// pgbench: what PostgreSQL does without a server in front of it.
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace bench {

/** One transaction each: changes a row of a table of its own and notifies a channel without listeners, in one
    prepared statement and one round trip. The table is dropped in the end. */
class pgbench_notify {
public:
    /// @throw failure if the database cannot be reached
    explicit pgbench_notify(std::string database_url);
    ~pgbench_notify();
    pgbench_notify(const pgbench_notify&) = delete;
    pgbench_notify& operator=(const pgbench_notify&) = delete;

    /// Whether commits wait for the disk: fsync and synchronous_commit are on.
    bool is_durable() const { return is_durable_; }

    /// @return transactions per second, or nothing if pgbench is not installed or fails
    std::optional<double> run(std::size_t clients, std::chrono::nanoseconds duration) const;

private:
    std::string database_url_, script_;
    bool is_durable_ = false;
};

/// The rate in the output of pgbench, without the time to connect.
std::optional<double> read_pgbench_rate(std::string_view output);

} // namespace bench
