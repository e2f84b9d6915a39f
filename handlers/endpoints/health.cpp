#include "handlers/endpoints/health.hpp"

#include "schemas/health.hpp"

#include <utility>

namespace handlers::health {

namespace {

reply say(unsigned status, std::string word)
{
    reply out;
    out.status = status;
    out.body = schemas::to_json(schemas::health{std::move(word)});
    if (status == 503)
        out.add_header("Retry-After", "1");
    return out;
}

} // namespace

reply live(call&)
{
    return say(200, "ok");
}

awaitable<reply> ready(call& c)
{
    if (c.cx.draining)
        co_return say(503, "draining");
    try {
        db::batch question; // of no statement: it is answered when the database answers at all
        co_await c.cx.db.run(std::move(question));
    } catch (const db::failure& e) {
        auto out = say(503, "database_unavailable");
        out.cause = e.what();
        co_return out;
    }
    co_return say(200, "ready");
}

} // namespace handlers::health
