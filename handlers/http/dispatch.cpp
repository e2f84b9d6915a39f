#include "handlers/http/dispatch.hpp"

#include "crypto/hash_pool.hpp"
#include "db/postgres/error.hpp"
#include "db/tables/credential_checks.hpp"
#include "db/tables/one_time_tokens.hpp"
#include "handlers/http/cors.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/input.hpp"
#include "handlers/http/refusals.hpp"
#include "handlers/http/request_limits.hpp"
#include "handlers/http/same_origin.hpp"

#include <algorithm>
#include <exception>
#include <memory>
#include <new>
#include <optional>

namespace handlers {

namespace {

/// An error as the client can read it: a page for a browser, else JSON.
reply write_error(call& c, const problem& why)
{
    try {
        if (auto page = c.cx.error_page ? c.cx.error_page(c, why) : std::nullopt)
            return std::move(*page);
    } catch (const std::bad_alloc&) {
        throw;
    } catch (const std::exception&) { // no page is better than no answer
    }
    return to_reply(why);
}

/// The error of a request that matches no route, and so is counted by no guard.
std::variant<reply, pending> unmatched(pending request, problem why)
{
    auto& c = request.call;
    if (auto decided = try_reject(c, why)) {
        auto out = write_error(c, **decided);
        allow_origin(c.cx.config, c.req, out);
        return out;
    }
    request.route = nullptr;
    request.unmatched = std::make_unique<problem>(std::move(why));
    return request;
}

/// The same, when a share of the rate limit has to be taken.
awaitable<reply> count_unmatched(pending& request)
{
    auto& c = request.call;
    auto error = co_await reject_counted(c, *request.unmatched);
    auto out = write_error(c, error);
    allow_origin(c.cx.config, c.req, out);
    co_return out;
}

/// The answer to OPTIONS. A path with calls for the site's own pages alone has no CORS.
reply answer_path_options(const context& cx, const request& req, const router::path_entry& entry)
{
    auto needs_same_origin = [](const route* each) { return each->guard.needs_same_origin; };
    if (std::ranges::any_of(entry.routes, needs_same_origin))
        return answer_options(entry.allow);
    auto out = answer_options(cx.config, req, entry.allow);
    allow_origin(cx.config, req, out);
    return out;
}

/// Matches a request to a route and decodes the parameters of its path.
std::variant<reply, pending> find(const router& routes, context& cx, const request& req)
{
    pending out{nullptr, 0, {cx, req, {}, {}}};
    std::vector<std::string_view> params;
    auto entry = routes.find(req.path, params);
    if (!entry)
        return unmatched(std::move(out), problem::of(codes::not_found));
    for (std::size_t i = 0; i < params.size(); ++i) {
        auto decoded = decode_segment(params[i]);
        if (!decoded)
            return unmatched(std::move(out), problem::of(codes::not_found));
        out.call.params.at(i) = std::move(*decoded);
    }
    out.route = entry->find(req.head.method());
    if (out.route) {
        out.route_index = routes.index_of(*out.route);
        return out;
    }
    if (req.head.method() == http::verb::options)
        return answer_path_options(cx, req, *entry);
    return unmatched(std::move(out), problem::method_not_allowed(entry->allow));
}

/// Adds what every reply of a route has.
reply finish(reply out, const pending& request)
{
    out.route = request.route->path;
    out.route_index = request.route_index;
    out.is_routine = request.route->run_sync && out.status < 500;
    if ((out.status == 401 || out.status == 403) && request.call.principal)
        count_refusal(request.call);
    if (!request.route->guard.needs_same_origin)
        allow_origin(request.call.cx.config, request.call.req, out);
    else if (out.headers.find("Content-Security-Policy:") == out.headers.npos) // it is no page
        confine(out);
    return out;
}

reply reject(const route& route, call& c, const problem& why)
{
    return route.write_refusal ? route.write_refusal(c, why) : write_error(c, why);
}

/// Maps the exception being handled to a problem.
problem problem_of_current_exception()
{
    try {
        throw;
    } catch (const db::failure& e) {
        if (db::credential_was_revoked(e))
            return problem::rejected_credential("The credential has been revoked.");
        if (db::one_time_tokens::was_invalid(e))
            return problem::of(codes::invalid_token);
        if (e.is_foreign_key_violation())
            return problem::of(codes::conflict,
                               "A referenced object was deleted concurrently; reload and try again.");
        if (e.kind() == db::failure_kind::overloaded)
            return problem::of(codes::overloaded);
        return e.unavailable() ? problem::of(codes::database_unavailable).with_cause(e.what())
                               : problem::of(codes::internal_error).with_cause(e.what());
    } catch (const crypto::overloaded&) {
        return problem::of(codes::overloaded);
    } catch (const std::exception& e) {
        return problem::of(codes::internal_error).with_cause(e.what());
    } catch (...) {
        return problem::of(codes::internal_error).with_cause("an exception of unknown type");
    }
}

/// Checks the guard and runs the handler.
awaitable<reply> run_guarded(pending& request)
{
    try {
        if (!request.is_admitted) {
            auto error = co_await authorize(request.call, request.route->guard);
            if (error)
                co_return reject(*request.route, request.call, *error);
        }
        auto& route = *request.route;
        auto handler = [&request, &route] { return route.run(request.call, route.success); };
        auto outcome = co_await run_with_current_rights(request.call, route.guard, handler);
        if (auto lost = std::get_if<problem>(&outcome))
            co_return reject(route, request.call, *lost);
        co_return std::get<reply>(std::move(outcome));
    } catch (...) {
        co_return write_error(request.call, problem_of_current_exception());
    }
}

/// `run_guarded` without suspending. @return nothing if that requires the database or the hash pool
std::optional<reply> try_run_sync(pending& request)
{
    try {
        if (!request.route || !request.route->run_sync)
            return std::nullopt;
        auto decision = authorize_cached(request.call, request.route->guard);
        if (!decision)
            return std::nullopt;
        return *decision ? reject(*request.route, request.call, **decision)
                         : request.route->run_sync(request.call);
    } catch (...) {
        return write_error(request.call, problem_of_current_exception());
    }
}

} // namespace

std::variant<reply, pending> dispatch_now(const router& routes, context& cx, const request& req)
{
    auto out = find(routes, cx, req);
    if (auto request = std::get_if<pending>(&out)) {
        if (auto answer = try_run_sync(*request))
            return finish(std::move(*answer), *request);
    }
    return out;
}

std::variant<reply, pending> admit_now(const router& routes, context& cx, const request& req)
{
    auto out = find(routes, cx, req);
    auto found = std::get_if<pending>(&out);
    if (!found || !found->route)
        return out;
    try {
        auto decision = authorize_cached(found->call, found->route->guard);
        if (decision && *decision)
            return finish(reject(*found->route, found->call, **decision), *found);
        found->is_admitted = decision.has_value();
    } catch (...) {
        return finish(write_error(found->call, problem_of_current_exception()), *found);
    }
    return out;
}

namespace {

using guard_check = awaitable<std::optional<problem>> (*)(call&, const guard&);

/// The reply of a request that a check of its guard rejects.
awaitable<std::optional<reply>> refusal_by(pending& request, guard_check check)
{
    std::optional<reply> refusal;
    try {
        if (auto error = co_await check(request.call, request.route->guard))
            refusal = reject(*request.route, request.call, *error);
    } catch (...) {
        refusal = write_error(request.call, problem_of_current_exception());
    }
    if (refusal)
        co_return finish(std::move(*refusal), request);
    co_return std::nullopt;
}

} // namespace

awaitable<std::optional<reply>> admit(pending& request)
{
    std::optional<reply> refusal;
    if (request.unmatched) {
        refusal = co_await count_unmatched(request);
        co_return refusal;
    }
    refusal = co_await refusal_by(request, &authorize);
    request.is_admitted = !refusal;
    co_return refusal;
}

awaitable<std::optional<reply>> admit_again(pending& request)
{
    return refusal_by(request, &reauthorize);
}

awaitable<reply> dispatch(pending request)
{
    if (request.unmatched)
        co_return co_await count_unmatched(request);
    auto answer = co_await run_guarded(request);
    co_return finish(std::move(answer), request);
}

} // namespace handlers
