#include "handlers/openapi/document.hpp"

#include "handlers/http/context.hpp"
#include "handlers/http/operation.hpp"
#include "handlers/openapi/document_errors.hpp"
#include "handlers/openapi/security.hpp"
#include "schemas/engine/examples.hpp"
#include "schemas/problem.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <cctype>
#include <map>
#include <stdexcept>
#include <vector>

namespace handlers {

namespace json = boost::json;
using schemas::direction;

namespace {

constexpr std::string_view description = R"(
Authentication and access control: accounts, sessions, workspaces with roles, and API keys for the other
parts of a product.

**Credentials.** `Authorization: Bearer <token>`, where the token is an access token (a JWT) from a login,
or an API key. Every operation that requires a credential accepts both. The credential selects the workspace
of a request; ids of other workspaces answer 404.

**Browsers.** The cookie of a browser's session is read by the operations of the site's own pages alone, which
refuse requests from other sites. With the access tokens that they make from it, pages are clients like all
others.

**Errors** have a text for people in `detail` and a code for programs in `code`. A 422 lists every invalid
field. A body with unknown members is rejected, so that no typing error is ignored.

**Lists** are `{items, next_cursor, total}`: `next_cursor` of a page is the `cursor` of the next. `total` is
omitted above a thousand, so that the cost of a page does not depend on the length of its list.

**Rate limits.** Requests are counted per credential or, without one, per client address. A 429 says when to
retry. Stricter limits apply to operations open to guessing or abuse: failed logins, sign-ups, new
workspaces (twenty per account), invites (a thousand per workspace and hour, five resends each, twenty
emails per recipient and day), and emails of password reset and verification (five per account and hour; a
request over that limit gets the same answer, and no email is sent).
)";

/// The description of a status.
std::string_view description_of(unsigned status)
{
    switch (status) {
    case 200:
        return "Success.";
    case 201:
        return "Created.";
    case 202:
        return "Accepted. The result, if any, is sent by email.";
    case 204:
        return "No content.";
    case 400:
        return "The request is not well-formed, or a token in it is no longer valid.";
    case 401:
        return "The credential is missing, malformed, expired or revoked.";
    case 403:
        return "The caller may not do this.";
    case 404:
        return "Not found, or in another workspace.";
    case 406:
        return "The client does not accept the content type of the response.";
    case 409:
        return "The request conflicts with the current state.";
    case 413:
        return "The body is too large.";
    case 415:
        return "The body has the wrong content type.";
    case 422:
        return "Fields are invalid; all of them are listed.";
    case 429:
        return "Too many requests.";
    case 500:
        return "Internal error.";
    case 503:
        return "Overloaded, or the database is unavailable. Nothing was changed.";
    default:
        throw std::logic_error("a status without a description");
    }
}

json::object text_header(std::string_view what)
{
    return {{"description", what}, {"schema", {{"type", "string"}}}};
}

json::object reference(std::string_view kind, std::string_view name)
{
    return {{"$ref", "#/components/" + std::string(kind) + "/" + std::string(name)}};
}

/// The headers of every response with a status.
json::object headers_of(unsigned status)
{
    json::object out{{"X-Request-Id", reference("headers", "X-Request-Id")}};
    if (status == 302 || status == 303)
        out["Location"] = reference("headers", "Location");
    if (status == 401)
        out["WWW-Authenticate"] = reference("headers", "WWW-Authenticate");
    if (status == 429 || status == 503)
        out["Retry-After"] = reference("headers", "Retry-After");
    if (status == 429) {
        out["RateLimit"] = reference("headers", "RateLimit");
        out["RateLimit-Policy"] = reference("headers", "RateLimit-Policy");
    }
    return out;
}

json::object common_headers()
{
    json::object seconds{{"description", "Seconds until a retry can succeed."},
                         {"schema", {{"type", "integer"}}}};
    return {
        {"X-Request-Id", text_header("Identifies the request in the log and in reports to the operator.")},
        {"Location", text_header("The next location.")},
        {"WWW-Authenticate", text_header("How to authenticate (RFC 6750).")},
        {"Retry-After", std::move(seconds)},
        {"RateLimit", text_header("What is left of the limit (RateLimit header fields, IETF draft).")},
        {"RateLimit-Policy", text_header("The limit.")}};
}

/// The names of the `{parts}` of a path pattern; `path*` takes several segments.
std::vector<std::string_view> parts_of(std::string_view path)
{
    std::vector<std::string_view> out;
    for (auto from = path.find('{'); from != path.npos; from = path.find('{', from + 1))
        out.push_back(path.substr(from + 1, path.find('}', from) - from - 1));
    return out;
}

/// The pattern of a route as a path template of OpenAPI, which has no notation for several segments.
std::string template_of(std::string_view path)
{
    std::string out(path);
    std::erase(out, '*');
    return out;
}

json::object path_parameter(std::string_view name)
{
    json::object schema{{"type", "string"}};
    if (name.ends_with('*')) {
        name.remove_suffix(1);
        return {{"name", name},
                {"in", "path"},
                {"required", true},
                {"description", "May have several segments."},
                {"schema", std::move(schema)},
                {"example", "style.css"},
                {"x-several-segments", true}};
    }
    json::value example = "01935c1e-7a00-7000-8000-00000000ada1";
    if (name == "prefix") {
        schema["pattern"] = "^[a-z0-9]{8}$";
        example = "example0";
    } else if (name == "provider") {
        schema["enum"] = json::array{"google"};
        example = "google";
    } else if (name == "digest") {
        example = "mVj3pAv6z2Nd8Kw1";
    } else {
        schema["format"] = "uuid";
    }
    return {{"name", name},
            {"in", "path"},
            {"required", true},
            {"schema", std::move(schema)},
            {"example", std::move(example)}};
}

/// The errors of a page: HTML for a browser, else JSON.
void add_page_errors(json::object& responses)
{
    for (auto range : {"4XX", "5XX"})
        responses[range] = {
            {"description", "A page that says what is wrong."},
            {"headers", headers_of(0)},
            {"content", {{"text/html", json::object()}, {"application/json", json::object()}}}};
}

/// Builds the document, and the schemas and responses that operations share.
class builder {
public:
    json::object write(std::span<const route> routes, std::string_view server, std::string_view version);

private:
    json::object describe(const route& line, const operation& op);
    json::array parameters(const route& line);
    json::object body_of(const route& line);
    json::object responses(const route& line, const operation& op);
    json::object success(const route& line);
    json::object error_response(const route& line, unsigned status,
                                const std::vector<documented_error>& reasons);
    json::object body_schema(const route& line, const std::vector<documented_error>& same_shape);

    json::object schema_of(schemas::describer generate, direction dir)
    {
        schemas::openapi_context cx(dir, &schemas_);
        return generate(cx);
    }

    json::object content(std::string_view media, json::object schema, direction dir)
    {
        json::object inside;
        if (!schema.empty())
            inside["example"] = schemas::example_of(schema, schemas_, dir);
        inside["schema"] = std::move(schema);
        return {{media, std::move(inside)}};
    }

    /// The shared schemas and error responses, by name.
    json::object schemas_, responses_;
};

/// The schemas that errors have.
enum class error_shape { problem, validation, forbidden, rate_limited, oauth, rotated, own };

/// The codes with bodies of their own. All others have that of a problem.
constexpr struct {
    problem_code code;
    error_shape shape;
    schemas::describer describe;
} special_bodies[] = {
    {codes::validation_error, error_shape::validation, &schemas::describe<schemas::validation_problem>},
    {codes::forbidden_scope, error_shape::forbidden, &schemas::describe<schemas::forbidden_scope_problem>},
    {codes::rate_limited, error_shape::rate_limited, &schemas::describe<schemas::rate_limited_problem>},
    {codes::already_rotated, error_shape::rotated, &schemas::describe<schemas::already_rotated_problem>},
    {codes::invalid_request, error_shape::oauth, &schemas::describe<schemas::oauth_problem>}};

error_shape shape_of(const documented_error& error)
{
    if (error.has_own_body)
        return error_shape::own;
    for (auto& one : special_bodies)
        if (one.code.name() == error.code)
            return one.shape;
    return error_shape::problem;
}

json::object codes_schema(const std::vector<documented_error>& same_shape)
{
    json::array codes;
    for (auto& one : same_shape)
        codes.emplace_back(one.code);
    return {{"type", "object"}, {"properties", {{"code", {{"enum", std::move(codes)}}}}}};
}

schemas::describer describer_of(const route& line, error_shape shape)
{
    if (shape == error_shape::own)
        return line.describe_error ? line.describe_error : line.describe_output;
    for (auto& one : special_bodies)
        if (one.shape == shape)
            return one.describe;
    return &schemas::describe<schemas::problem>;
}

/// The schema of errors with the same shape.
json::object builder::body_schema(const route& line, const std::vector<documented_error>& same_shape)
{
    auto shape = shape_of(same_shape.front());
    auto plain = schema_of(describer_of(line, shape), direction::response);
    if (same_shape.front().code.empty() || shape == error_shape::oauth)
        return plain;
    return {{"allOf", {std::move(plain), codes_schema(same_shape)}}};
}

std::string name_of(unsigned status, const std::vector<documented_error>& reasons)
{
    std::string out = std::to_string(status);
    for (auto& one : reasons)
        out.append("-").append(one.code);
    return out;
}

json::object builder::error_response(const route& line, unsigned status,
                                     const std::vector<documented_error>& reasons)
{
    std::map<error_shape, std::vector<documented_error>> by_shape;
    for (auto& one : reasons)
        by_shape[shape_of(one)].push_back(one);
    json::array alternatives;
    for (auto& [shape, same_shape] : by_shape)
        alternatives.emplace_back(body_schema(line, same_shape));
    json::object schema = alternatives.size() == 1 ? alternatives.front().as_object()
                                                   : json::object{{"anyOf", std::move(alternatives)}};
    json::object answer{{"description", description_of(status)},
                        {"headers", headers_of(status)},
                        {"content", {{"application/json", {{"schema", std::move(schema)}}}}}};
    if (by_shape.contains(error_shape::own))
        return answer;
    auto name = name_of(status, reasons);
    responses_[name] = std::move(answer);
    return reference("responses", name);
}

json::object builder::success(const route& line)
{
    json::object out{{"description", description_of(line.success)}, {"headers", headers_of(line.success)}};
    if (line.describe_output)
        out["content"] = content("application/json", schema_of(line.describe_output, direction::response),
                                 direction::response);
    return out;
}

json::object builder::responses(const route& line, const operation& op)
{
    json::object out;
    auto add = [&out](unsigned status, json::object answer) {
        out[std::to_string(status)] = std::move(answer);
    };
    if (op.extra_responses.empty() || line.describe_output)
        add(line.success, success(line));
    if (line.may_be_accepted)
        add(202, {{"description", description_of(202)}, {"headers", headers_of(202)}});
    for (auto& one : op.extra_responses) {
        json::object answer{{"description", one.description}, {"headers", headers_of(one.status)}};
        if (!one.media_type.empty())
            answer["content"] = {{one.media_type, json::object()}};
        add(one.status, std::move(answer));
    }
    if (op.is_page) {
        add_page_errors(out);
        return out;
    }
    bool has_cursor = false;
    for (auto& parameter : parameters(line))
        has_cursor = has_cursor || parameter.at("name") == "cursor";
    for (auto& [status, reasons] : errors_of(line, op, has_cursor))
        add(status, error_response(line, status, reasons));
    return out;
}

json::array builder::parameters(const route& line)
{
    json::array out;
    for (auto part : parts_of(line.path))
        out.emplace_back(path_parameter(part));
    if (line.source != input_source::query)
        return out;
    schemas::openapi_context alone(direction::request);
    auto schema = line.describe_input(alone);
    json::object named;
    schemas::openapi_context cx(direction::request, &named); // examples are found by name
    auto example = schemas::example_of(line.describe_input(cx), named, direction::request);
    for (auto& parameter : schemas::parameters_of(schema)) {
        auto& one = parameter.as_object();
        if (one.at("required") == true)
            one["example"] = example.at(one.at("name").as_string());
        out.emplace_back(std::move(one));
    }
    return out;
}

json::object builder::body_of(const route& line)
{
    bool is_form = line.source == input_source::form;
    auto media = is_form ? "application/x-www-form-urlencoded" : "application/json";
    return {
        {"required", line.source != input_source::optional_json},
        {"content", content(media, schema_of(line.describe_input, direction::request), direction::request)}};
}

json::object form_body()
{
    json::object fields{{"type", "object"}};
    return {{"required", true},
            {"content", {{"application/x-www-form-urlencoded", {{"schema", std::move(fields)}}}}}};
}

json::object image_body()
{
    json::object any{{"type", "string"}, {"contentMediaType", "image/png"}};
    return {{"required", true}, {"content", {{"image/png", {{"schema", std::move(any)}}}}}};
}

json::object builder::describe(const route& line, const operation& op)
{
    std::string text(op.description);
    if (op.takes_form)
        text =
            "For a page of this site alone. The answer is the page again with what is wrong, or a redirect.";
    json::object out{{"operationId", op.id}, {"tags", {op.tag}}, {"summary", op.summary}};
    if (line.guard.kind == guard_kind::permission)
        text.append(text.empty() ? "" : " ").append("Needs `").append(line.guard.permission).append("`.");
    if (!text.empty())
        out["description"] = text;
    out["security"] = security_of(line, op);
    if (auto all = parameters(line); !all.empty())
        out["parameters"] = std::move(all);
    if (line.source == input_source::query || line.source == input_source::none) {
        if (line.body_limit != default_body_limit)
            out["requestBody"] = image_body();
        if (op.takes_form)
            out["requestBody"] = form_body();
    } else {
        out["requestBody"] = body_of(line);
    }
    out["responses"] = responses(line, op);
    return out;
}

json::array tag_list()
{
    json::array out;
    for (auto& one : tags::all)
        out.push_back({{"name", one.name}, {"description", one.description}});
    return out;
}

std::string method_name(http::verb method)
{
    std::string out(method == http::verb::unknown ? "GET" : http::to_string(method));
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

json::object builder::write(std::span<const route> routes, std::string_view server, std::string_view version)
{
    json::object paths;
    for (auto& line : routes) {
        auto& path = paths.emplace(template_of(line.path), json::object()).first->value().as_object();
        path[method_name(line.method)] = describe(line, *line.operation);
    }
    json::object license{{"name", "BSL-1.0"}, {"identifier", "BSL-1.0"}};
    json::object contact{{"name", "The operator of this server"}, {"url", server}};
    json::object info{{"title", "Latchkey"},
                      {"version", version},
                      {"description", description.substr(1, description.size() - 2)},
                      {"contact", std::move(contact)},
                      {"license", std::move(license)}};
    json::object components{{"securitySchemes", security_schemes()},
                            {"headers", common_headers()},
                            {"responses", std::move(responses_)},
                            {"schemas", std::move(schemas_)}};
    return {{"openapi", "3.1.0"}, {"info", std::move(info)},   {"servers", {{{"url", server}}}},
            {"tags", tag_list()}, {"paths", std::move(paths)}, {"components", std::move(components)}};
}

} // namespace

json::object describe_api(std::span<const route> routes, std::string_view server, std::string_view version)
{
    return builder().write(routes, server, version);
}

reply openapi::show(call& c)
{
    reply out;
    out.static_body = *c.cx.openapi;
    out.cache_control = "public, max-age=300";
    return out;
}

} // namespace handlers
