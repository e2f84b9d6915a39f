#include "tests/support/transaction.hpp"

#include "tests/support/eventually.hpp"
#include "tests/support/postgres.hpp"

#include <stdexcept>

namespace support {

transaction::transaction(const std::string& conninfo) : conninfo_(conninfo), connection_(conninfo)
{
    sql("BEGIN");
}

void transaction::sql(const std::string& statements)
{
    connection_.run(statements);
}

std::future<bool> transaction::commit_when_blocking()
{
    return std::async(std::launch::async, [this] {
        bool waited = eventually([this] {
            return support::sql(conninfo_, "SELECT count(*) FROM pg_locks WHERE NOT granted") != "0";
        });
        commit();
        return waited;
    });
}

} // namespace support
