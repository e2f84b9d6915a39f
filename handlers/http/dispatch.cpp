#include "handlers/http/dispatch.hpp"

#include "db/tables/credential_checks.hpp"
#include "db/tables/one_time_tokens.hpp"
#include "handlers/http/cors.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/input.hpp"

#include <exception>
#include <optional>

namespace handlers {

namespace {

/** The reply to a call that no route wants, and so no guard has counted. */
reply counted(call& c, const problem& why)
{
    auto over = count_address(c);
    return to_reply(over ? *over : why);
}

/** The route of a request with its call made ready, or the reply that ends the matter. */
std::variant<reply, pending> find(const router& routes, context& cx, const request& req)
{
    pending out{nullptr, 0, {cx, req, {}, {}}};
    std::vector<std::string_view> params;
    auto place = routes.find(req.path, params);
    if (!place)
        return counted(out.ready, problem::not_found());
    for (std::size_t i = 0; i < params.size(); ++i) {
        auto decoded = decode_segment(params[i]);
        if (!decoded)
            return counted(out.ready, problem::not_found());
        out.ready.params.at(i) = std::move(*decoded);
    }
    out.line = place->find(req.message.method());
    if (out.line) {
        out.number = routes.number_of(*out.line);
        return out;
    }
    if (req.message.method() == http::verb::options)
        return answer_options(cx.config, req, place->allow);
    return counted(out.ready, problem::method_not_allowed(place->allow));
}

/** What a reply needs beside what its handler has put into it. */
reply finish(reply out, const pending& at)
{
    out.route = at.line->path;
    out.route_number = at.number;
    out.is_routine = at.line->run_now && out.status < 500;
    allow_origin(at.ready.cx.config, at.ready.req, out);
    return out;
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
        if (db::one_time_tokens::was_spent(e))
            return problem::spent_token();
        if (e.is_foreign_key_violation())
            return problem::conflict("conflict", "What this refers to has just gone; look again.");
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
awaitable<reply> carry_out(pending& at)
{
    try {
        auto refused = co_await admit(at.ready, at.line->who);
        if (refused)
            co_return refuse(*at.line, at.ready, *refused);
        co_return co_await at.line->run(at.ready, at.line->success);
    } catch (...) {
        co_return to_reply(problem_of_current_exception());
    }
}

/** The same without waiting. @return nothing if it takes the database or the hashers */
std::optional<reply> carry_out_now(pending& at)
{
    try {
        if (!at.line->run_now)
            return std::nullopt;
        auto admitted = admit_remembered(at.ready, at.line->who);
        if (!admitted)
            return std::nullopt;
        return *admitted ? refuse(*at.line, at.ready, **admitted) : at.line->run_now(at.ready);
    } catch (...) {
        return to_reply(problem_of_current_exception());
    }
}

} // namespace

std::variant<reply, pending> dispatch_now(const router& routes, context& cx, const request& req)
{
    auto out = find(routes, cx, req);
    if (auto at = std::get_if<pending>(&out)) {
        if (auto answer = carry_out_now(*at))
            return finish(std::move(*answer), *at);
    } else {
        allow_origin(cx.config, req, std::get<reply>(out));
    }
    return out;
}

awaitable<reply> dispatch(pending at)
{
    auto answer = co_await carry_out(at);
    co_return finish(std::move(answer), at);
}

} // namespace handlers
