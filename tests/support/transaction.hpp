// A concurrent transaction, to interleave with the server's.
#pragma once

#include "tests/support/postgres.hpp"

#include <functional>
#include <string>

namespace support {

/// Open until committed, or rolled back by the destructor. Blocking.
class transaction {
public:
    explicit transaction(const std::string& conninfo);

    /// @throw runtime_error if it fails
    void sql(const std::string& statements);

    void commit() { sql("COMMIT"); }

    /** Run `work`, and on another thread commit as soon as another transaction waits for a lock, or once
        `work` has ended. @return whether one has waited */
    bool commit_when_blocking(const std::function<void()>& work);

private:
    std::string conninfo_;
    sql_connection connection_;
};

} // namespace support
