#include "db/notices.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/uuid/string_generator.hpp>

#include <stdexcept>

namespace db {

static const statement notify_of_user{"notices_user", "SELECT pg_notify('latchkey_changes', $1::uuid::text)"};

void add_notice(batch& work, const uuid& user_id)
{
    work.add(notify_of_user, user_id);
}

static const statement listen_to_changes{"notices_listen", "LISTEN latchkey_changes"};

notices::notices(boost::asio::io_context& io, principal_changes& changes, pipeline::config settings)
    : io_(io), changes_(changes), connection_(io, with_callbacks(std::move(settings)))
{}

pipeline::config notices::with_callbacks(pipeline::config settings)
{
    settings.on_event = [this, told = std::move(settings.on_event)](std::string_view event,
                                                                    std::string_view detail) {
        if (told)
            told(event, detail);
        if (event == "connected")
            boost::asio::co_spawn(io_, listen(), boost::asio::detached);
    };
    settings.on_notification = [this](std::string_view, std::string_view payload) {
        change what;
        try {
            what.users.push_back(boost::uuids::string_generator()(payload.begin(), payload.end()));
        } catch (const std::runtime_error&) {
            what.everything = true; // said by a newer program
        }
        forget(std::move(what));
    };
    return settings;
}

awaitable<void> notices::listen()
{
    try {
        co_await connection_.run(listen_to_changes);
    } catch (const failure&) {
        co_return; // lost again: the next connection listens
    }
    change missed;
    missed.everything = true;
    co_await changes_.evict(std::move(missed));
}

void notices::forget(change what)
{
    boost::asio::co_spawn(io_, changes_.evict(std::move(what)), boost::asio::detached);
}

} // namespace db
