// Which statements of the program a connection has prepared.
#pragma once

#include "db/postgres/error.hpp"
#include "db/postgres/statement.hpp"

#include <libpq-fe.h>

#include <cstddef>
#include <deque>
#include <map>
#include <vector>

namespace db {

/** The prepared statements of one connection. Each is prepared (Parse) when it is first used, and kept for
    the connection's life: after a failover a connection costs the server little more than its process.

    A Parse precedes the batch that needs it, in a segment of its own that ends with a Sync, so that neither
    affects the other: PostgreSQL does not skip it because an earlier statement failed, and its own error
    aborts nothing else. Batches that follow before it is answered rely on it. A statement that was
    refused is tried again by its next use. No I/O. */
class prepared_statements {
public:
    prepared_statements();

    /// Whether to send a Parse: the connection has none and none is on its way. If so, one now is.
    bool claim(const statement& used)
    {
        auto index = used.index();
        if (index < is_asked_.size() && is_asked_[index])
            return false;
        add(used);
        return true;
    }

    /** Record the answer to the Parse that was sent first among those without one.
        @throw failure (unavailable) if there is none, or if the server has a statement of this name, which
               only another client behind a pooler can have prepared: it may be another statement, and batches
               on their way would run it. The connection must be dropped */
    void take(const PGresult* answer);

    /// Why the server refused the statement when it was asked last, or nullptr.
    const failure* refusal(const statement& used) const;

private:
    void add(const statement& used);

    /// By statement::index(): a Parse has been sent, and was not refused.
    std::vector<bool> is_asked_;

    /// Those without an answer, in the order of their Parse messages.
    std::deque<const statement*> requested_;
    std::map<std::size_t, failure> refusals_;
};

} // namespace db
