#include "handlers/endpoints/notifications.hpp"

#include "db/tables/users.hpp"
#include "handlers/http/guards.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace handlers::notifications {

namespace {

constexpr std::string_view signed_for = "unsubscribe";

/** What is stored holds only what has been switched; of that, what is no notice any more is ignored. */
schemas::notifications from_stored(const std::string& stored)
{
    auto switched = boost::json::parse(stored);
    schemas::notifications out;
    boost::mp11::mp_for_each<schemas::members_of<schemas::notifications>>([&]<class D>(D) {
        if constexpr (std::is_same_v<schemas::member_type<schemas::notifications, D>, schemas::channels>) {
            boost::system::error_code none;
            auto found = switched.find_pointer("/" + std::string(D::name) + "/email", none);
            if (found && found->is_bool())
                (out.*D::pointer).email = found->get_bool();
        }
    });
    return out;
}

} // namespace

bool can_be_switched_off(std::string_view kind)
{
    bool found = false;
    boost::mp11::mp_for_each<schemas::members_of<schemas::notifications>>([&]<class D>(D) {
        if constexpr (std::is_same_v<schemas::member_type<schemas::notifications, D>, schemas::channels>)
            found = found || kind == D::name;
    });
    return found;
}

std::string unsubscription_link(crypto::token_signer& signer, std::string_view public_url,
                                const db::uuid& user, std::string_view kind)
{
    auto payload = to_string(user) + " " + std::string(kind);
    return std::string(public_url) + "/unsubscribe?token=" + signer.sign(payload, signed_for);
}

awaitable<answer<schemas::notifications>> show(call& c)
{
    if (auto refusal = require_person(c))
        co_return std::move(*refusal);
    auto stored = co_await db::users::find_notifications(c.cx.db, *c.caller().user_id);
    if (!stored)
        co_return problem::not_found();
    co_return from_stored(*stored);
}

awaitable<answer<schemas::notifications>> update(call& c, schemas::notifications_patch body)
{
    if (auto refusal = require_person(c))
        co_return std::move(*refusal);
    auto stored =
        co_await db::users::update_notifications(c.cx.db, *c.caller().user_id, schemas::to_json(body));
    if (!stored)
        co_return problem::not_found();
    co_return from_stored(*stored);
}

awaitable<answer<nothing>> unsubscribe(call& c, query<schemas::unsubscription> link)
{
    auto named = c.cx.unsubscriptions.open(link->token.value, signed_for);
    auto space = named ? named->find(' ') : std::string::npos;
    auto user = space == std::string::npos ? std::nullopt : schemas::parse_uuid(named->substr(0, space));
    if (!user)
        co_return problem::spent_token();
    boost::json::object off{{named->substr(space + 1), {{"email", false}}}};
    co_await db::users::update_notifications(c.cx.db, *user, boost::json::serialize(off));
    co_return nothing();
}

} // namespace handlers::notifications
