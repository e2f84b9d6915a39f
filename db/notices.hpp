// What other processes have changed, as PostgreSQL tells it.
#pragma once

#include "db/pipeline.hpp"
#include "db/principal_changes.hpp"

#include <string_view>

namespace db {

/// Tell every process that listens to forget a user's credentials, when the batch commits.
void add_notice(batch& work, const uuid& user_id);

/** Listens for such notices on a connection of its own, and makes all cores of this process forget. What may have been
    said while it was not connected it cannot know: then they forget everything. Destroy it before its io_context. */
class notices {
public:
    /// @param settings of the connection; its callbacks are replaced by these, `on_event` is called besides
    notices(boost::asio::io_context& io, principal_changes& changes, pipeline::config settings);

private:
    pipeline::config with_callbacks(pipeline::config settings);
    awaitable<void> listen();
    void forget(change what);

    boost::asio::io_context& io_;
    principal_changes& changes_;
    pipeline connection_;
};

} // namespace db
