// This process among all that serve the same database: what it may believe, and who has to know what it
// changes.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/ack_tracker.hpp"
#include "db/principals/lease.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace db {

class principal_changes;

/** Keeps this process's lease, and waits for those of the others.

    The database itself tells of every change (migrations/0006_nodes.sql). This class listens, on a connection
   of its own, makes all cores forget, and acknowledges. It renews the lease on that same connection, so that
   what it cannot hear it does not believe for long. Whoever has changed something waits in settle() until all
   others have forgotten, or can no longer believe. Where the connection cannot listen, as behind a pooler of
   transactions, there is no lease, and every look-up goes to the database: slower, never wrong. Such a pooler
   does not refuse to listen: it listens on whatever server it has at hand, whose notices reach whoever has
   that server next. So where nothing is prepared, which is how one tells of a pooler, it is not even tried: a
   node that hears itself once by luck would believe for ever.

    Belongs to one io_context's thread; settle() may be awaited on any. Destroy it before its io_context. */
class node {
public:
    struct config {
        pipeline::config
            connection; ///< its callbacks are replaced by this class's, `on_event` is called besides

        /// How long a node believes after its last renewal, and so how long a change waits for one that is
        /// silent.
        std::chrono::milliseconds lease_length{2000};

        /// False for a program that changes something and remembers nothing.
        bool remembers = true;

        /// How long settle() tries to reach a database that does not answer.
        std::chrono::milliseconds patience{10'000};
    };

    /** @param elsewhere connections other than its own, to hear itself over @param trust granted and dropped
     * here */
    node(boost::asio::io_context& io, pool& elsewhere, principal_changes& changes, lease& trust,
         config settings);
    ~node();
    node(const node&) = delete;
    node& operator=(const node&) = delete;

    const uuid& id() const { return id_; }

    /** Wait until no other node accepts what was true before a change. From any thread.
        @param change as close_change() named it; committed
        @throw failure (unavailable) if the database does not tell who there is: then others may still
       believe, for a lease's length at most */
    awaitable<void> settle(uuid change);

    /// Believe nothing any more, and let nobody wait for this node.
    awaitable<void> leave();

    /// Other nodes that may hold a lease.
    std::size_t peers() const { return watch_.live(boot_clock::now()); }

    /// Called on this node's thread with the number of nodes alive, this one included, at each renewal.
    std::function<void(std::size_t)> on_census;

private:
    enum class hearing { unknown, good, none };
    struct told; ///< what was heard and not yet done

    pipeline::config with_callbacks(pipeline::config settings);
    awaitable<void> serve_connection();
    awaitable<void> listen();
    awaitable<void> keep_lease(std::uint64_t connection);
    awaitable<bool> renew();
    awaitable<void> bury_dead();

    void hear(std::string_view channel, std::string_view payload);
    void hear_change(std::string_view payload);
    void hear_acknowledgement(std::string_view payload);
    awaitable<void> forget_what_was_told();
    bool is_behind() const;

    awaitable<void> wait_for_peers(uuid change);
    awaitable<std::vector<peer>> find_peers();
    awaitable<void> look_again(uuid change);
    awaitable<void> sleep_until_news(uuid change, std::chrono::milliseconds at_most);
    awaitable<void> sleep(std::chrono::milliseconds time);

    boost::asio::io_context& io_;
    pool& elsewhere_;
    principal_changes& changes_;
    lease& trust_;
    config settings_;
    uuid id_;
    std::int64_t epoch_ = 0;
    peer_watch watch_;
    hearing hearing_ = hearing::unknown;
    std::string echo_; ///< what it listens for, to know that it hears
    bool leaving_ = false;
    boot_clock::time_point buried_at_{};

    std::vector<std::string> heard_; ///< changes that wait to be forgotten, in order
    std::optional<boot_clock::time_point> forgetting_since_;
    using timers = std::multimap<uuid, steady_timer*>;
    std::shared_ptr<timers> sleepers_ = std::make_shared<timers>(); ///< shared with frames that outlive this
    pipeline connection_;                                           ///< last: its callbacks use the rest
};

} // namespace db
