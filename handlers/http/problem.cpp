#include "handlers/http/problem.hpp"

#include "schemas/engine/schema.hpp"
#include "schemas/problem.hpp"

#include <boost/throw_exception.hpp>

#include <stdexcept>

namespace handlers {

namespace {

constexpr std::string_view realm = "Bearer realm=\"latchkey\"";

std::string body_of(const problem& p)
{
    std::string code(p.code.name());
    if (!p.errors.empty()) {
        schemas::validation_problem body;
        body.detail = p.errors;
        return schemas::to_json(body);
    }
    if (!p.required.empty()) {
        schemas::forbidden_scope_problem body;
        body.detail = p.detail;
        body.required = p.required;
        return schemas::to_json(body);
    }
    if (p.code == codes::already_rotated) {
        schemas::already_rotated_problem body;
        body.detail = p.detail;
        if (!p.successor_prefix.empty())
            body.successor_prefix = p.successor_prefix;
        return schemas::to_json(body);
    }
    if (p.code == codes::invalid_request) {
        schemas::oauth_problem body;
        body.error = code;
        body.error_description = p.detail;
        return schemas::to_json(body);
    }
    if (p.code.status() == 429) {
        schemas::rate_limited_problem body;
        body.detail = body.message = p.detail;
        body.error = code;
        return schemas::to_json(body);
    }
    schemas::problem body;
    body.detail = p.detail;
    body.code = std::move(code);
    return schemas::to_json(body);
}

} // namespace

problem problem::of(problem_code code, std::string detail)
{
    problem p;
    p.code = code;
    p.detail = std::move(detail);
    if (code.status() == 401)
        p.challenge = realm;
    if (code.status() == 503)
        p.retry_after = std::chrono::seconds(1);
    return p;
}

problem problem::rejected_credential(std::string detail)
{
    auto p = of(codes::unauthorized, std::move(detail));
    p.challenge.append(", error=\"invalid_token\"");
    return p;
}

problem problem::token_expired()
{
    auto p = of(codes::token_expired);
    p.challenge.append(", error=\"invalid_token\", error_description=\"expired\"");
    return p;
}

problem problem::forbidden_scope(std::string_view permission)
{
    auto p = of(codes::forbidden_scope);
    p.required = permission;
    p.challenge.append(realm)
        .append(", error=\"insufficient_scope\", scope=\"")
        .append(permission)
        .append("\"");
    return p;
}

problem problem::already_rotated(std::string successor_prefix)
{
    auto p = of(codes::already_rotated);
    if (!successor_prefix.empty())
        p.detail = "The key has been rotated already; its successor is " + successor_prefix + ".";
    p.successor_prefix = std::move(successor_prefix);
    return p;
}

problem problem::method_not_allowed(std::string allow)
{
    auto p = of(codes::method_not_allowed);
    p.allow = std::move(allow);
    return p;
}

problem problem::unsupported_media_type(std::string_view expected)
{
    std::string detail = "The body must have the content type ";
    detail.append(expected).append(".");
    return of(codes::unsupported_media_type, std::move(detail));
}

problem problem::validation_error(std::vector<schemas::validation_error> errors)
{
    auto p = of(codes::validation_error);
    p.errors = std::move(errors);
    return p;
}

problem problem::invalid_field(std::string_view where, std::string_view field, std::string msg,
                               std::string_view type)
{
    schemas::validation_error error;
    error.loc.emplace_back(std::string(where));
    error.loc.emplace_back(std::string(field));
    error.msg = std::move(msg);
    error.type = type;
    std::vector<schemas::validation_error> errors;
    errors.push_back(std::move(error));
    return validation_error(std::move(errors));
}

problem problem::with_cause(std::string text) &&
{
    cause = std::move(text);
    return std::move(*this);
}

void throw_exception_from_error(const problem& error, const boost::source_location& where)
{
    boost::throw_exception(std::logic_error("unchecked problem: " + std::string(error.code.name())), where);
}

reply to_reply(const problem& p)
{
    reply out;
    out.status = p.code.status();
    out.cause = p.cause;
    out.body = body_of(p);
    if (!p.challenge.empty())
        out.add_header("WWW-Authenticate", p.challenge);
    if (p.retry_after.count() > 0)
        out.add_header("Retry-After", std::to_string(p.retry_after.count()));
    if (!p.rate_policy.empty()) {
        out.add_header("RateLimit-Policy", p.rate_policy);
        out.add_header("RateLimit", p.rate_state);
    }
    if (!p.allow.empty())
        out.add_header("Allow", p.allow);
    return out;
}

} // namespace handlers
