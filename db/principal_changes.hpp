// The one way to commit what changes somebody's rights.
#pragma once

#include "db/pool.hpp"
#include "db/principals.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace db {

/** Connects every commit that changes what a credential may do with the caches of all cores: when commit()
    returns, no core of this process accepts the state before. One for the process; any core may call it. */
class principal_changes {
public:
    struct config {
        /// A batch whose connection was lost may still commit within this time; then all cores forget again.
        std::chrono::milliseconds settle_time{15'000};
    };

    explicit principal_changes(config settings);
    principal_changes() : principal_changes(config()) {}
    ~principal_changes();

    /// Keeps a core enrolled. Destroy it before the core's principals and io_context, with the core at rest:
    /// on its own thread, or when that has ended.
    class enrolment;

    /// From now on every commit waits for this core.
    [[nodiscard]] enrolment enrol(boost::asio::io_context& io, principals& core);

    /** Run a batch, then make every core forget what it changed, the caller's own included, and wait until
        all have. Evicts also when the batch fails without saying whether it took effect. Costs the batch and
        one hop to the other cores and back.
        @throw failure as pool::run */
    awaitable<results> commit(pool& db, batch work, change what);

    /** As above, where only the answers tell what has changed.
        @param at_most    covers whatever `from` can return; used when the answers are lost
        @param from       called with the answers; if its change is empty nobody waits */
    awaitable<results> commit(pool& db, batch work, change at_most,
                              std::function<change(const results&)> from);

    /// Make every core forget, and wait until all have.
    awaitable<void> evict(change what);

private:
    class hub;
    std::shared_ptr<hub> hub_;
};

class principal_changes::enrolment {
public:
    enrolment() = default;
    enrolment(enrolment&&) noexcept;
    enrolment& operator=(enrolment&&) noexcept;
    ~enrolment();

private:
    friend class principal_changes;
    enrolment(std::shared_ptr<hub> of, boost::asio::io_context& io);

    std::shared_ptr<hub> hub_;
    boost::asio::io_context* io_ = nullptr;
};

} // namespace db
