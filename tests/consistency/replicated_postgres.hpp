// PostgreSQL with a synchronous standby, and the ways in which the standby takes over.
#pragma once

#include "tests/support/eventually.hpp"
#include "tests/support/postgres.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

namespace consistency {

/** Two clusters, one of which follows the other. Commits wait for the standby (synchronous_commit = on and
    synchronous_standby_names), except from a promotion until the other cluster is its standby: then no
    failover can happen. Belongs to one thread. */
class replicated_postgres {
public:
    replicated_postgres() : clusters_{std::make_unique<support::postgres_cluster>(), nullptr}
    {
        clusters_[1] = support::postgres_cluster::standby_of(*clusters_[0]);
        replicate();
    }

    support::postgres_cluster& primary() const { return *clusters_[primary_]; }
    std::size_t primary_index() const { return primary_; }

    /// The folders of the sockets, of both clusters for their whole lives.
    std::array<std::string, 2> hosts() const { return {clusters_[0]->host(), clusters_[1]->host()}; }

    /// The primary is killed, and the standby promoted.
    void fail_over()
    {
        primary().kill();
        promote_standby();
        rebuild_earlier_primary();
    }

    /** Split brain: the primary is paused, the standby promoted, and then the earlier primary continues
        beside the new one.
        @param paused for which the earlier primary is paused, at least
        @param beside for which both are primaries, before the earlier one is fenced (killed) */
    void split(std::chrono::milliseconds paused, std::chrono::milliseconds beside)
    {
        auto& earlier = primary();
        auto until = std::chrono::steady_clock::now() + paused;
        earlier.freeze();
        promote_standby();
        std::this_thread::sleep_until(until);
        earlier.thaw();
        std::this_thread::sleep_for(beside);
        rebuild_earlier_primary();
    }

    /// Planned: the primary stops, the standby is promoted, and the earlier primary follows it.
    void switch_over()
    {
        auto& earlier = primary();
        earlier.stop();
        promote_standby();
        earlier.demote(primary());
        replicate();
    }

    /// Commits take this much longer, as on a slow disk: the standby applies them late, and they wait for
    /// that.
    void delay_commits(std::chrono::milliseconds by) const
    {
        configure(standby(), "recovery_min_apply_delay = '" + std::to_string(by.count()) + "ms'");
        configure(primary(),
                  by.count() > 0 ? "synchronous_commit = 'remote_apply'" : "synchronous_commit = 'on'");
    }

private:
    support::postgres_cluster& standby() const { return *clusters_[1 - primary_]; }

    void promote_standby()
    {
        standby().promote();
        primary_ = 1 - primary_;
    }

    void rebuild_earlier_primary()
    {
        standby().rebuild(primary());
        replicate();
    }

    static void configure(const support::postgres_cluster& one, const std::string& setting)
    {
        support::sql(one.conninfo(), "ALTER SYSTEM SET " + setting);
        support::sql(one.conninfo(), "SELECT pg_reload_conf()");
    }

    /// Returns once commits wait for the standby.
    void replicate() const
    {
        configure(standby(),
                  "synchronous_standby_names = ''"); // its configuration is a copy of the primary's
        configure(primary(), "synchronous_standby_names = '*'");
        // A standby counts as synchronous before it has followed to the primary's timeline. Promoted then, it
        // would lack what the primary committed by itself.
        auto written = support::sql(primary().conninfo(), "SELECT pg_current_wal_lsn()");
        bool is_synchronous = support::eventually([&] {
            return support::sql(primary().conninfo(),
                                "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND "
                                "sync_state = 'sync' AND replay_lsn >= '" +
                                    written + "'") == "1";
        });
        if (!is_synchronous)
            throw std::runtime_error("the standby does not follow its primary; its log:\n" +
                                     standby().last_log_lines() + "the primary's log:\n" +
                                     primary().last_log_lines());
    }

    std::array<std::unique_ptr<support::postgres_cluster>, 2> clusters_;
    std::size_t primary_ = 0;
};

} // namespace consistency
