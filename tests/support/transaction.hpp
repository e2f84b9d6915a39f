// Another client's transaction, for what has to come in the middle of one.
#pragma once

#include <libpq-fe.h>

#include <future>
#include <memory>
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
    std::unique_ptr<PGconn, decltype(&PQfinish)> pg_;
};

} // namespace support
