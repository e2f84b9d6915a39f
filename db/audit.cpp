#include "db/audit.hpp"

#include "db/columns.hpp"
#include "db/listing.hpp"

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

// The id of an event begins with the time at which it was made, by the clock of a server, a little before the database's
// own: it finds the place in an index, and `at` decides.
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

std::string from_events(const keyset& page, const std::string& filters)
{
    return "FROM audit WHERE " + page.where +
           " AND id >= $3 AND ($4::uuid IS NULL OR credential_id = $4) AND ($5::timestamptz IS NULL OR at >= "
           "$5) AND "
           "($6::timestamptz IS NULL OR at < $6)" +
           filters + page.order;
}

std::string list_by(const keyset& page, const std::string& filters)
{
    return "SELECT " + columns<row>() + " " + from_events(page, filters) + " LIMIT $7";
}

std::string count_by(const keyset& page, const std::string& filters)
{
    return count_some(from_events(page, filters));
}

const keyset of_workspace = newest_first("workspace_id", "$1", "id", "$2");

} // namespace

// What has an index of its own has a statement of its own; of two such filters the second is a mere condition. That there
// is an actor is said besides: PostgreSQL does not conclude it from the rows compared, and the index is of such events.
static const statement list_all{"audit_list", rows::of_one_workspace, list_by(of_workspace, "")};
static const statement count_all{"audit_count", rows::of_one_workspace, count_by(of_workspace, "")};

static const statement list_by_action{"audit_list_action", rows::of_one_workspace,
                                      list_by(of_workspace, " AND action = $8")};
static const statement count_by_action{"audit_count_action", rows::of_one_workspace,
                                       count_by(of_workspace, " AND action = $7")};

static const statement list_by_actor{
    "audit_list_actor", rows::of_one_workspace,
    list_by(newest_first("actor_id, workspace_id", "$8, $1", "id", "$2"),
            " AND actor_id IS NOT NULL AND ($9::text IS NULL OR action = $9)")};
static const statement count_by_actor{
    "audit_count_actor", rows::of_one_workspace,
    count_by(newest_first("actor_id, workspace_id", "$7, $1", "id", "$2"),
             " AND actor_id IS NOT NULL AND ($8::text IS NULL OR action = $8)")};

static const statement list_by_target{
    "audit_list_target", rows::of_one_workspace,
    list_by(
        of_workspace,
        " AND target = $8 AND ($9::text IS NULL OR action = $9) AND ($10::uuid IS NULL OR actor_id = $10)")};
static const statement count_by_target{
    "audit_count_target", rows::of_one_workspace,
    count_by(
        of_workspace,
        " AND target = $7 AND ($8::text IS NULL OR action = $8) AND ($9::uuid IS NULL OR actor_id = $9)")};

awaitable<page> list(pool& db, query wanted)
{
    auto& [workspace, action, actor, target, credential, since, until, before, limit] = wanted;
    uuid least = before_all;
    if (since)
        least = least_id_of(*since - clocks_differ);
    auto below = until ? least_id_of(*until + clocks_differ) : after_all;
    auto from = before ? std::min(*before, below) : below;

    batch work;
    work.within(workspace);
    add_walking(work);
    if (target) {
        work.add(list_by_target, workspace, from, least, credential, since, until, limit, target, action,
                 actor);
        work.add(count_by_target, workspace, below, least, credential, since, until, target, action, actor);
    } else if (actor) {
        work.add(list_by_actor, workspace, from, least, credential, since, until, limit, actor, action);
        work.add(count_by_actor, workspace, below, least, credential, since, until, actor, action);
    } else if (action) {
        work.add(list_by_action, workspace, from, least, credential, since, until, limit, action);
        work.add(count_by_action, workspace, below, least, credential, since, until, action);
    } else {
        work.add(list_all, workspace, from, least, credential, since, until, limit);
        work.add(count_all, workspace, below, least, credential, since, until);
    }
    auto found = co_await db.run(std::move(work));
    co_return page{found[1].as_vector<row>(), read_total(found.last())};
}

} // namespace db::audit
