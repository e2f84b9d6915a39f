#include "handlers/http/problem.hpp"

#include "schemas/engine/rule.hpp"
#include "schemas/problem.hpp"

namespace handlers {

namespace {

problem make(unsigned status, std::string_view code, std::string detail)
{
    problem p;
    p.status = status;
    p.code = code;
    p.detail = std::move(detail);
    return p;
}

constexpr std::string_view realm = "Bearer realm=\"latchkey\"";

std::string body_of(const problem& p)
{
    std::string code(p.code);
    if (p.status == 422 && !p.faults.empty()) {
        schemas::validation_problem body;
        body.detail = p.faults;
        return schemas::to_json(body);
    }
    if (!p.required.empty()) {
        schemas::forbidden_scope_problem body;
        body.detail = p.detail;
        body.required = p.required;
        return schemas::to_json(body);
    }
    if (p.status == 429) {
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

problem problem::bad_request(std::string detail)
{
    return make(400, "bad_request", std::move(detail));
}

problem problem::malformed_json()
{
    return make(400, "malformed_json", "The body is not well-formed JSON.");
}

problem problem::invalid_cursor()
{
    return make(400, "invalid_cursor", "The cursor is not one that this list gave out.");
}

problem problem::unauthorized()
{
    auto p = make(401, "unauthorized", "A credential is needed.");
    p.challenge = realm;
    return p;
}

problem problem::invalid_token(std::string detail)
{
    auto p = make(401, "unauthorized", std::move(detail));
    p.challenge.append(realm).append(", error=\"invalid_token\"");
    return p;
}

problem problem::token_expired()
{
    auto p = make(401, "token_expired", "The credential has expired.");
    p.challenge.append(realm).append(", error=\"invalid_token\", error_description=\"expired\"");
    return p;
}

problem problem::invalid_credentials()
{
    auto p = make(401, "invalid_credentials", "The address or the password is wrong.");
    p.challenge = realm;
    return p;
}

problem problem::wrong_password()
{
    return make(403, "invalid_credentials", "The password is wrong.");
}

problem problem::spent_token()
{
    return make(400, "invalid_token",
                "The token is not valid any more: it was used, replaced, or has expired. Ask for a new one.");
}

problem problem::weak_password()
{
    return make(
        422, "weak_password",
        "The password is too easy to guess. Several unrelated words make a good one; names, dates and "
        "keyboard patterns do not.");
}

problem problem::forbidden_scope(std::string_view permission)
{
    auto p = make(403, "forbidden_scope", "The role or the key's scopes lack a permission.");
    p.required = permission;
    p.challenge.append(realm)
        .append(", error=\"insufficient_scope\", scope=\"")
        .append(permission)
        .append("\"");
    return p;
}

problem problem::forbidden(std::string_view code, std::string detail)
{
    return make(403, code, std::move(detail));
}

problem problem::not_found()
{
    return make(404, "not_found", "There is no such thing here.");
}

problem problem::conflict(std::string_view code, std::string detail)
{
    return make(409, code, std::move(detail));
}

problem problem::method_not_allowed(std::string allow)
{
    auto p = make(405, "method_not_allowed", "This path does not know that method.");
    p.allow = std::move(allow);
    return p;
}

problem problem::payload_too_large()
{
    return make(413, "payload_too_large", "The body is too large.");
}

problem problem::unsupported_media_type(std::string_view expected)
{
    std::string detail = "The body must have the content type ";
    detail.append(expected).append(".");
    return make(415, "unsupported_media_type", std::move(detail));
}

problem problem::validation(std::vector<schemas::fault> faults)
{
    auto p = make(422, "validation_error", {});
    p.faults = std::move(faults);
    return p;
}

problem problem::invalid_field(std::string_view where, std::string_view field, std::string msg,
                               std::string_view type)
{
    schemas::fault fault;
    fault.loc.emplace_back(std::string(where));
    fault.loc.emplace_back(std::string(field));
    fault.msg = std::move(msg);
    fault.type = type;
    std::vector<schemas::fault> faults;
    faults.push_back(std::move(fault));
    return validation(std::move(faults));
}

problem problem::overloaded()
{
    auto p = make(503, "overloaded", "The server is busy; try again shortly.");
    p.retry_after = std::chrono::seconds(1);
    return p;
}

problem problem::database_unavailable(std::string cause)
{
    auto p = make(503, "database_unavailable", "The database does not answer; try again shortly.");
    p.retry_after = std::chrono::seconds(1);
    p.cause = std::move(cause);
    return p;
}

problem problem::internal(std::string cause)
{
    auto p = make(500, "internal_error", "Something went wrong here; the request id is in the log.");
    p.cause = std::move(cause);
    return p;
}

reply to_reply(const problem& p)
{
    reply out;
    out.status = p.status;
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
