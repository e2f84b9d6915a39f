#include "tests/support/transaction.hpp"

#include "tests/support/eventually.hpp"
#include "tests/support/postgres.hpp"

#include <stdexcept>

namespace support {

transaction::transaction(const std::string& conninfo)
    : conninfo_(conninfo), pg_(PQconnectdb(conninfo.c_str()), PQfinish)
{
    if (PQstatus(pg_.get()) != CONNECTION_OK)
        throw std::runtime_error(PQerrorMessage(pg_.get()));
    sql("BEGIN");
}

void transaction::sql(const std::string& statements)
{
    std::unique_ptr<PGresult, decltype(&PQclear)> answer(PQexec(pg_.get(), statements.c_str()), PQclear);
    auto status = PQresultStatus(answer.get());
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        throw std::runtime_error(statements + ": " + PQerrorMessage(pg_.get()));
}

std::future<bool> transaction::commit_when_waited_for()
{
    return std::async(std::launch::async, [this] {
        constexpr std::chrono::seconds limit{3};
        bool waited = eventually(limit, [this] {
            return support::sql(conninfo_, "SELECT count(*) FROM pg_locks WHERE NOT granted") != "0";
        });
        commit();
        return waited;
    });
}

} // namespace support
