#include "db/tables/audit.hpp"

#include "db/postgres/columns.hpp"
#include "db/tables/keyset_pagination.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace db::audit {

std::string as_json(const entry& event)
{
    auto id_or_null = [](const std::optional<uuid>& id) {
        return id ? boost::json::value(to_string(*id)) : boost::json::value();
    };
    auto text_or_null = [](const std::optional<std::string>& text) {
        return text ? boost::json::value(*text) : boost::json::value();
    };
    boost::json::object members{
        {"id", to_string(event.id)},
        {"workspace_id", id_or_null(event.workspace_id)},
        {"action", event.action},
        {"actor_id", id_or_null(event.actor_id)},
        {"credential_id", id_or_null(event.credential_id)},
        {"target", text_or_null(event.target)},
        {"ip", event.ip},
        {"user_agent", event.user_agent},
        {"request_id", event.request_id},
        {"details", boost::json::parse(event.details)},
        {"subject_email", text_or_null(event.subject_email)},
        {"aggregate_key", text_or_null(event.aggregate_key)},
    };
    return boost::json::serialize(members);
}

static const statement insert_event{"audit_insert", R"(
    INSERT INTO audit SELECT event.* FROM audit_event($1) AS event)"};

void add(batch& work, const entry& event)
{
    work.add(insert_event, as_json(event));
}

namespace {

// A UUIDv7 begins with the server's time, which differs from the database's. The id range that bounds the
// index scan is therefore wider than the time range, and the condition on `at` decides.
constexpr std::chrono::minutes max_clock_skew{10};

uuid min_id_at(timestamp at)
{
    auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(at).time_since_epoch();
    auto milliseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(since_epoch.count(), 0));
    uuid out{};
    for (std::size_t i = 0; i < 6; ++i)
        out.data[i] = static_cast<std::uint8_t>(milliseconds >> (40 - 8 * i));
    return out;
}

// Filters in addition to the one that the index serves.
const std::string filters = R"(
    AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::timestamptz IS NULL OR at < $5)
    AND ($6::text IS NULL OR action = $6) AND ($7::uuid IS NULL OR actor_id = $7)
    AND ($8::text IS NULL OR target = $8) AND ($9::uuid IS NULL OR credential_id = $9))";

/// The statements that scan one index. All take the same parameters.
struct list_statements {
    list_statements(const char* list_name, const char* count_name, const std::string& of)
        : list(list_name, rows::of_one_workspace,
               "SELECT " + columns<row>() + from_events(of) + " LIMIT $10"),
          count(count_name, rows::of_one_workspace, count_up_to_cap(from_events(of)))
    {}

    static std::string from_events(const std::string& of)
    {
        auto page = newest_first(of, "$2", "$3");
        return " FROM audit WHERE " + page.where + filters + page.order;
    }

    statement list, count;
};

// One per index, hence one per filter; with two filters the second is a plain condition.
const list_statements everything{"audit_list", "audit_count", "workspace_id = $1"};
const list_statements by_action{"audit_list_action", "audit_count_action",
                                "workspace_id = $1 AND action = $6"};
const list_statements by_actor{"audit_list_actor", "audit_count_actor",
                               "workspace_id = $1 AND actor_id = $7"};
const list_statements by_target{"audit_list_target", "audit_count_target",
                                "workspace_id = $1 AND target = $8"};
const list_statements by_credential{"audit_list_credential", "audit_count_credential",
                                    "workspace_id = $1 AND credential_id = $9"};

/// The statements for the most selective filter.
const list_statements& statements_for(const query& wanted)
{
    if (wanted.target)
        return by_target;
    if (wanted.credential_id)
        return by_credential;
    if (wanted.actor_id)
        return by_actor;
    return wanted.action ? by_action : everything;
}

} // namespace

awaitable<page> list(pool& db, query wanted)
{
    auto& chosen = statements_for(wanted);
    auto& [workspace, action, actor, target, credential, since, until, before, limit] = wanted;
    uuid lowest = min_uuid;
    if (since)
        lowest = min_id_at(*since - max_clock_skew);
    auto highest = until ? min_id_at(*until + max_clock_skew) : max_uuid;
    auto from = before ? std::min(*before, highest) : highest;

    batch work;
    work.in_workspace(workspace);
    require_index_scan(work);
    work.add(chosen.list, workspace, from, lowest, since, until, action, actor, target, credential, limit);
    work.add(chosen.count, workspace, highest, lowest, since, until, action, actor, target, credential);
    auto found = co_await db.run(std::move(work));
    co_return page{found[1].as_vector<row>(), read_capped_count(found.last())};
}

} // namespace db::audit
