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

namespace {

// The id of an event begins with the time at which it was made, by the clock of a server, a little before the
// database's own: it finds the place in an index, and `at` decides.
constexpr std::chrono::minutes clocks_differ{10};

uuid least_id_of(timestamp at)
{
    auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(at).time_since_epoch();
    auto milliseconds = static_cast<std::uint64_t>(std::max<std::int64_t>(since_epoch.count(), 0));
    uuid out{};
    for (std::size_t i = 0; i < 6; ++i)
        out.data[i] = static_cast<std::uint8_t>(milliseconds >> (40 - 8 * i));
    return out;
}

// What is asked for, and is no part of the index that is walked.
const std::string filters = R"(
    AND ($4::timestamptz IS NULL OR at >= $4) AND ($5::timestamptz IS NULL OR at < $5)
    AND ($6::text IS NULL OR action = $6) AND ($7::uuid IS NULL OR actor_id = $7)
    AND ($8::text IS NULL OR target = $8) AND ($9::uuid IS NULL OR credential_id = $9))";

/// The statements that walk one index. All take the same parameters.
struct view {
    view(const char* list_name, const char* count_name, const std::string& of)
        : list(list_name, rows::of_one_workspace,
               "SELECT " + columns<row>() + from_events(of) + " LIMIT $10"),
          count(count_name, rows::of_one_workspace, count_some(from_events(of)))
    {}

    static std::string from_events(const std::string& of)
    {
        auto page = newest_first(of, "$2", "$3");
        return " FROM audit WHERE " + page.where + filters + page.order;
    }

    statement list, count;
};

// One for each index, so one for each filter; of two filters the second is a mere condition.
const view everything{"audit_list", "audit_count", "workspace_id = $1"};
const view by_action{"audit_list_action", "audit_count_action", "workspace_id = $1 AND action = $6"};
const view by_actor{"audit_list_actor", "audit_count_actor", "workspace_id = $1 AND actor_id = $7"};
const view by_target{"audit_list_target", "audit_count_target", "workspace_id = $1 AND target = $8"};
const view by_credential{"audit_list_credential", "audit_count_credential",
                         "workspace_id = $1 AND credential_id = $9"};

/// The one that reads least in vain.
const view& view_of(const query& wanted)
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
    auto& chosen = view_of(wanted);
    auto& [workspace, action, actor, target, credential, since, until, before, limit] = wanted;
    uuid least = before_all;
    if (since)
        least = least_id_of(*since - clocks_differ);
    auto below = until ? least_id_of(*until + clocks_differ) : after_all;
    auto from = before ? std::min(*before, below) : below;

    batch work;
    work.within(workspace);
    add_walking(work);
    work.add(chosen.list, workspace, from, least, since, until, action, actor, target, credential, limit);
    work.add(chosen.count, workspace, below, least, since, until, action, actor, target, credential);
    auto found = co_await db.run(std::move(work));
    co_return page{found[1].as_vector<row>(), read_total(found.last())};
}

} // namespace db::audit
