#include "handlers/endpoints/notifications.hpp"

#include "db/tables/users.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/mail/unsubscribe.hpp"
#include "schemas/engine/schema.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

namespace handlers::notifications {

namespace {

/// Defaults overlaid with the stored switches. Switches of kinds that no longer exist are ignored.
schemas::notifications from_stored(const std::string& stored)
{
    auto switches = boost::json::parse(stored);
    schemas::notifications out;
    boost::mp11::mp_for_each<schemas::members_of<schemas::notifications>>([&]<class D>(D) {
        if constexpr (std::is_same_v<schemas::member_type<schemas::notifications, D>, schemas::channels>) {
            boost::system::error_code not_found;
            auto found = switches.find_pointer("/" + std::string(D::name) + "/email", not_found);
            if (found && found->is_bool())
                (out.*D::pointer).email = found->get_bool();
        }
    });
    return out;
}

} // namespace

awaitable<answer<schemas::notifications>> show(call& c)
{
    if (auto refused = require_user(c))
        co_return std::move(*refused);
    auto stored = co_await db::users::find_notifications(c.cx.db, *c.caller().user_id);
    if (!stored)
        co_return problem::of(codes::not_found);
    co_return from_stored(*stored);
}

awaitable<answer<schemas::notifications>> update(call& c, schemas::notifications_patch body)
{
    if (auto refused = require_user(c))
        co_return std::move(*refused);
    auto stored =
        co_await db::users::update_notifications(c.cx.db, *c.caller().user_id, schemas::to_json(body));
    if (!stored)
        co_return problem::of(codes::not_found);
    co_return from_stored(*stored);
}

awaitable<answer<no_content>> unsubscribe(call& c, query<schemas::unsubscription> link)
{
    auto verified = verify_unsubscription(c.cx.unsubscriptions, link->token.value);
    if (!verified)
        co_return problem::of(codes::invalid_token);
    boost::json::object switches{{verified->kind, {{"email", false}}}};
    co_await db::users::update_notifications(c.cx.db, verified->user_id, boost::json::serialize(switches));
    co_return no_content();
}

} // namespace handlers::notifications
