#include "db/audit.hpp"

#include "db/columns.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace db::audit {

std::string as_json(const entry& event)
{
    auto id_or_null = [](const std::optional<uuid>& id) {
        return id ? boost::json::value(to_string(*id)) : boost::json::value();
    };
    boost::json::object members{
        {"id", to_string(event.id)},
        {"workspace_id", id_or_null(event.workspace_id)},
        {"action", event.action},
        {"actor_id", id_or_null(event.actor_id)},
        {"credential_id", id_or_null(event.credential_id)},
        {"target", event.target ? boost::json::value(*event.target) : boost::json::value()},
        {"ip", event.ip},
        {"user_agent", event.user_agent},
        {"request_id", event.request_id},
        {"details", boost::json::parse(event.details)},
    };
    return boost::json::serialize(members);
}

static const statement insert_event{"audit_insert", R"(
    INSERT INTO audit SELECT event.* FROM audit_event($1) AS event)"};

void add(batch& work, const entry& event)
{
    work.add(insert_event, as_json(event));
}

static const statement list_events{"audit_list", "SELECT " + columns<row>() + R"(
    FROM audit
    WHERE workspace_id = $1 AND id < coalesce($2, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid)
    ORDER BY id DESC
    LIMIT $3)"};

awaitable<std::vector<row>> list(pool& db, uuid workspace_id, std::optional<uuid> before, int limit)
{
    auto found = co_await db.run(list_events, workspace_id, before, limit);
    co_return found.as_vector<row>();
}

} // namespace db::audit
