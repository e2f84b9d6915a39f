#include "handlers/health.hpp"

namespace handlers::health {

namespace {

reply say(unsigned status, std::string_view word)
{
    reply out;
    out.status = status;
    out.body.append(R"({"status":")").append(word).append(R"("})");
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
