// Another client's transaction, for what has to come in the middle of one.
#pragma once

#include "tests/support/postgres.hpp"

#include <future>
#include <string>

namespace support {

/** Open until it is committed, or rolled back with this object. Blocks. */
class transaction {
public:
    explicit transaction(const std::string& conninfo);

    /// @throw runtime_error if it fails
    void sql(const std::string& statements);

    void commit() { sql("COMMIT"); }

    /** On a thread of its own: commit as soon as somebody waits for a lock, or after a few seconds.
        @return whether anybody has waited */
    std::future<bool> commit_when_waited_for();

private:
    std::string conninfo_;
    sql_connection connection_;
};

} // namespace support
