#include "tests/support/transaction.hpp"

#include "tests/support/eventually.hpp"
#include "tests/support/postgres.hpp"

#include <atomic>
#include <future>

namespace support {

transaction::transaction(const std::string& conninfo) : conninfo_(conninfo), connection_(conninfo)
{
    sql("BEGIN");
}

void transaction::sql(const std::string& statements)
{
    connection_.run(statements);
}

bool transaction::commit_when_blocking(const std::function<void()>& work)
{
    std::atomic<bool> ended = false;
    auto waited = std::async(std::launch::async, [&] {
        sql_connection observer(conninfo_);
        bool blocking = false;
        eventually([&] {
            blocking = observer.run("SELECT count(*) FROM pg_locks WHERE NOT granted") != "0";
            return blocking || ended;
        });
        commit();
        return blocking;
    });
    work();
    ended = true;
    return waited.get();
}

} // namespace support
