// Waiting for queued emails to be delivered.
#pragma once

#include "tests/support/database.hpp"
#include "tests/support/eventually.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

namespace e2e {

/** Wait until every queued email has been delivered. An email is queued before the request that causes it is
    answered, so after this call no more emails of earlier requests arrive.
    @param kind only those of this kind; all if empty */
inline void await_delivery(const support::database& db, const std::string& kind = {})
{
    auto queued = "SELECT count(*) FROM outbox" + (kind.empty() ? "" : " WHERE kind = '" + kind + "'");
    bool is_empty = support::eventually([&] { return db.sql(queued) == "0"; });
    BOOST_REQUIRE_MESSAGE(is_empty, "an email is not delivered " + kind);
}

} // namespace e2e
