#include "handlers/endpoints/health.hpp"

#include "db/postgres/batch.hpp"
#include "db/postgres/error.hpp"
#include "db/postgres/pool.hpp"
#include "handlers/http/context.hpp"
#include "schemas/engine/schema.hpp"
#include "schemas/health.hpp"

#include <utility>

namespace handlers::health {

namespace {

reply make_reply(unsigned status, std::string status_text)
{
    reply out;
    out.status = status;
    out.body = schemas::to_json(schemas::health{std::move(status_text)});
    if (status == 503)
        out.add_header("Retry-After", "1");
    return out;
}

} // namespace

reply live(call&)
{
    return make_reply(200, "ok");
}

awaitable<reply> ready(call& c)
{
    if (c.cx.draining)
        co_return make_reply(503, "draining");
    try {
        db::batch empty; // has a result when the database responds
        co_await c.cx.db.run(std::move(empty));
    } catch (const db::failure& e) {
        auto out = make_reply(503, "database_unavailable");
        out.cause = e.what();
        co_return out;
    }
    co_return make_reply(200, "ready");
}

} // namespace handlers::health
