// A blocking connection, sufficient for the start of the program.
#pragma once

#include "db/postgres/error.hpp"
#include "db/postgres/result.hpp"

#include <libpq-fe.h>

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace db {

class blocking_connection {
public:
    explicit blocking_connection(const std::string& conninfo)
    {
        const char* names[] = {"dbname", "fallback_application_name", "connect_timeout",
                               "target_session_attrs", nullptr};
        const char* values[] = {conninfo.c_str(), "latchkey", "10", "read-write", nullptr};
        constexpr int expand_dbname = 1;
        pg_.reset(PQconnectdbParams(names, values, expand_dbname));
        if (PQstatus(pg_.get()) != CONNECTION_OK)
            throw failure_of(pg_.get());
        PQsetNoticeReceiver(pg_.get(), [](void*, const PGresult*) {}, nullptr);
    }

    /// Runs any number of statements without parameters.
    void execute(const std::string& sql) { check(PQexec(pg_.get(), sql.c_str())); }

    /// Runs one statement with text parameters and text results.
    result query(const char* sql, std::initializer_list<std::string> parameters)
    {
        std::vector<const char*> values;
        for (const auto& each : parameters)
            values.push_back(each.c_str());
        return check(PQexecParams(pg_.get(), sql, static_cast<int>(values.size()), nullptr, values.data(),
                                  nullptr, nullptr, 0));
    }

private:
    static result check(PGresult* owned)
    {
        result answer(owned);
        auto status = PQresultStatus(owned);
        if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
            throw failure_of(owned);
        return answer;
    }

    struct finish {
        void operator()(PGconn* pg) const { PQfinish(pg); }
    };
    std::unique_ptr<PGconn, finish> pg_;
};

} // namespace db
