#include "handlers/dispatch.hpp"

#include "db/standing.hpp"
#include "handlers/body.hpp"
#include "handlers/cors.hpp"
#include "handlers/deps.hpp"

#include <exception>

namespace handlers {

namespace {

/** The route of a request with its call made ready, or the reply that ends the matter. */
struct found {
    const route* line = nullptr;
    call ready;
    std::optional<reply> answer;
};

/** The reply to a call that no route wants, and so no guard has counted. */
reply counted(call& c, const problem& why)
{
    auto over = count_address(c);
    return to_reply(over ? *over : why);
}

found find(const router& routes, context& cx, const request& req)
{
    found out{nullptr, {cx, req, {}, {}}, {}};
    std::vector<std::string_view> params;
    auto place = routes.find(req.path, params);
    if (!place) {
        out.answer = counted(out.ready, problem::not_found());
        return out;
    }
    for (std::size_t i = 0; i < params.size(); ++i) {
        auto decoded = decode_segment(params[i]);
        if (!decoded) {
            out.answer = counted(out.ready, problem::not_found());
            return out;
        }
        out.ready.params.at(i) = std::move(*decoded);
    }
    out.line = place->find(req.message.method());
    if (!out.line)
        out.answer = req.message.method() == http::verb::options
                         ? answer_options(cx.config, req, place->allow)
                         : counted(out.ready, problem::method_not_allowed(place->allow));
    return out;
}

void finish(found& at, const context& cx, const request& req)
{
    if (at.line) {
        at.answer->route = at.line->path;
        at.answer->is_routine = at.line->run_now && at.answer->status < 500;
    }
    allow_origin(cx.config, req, *at.answer);
}

reply refuse(const route& line, call& c, const problem& why)
{
    return line.refuse ? line.refuse(c, why) : to_reply(why);
}

/** The problem that an exception stands for. Called while it is being handled. */
problem problem_of_current_exception()
{
    try {
        throw;
    } catch (const db::failure& e) {
        if (db::standing_was_lost(e))
            return problem::invalid_token("The credential has been revoked.");
        if (e.kind() == db::failure_kind::overloaded)
            return problem::overloaded();
        return e.unavailable() ? problem::database_unavailable(e.what()) : problem::internal(e.what());
    } catch (const crypto::overloaded&) {
        return problem::overloaded();
    } catch (const std::exception& e) {
        return problem::internal(e.what());
    } catch (...) {
        return problem::internal("an exception of unknown type");
    }
}

/** Guard and call. Whatever is thrown becomes the answer. */
awaitable<void> carry_out(found& at)
{
    try {
        auto refused = co_await admit(at.ready, at.line->who);
        if (refused)
            at.answer = refuse(*at.line, at.ready, *refused);
        else
            at.answer = co_await at.line->run(at.ready, at.line->success);
    } catch (...) {
        at.answer = to_reply(problem_of_current_exception());
    }
}

/** The same without waiting. Leaves the answer open if it takes the database or the hashers. */
void carry_out_now(found& at)
{
    try {
        if (!at.line->run_now)
            return;
        if (auto admitted = admit_remembered(at.ready, at.line->who))
            at.answer = *admitted ? refuse(*at.line, at.ready, **admitted) : at.line->run_now(at.ready);
    } catch (...) {
        at.answer = to_reply(problem_of_current_exception());
    }
}

} // namespace

std::optional<reply> dispatch_now(const router& routes, context& cx, const request& req)
{
    auto at = find(routes, cx, req);
    if (!at.answer)
        carry_out_now(at);
    if (at.answer)
        finish(at, cx, req);
    return std::move(at.answer);
}

awaitable<reply> dispatch(const router& routes, context& cx, const request& req)
{
    auto at = find(routes, cx, req);
    if (!at.answer)
        co_await carry_out(at);
    finish(at, cx, req);
    co_return std::move(*at.answer);
}

} // namespace handlers
