#include "handlers/openapi/document.hpp"

#include "handlers/openapi/operations.hpp"
#include "handlers/routes.hpp"
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

constexpr std::string_view description =
    "Who is this, and may they? Accounts, sessions, workspaces with roles, and API keys for a product's "
    "other parts.\n\n"
    "**Credentials.** `Authorization: Bearer <token>`, where the token is an access token (a JWT) from "
    "signing in, or "
    "an API key. Both work at every call that needs one. The credential names the workspace that a call is "
    "about; ids "
    "of other workspaces answer 404.\n\n"
    "**Refusals** carry a text for people in `detail` and a word for programs in `code`. A body with unknown "
    "members "
    "is refused, so that no typing error is taken for a wish.\n\n"
    "**Lists** come in pages: `next_cursor` of one page is the `cursor` of the next.\n\n"
    "**Limits.** Requests are counted for each credential, or, without one, for each address; 429 tells when "
    "to come "
    "again.";

/** What a status means, in a word or two. */
std::string_view meaning_of(unsigned status)
{
    switch (status) {
    case 200:
        return "Done.";
    case 201:
        return "Made.";
    case 202:
        return "Accepted; how it went is told by mail, if at all.";
    case 204:
        return "Done; there is nothing to say.";
    case 400:
        return "The request cannot be read, or a token in it is not good any more.";
    case 401:
        return "The credential is missing, malformed, expired or revoked.";
    case 403:
        return "The caller may not do this.";
    case 404:
        return "There is no such thing here, or it belongs to another workspace.";
    case 406:
        return "The client does not accept what is answered.";
    case 409:
        return "The state of things forbids it.";
    case 413:
        return "The body is too large.";
    case 415:
        return "The body is of the wrong content type.";
    case 422:
        return "A field is wrong; all wrong fields are listed.";
    case 429:
        return "Too many requests.";
    case 500:
        return "Something went wrong here.";
    case 503:
        return "Too busy, or the database does not answer; nothing is half done.";
    default:
        throw std::logic_error("a status without a meaning");
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

/** Headers that every answer of a status carries. */
json::object headers_of(unsigned status)
{
    json::object out{{"X-Request-Id", reference("headers", "X-Request-Id")}};
    if (status == 302)
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
    json::object seconds{{"description", "Seconds until it is worth trying again."},
                         {"schema", {{"type", "integer"}}}};
    return {{"X-Request-Id",
             text_header("Names the request, in the log and in letters to whoever runs the server.")},
            {"Location", text_header("Where to go on.")},
            {"WWW-Authenticate", text_header("How to authenticate (RFC 6750).")},
            {"Retry-After", std::move(seconds)},
            {"RateLimit", text_header("What is left of the limit (RateLimit header fields, IETF draft).")},
            {"RateLimit-Policy", text_header("The limit.")}};
}

json::object security_schemes()
{
    json::object session{{"type", "http"},
                         {"scheme", "bearer"},
                         {"bearerFormat", "JWT"},
                         {"description", "The access token of a session."}};
    json::object key{{"type", "http"},
                     {"scheme", "bearer"},
                     {"bearerFormat", "tnx_<prefix>_<secret>"},
                     {"description", "An API key. Good for what its owner may do, narrowed by its scopes."}};
    return {{"accessToken", std::move(session)}, {"apiKey", std::move(key)}};
}

/** The parts of a path pattern that vary. */
std::vector<std::string_view> parts_of(std::string_view path)
{
    std::vector<std::string_view> out;
    for (auto from = path.find('{'); from != path.npos; from = path.find('{', from + 1))
        out.push_back(path.substr(from + 1, path.find('}', from) - from - 1));
    return out;
}

json::object path_parameter(std::string_view name)
{
    json::object schema{{"type", "string"}};
    json::value example = "01935c1e-7a00-7000-8000-00000000ada1";
    if (name == "prefix") {
        schema["pattern"] = "^[a-z0-9]{8}$";
        example = "example0";
    } else if (name == "provider") {
        schema["enum"] = json::array{"google"};
        example = "google";
    } else if (name == "file") {
        example = "swagger-ui.css";
    } else {
        schema["format"] = "uuid";
    }
    return {{"name", name},
            {"in", "path"},
            {"required", true},
            {"schema", std::move(schema)},
            {"example", std::move(example)}};
}

/** Puts the document together, and with it the schemas and answers that operations share. */
class writer {
public:
    json::object write(std::string_view server, std::string_view version);

private:
    json::object describe(const route& line, const operation& what);
    json::array parameters(const route& line);
    json::object body_of(const route& line);
    json::object answers(const route& line, const operation& what);
    json::object success(const route& line);
    json::object refusal_answer(const route& line, unsigned status, const std::vector<refusal>& reasons);
    json::object body_schema(const route& line, const std::vector<refusal>& alike);

    json::object place(schemas::describer what, direction way)
    {
        schemas::openapi_context cx(way, &schemas_);
        return what(cx);
    }

    json::object content(std::string_view media, json::object schema, direction way)
    {
        json::object inside;
        if (!schema.empty())
            inside["example"] = schemas::example_of(schema, schemas_, way);
        inside["schema"] = std::move(schema);
        return {{media, std::move(inside)}};
    }

    json::object schemas_;   // by name
    json::object responses_; // refusals, which many operations share
};

/** What may be answered to anybody who sends this, whatever the handler does. */
std::vector<refusal> common_refusals(const route& line)
{
    using namespace refusals;
    using kind = guard::kind;
    std::vector<refusal> out{bad_request, internal_error, overloaded, database_unavailable};
    auto add = [&out](auto... more) { (out.push_back(more), ...); };
    if (line.who.who != kind::unlimited)
        add(too_many);
    if (line.who.who != kind::unlimited && line.who.who != kind::anyone) {
        add(unauthorized, token_expired);
        if (line.who.who != kind::even_unverified)
            add(email_not_verified);
        if (line.who.needs_workspace)
            add(pending_approval,
                line.who.who == kind::permission ? refusals::forbidden_scope : refusals::forbidden);
        if (line.who.who == kind::permission || line.who.who == kind::company_admin)
            add(forbidden_scope);
    }
    if (line.input_from == input_place::json || line.input_from == input_place::optional_json)
        add(malformed_json, payload_too_large, unsupported_media_type, validation_error);
    if (line.input_from == input_place::form)
        add(payload_too_large, unsupported_media_type, validation_error);
    if (line.input_from == input_place::query)
        add(validation_error);
    if (line.path.find('{') != line.path.npos)
        add(not_found);
    return out;
}

/** By status, none twice. */
std::map<unsigned, std::vector<refusal>> refusals_of(const route& line, const operation& what,
                                                     bool has_cursor)
{
    auto all = common_refusals(line);
    all.insert(all.end(), what.refused.begin(), what.refused.end());
    if (has_cursor)
        all.push_back(refusals::invalid_cursor);
    std::map<unsigned, std::vector<refusal>> out;
    for (auto& one : all) {
        auto& there = out[one.status];
        auto is_same = [&](const refusal& other) { return other.code == one.code && other.body == one.body; };
        if (std::ranges::none_of(there, is_same))
            there.push_back(one);
    }
    return out;
}

json::object codes_schema(const std::vector<refusal>& alike)
{
    json::array codes;
    for (auto& one : alike)
        codes.emplace_back(one.code);
    return {{"type", "object"}, {"properties", {{"code", {{"enum", std::move(codes)}}}}}};
}

/** The schema of refusals with one shape. */
json::object writer::body_schema(const route& line, const std::vector<refusal>& alike)
{
    using enum refusal::shape;
    json::object plain;
    switch (alike.front().body) {
    case problem:
        plain = place(&schemas::describe<schemas::problem>, direction::response);
        break;
    case validation:
        plain = place(&schemas::describe<schemas::validation_problem>, direction::response);
        break;
    case forbidden_scope:
        plain = place(&schemas::describe<schemas::forbidden_scope_problem>, direction::response);
        break;
    case rate_limited:
        plain = place(&schemas::describe<schemas::rate_limited_problem>, direction::response);
        break;
    case own:
        plain = place(line.describe_other ? line.describe_other : line.describe_output, direction::response);
        break;
    }
    if (alike.front().code.empty())
        return plain;
    return {{"allOf", {std::move(plain), codes_schema(alike)}}};
}

std::string name_of(unsigned status, const std::vector<refusal>& reasons)
{
    std::string out = std::to_string(status);
    for (auto& one : reasons)
        out.append("-").append(one.code);
    return out;
}

json::object writer::refusal_answer(const route& line, unsigned status, const std::vector<refusal>& reasons)
{
    std::map<refusal::shape, std::vector<refusal>> by_shape;
    for (auto& one : reasons)
        by_shape[one.body].push_back(one);
    json::array either;
    for (auto& [shape, alike] : by_shape)
        either.emplace_back(body_schema(line, alike));
    json::object schema =
        either.size() == 1 ? either.front().as_object() : json::object{{"anyOf", std::move(either)}};
    json::object answer{{"description", meaning_of(status)},
                        {"headers", headers_of(status)},
                        {"content", {{"application/json", {{"schema", std::move(schema)}}}}}};
    if (by_shape.contains(refusal::shape::own))
        return answer;
    auto name = name_of(status, reasons);
    responses_[name] = std::move(answer);
    return reference("responses", name);
}

json::object writer::success(const route& line)
{
    json::object out{{"description", meaning_of(line.success)}, {"headers", headers_of(line.success)}};
    if (line.describe_output)
        out["content"] = content("application/json", place(line.describe_output, direction::response),
                                 direction::response);
    return out;
}

json::object writer::answers(const route& line, const operation& what)
{
    json::object out;
    auto add = [&out](unsigned status, json::object answer) {
        out[std::to_string(status)] = std::move(answer);
    };
    if (what.further[0].status == 0 || line.describe_output)
        add(line.success, success(line));
    if (line.may_be_accepted)
        add(202, {{"description", meaning_of(202)}, {"headers", headers_of(202)}});
    for (auto& one : what.further) {
        if (one.status == 0)
            continue;
        json::object answer{{"description", one.description}, {"headers", headers_of(one.status)}};
        if (!one.media.empty())
            answer["content"] = {{one.media, json::object()}};
        add(one.status, std::move(answer));
    }
    bool has_cursor = false;
    for (auto& parameter : parameters(line))
        has_cursor = has_cursor || parameter.at("name") == "cursor";
    for (auto& [status, reasons] : refusals_of(line, what, has_cursor))
        add(status, refusal_answer(line, status, reasons));
    return out;
}

json::array writer::parameters(const route& line)
{
    json::array out;
    for (auto part : parts_of(line.path))
        out.emplace_back(path_parameter(part));
    if (line.input_from != input_place::query)
        return out;
    schemas::openapi_context alone(direction::request);
    auto schema = line.describe_input(alone);
    json::object named; // for examples, which go by the struct's name
    schemas::openapi_context cx(direction::request, &named);
    auto example = schemas::example_of(line.describe_input(cx), named, direction::request);
    for (auto& parameter : schemas::parameters_of(schema)) {
        auto& one = parameter.as_object();
        if (one.at("required") == true)
            one["example"] = example.at(one.at("name").as_string());
        out.emplace_back(std::move(one));
    }
    return out;
}

json::object writer::body_of(const route& line)
{
    bool is_form = line.input_from == input_place::form;
    auto media = is_form ? "application/x-www-form-urlencoded" : "application/json";
    return {{"required", line.input_from != input_place::optional_json},
            {"content", content(media, place(line.describe_input, direction::request), direction::request)}};
}

json::object picture_body()
{
    json::object any{{"type", "string"}, {"contentMediaType", "image/png"}};
    return {{"required", true}, {"content", {{"image/png", {{"schema", std::move(any)}}}}}};
}

bool needs_credential(const route& line)
{
    return line.who.who != guard::kind::anyone && line.who.who != guard::kind::unlimited;
}

/** Any of these will do; an empty one: none is needed. */
json::array security_of(const route& line, const operation& what)
{
    auto is_token_expired = [](const refusal& one) { return one.code == refusals::token_expired.code; };
    bool may_have = std::ranges::any_of(what.refused, is_token_expired);
    json::array out;
    if (needs_credential(line) || may_have) {
        out.push_back({{"accessToken", json::array()}});
        out.push_back({{"apiKey", json::array()}});
    }
    if (!needs_credential(line) && may_have)
        out.emplace_back(json::object());
    return out;
}

json::object writer::describe(const route& line, const operation& what)
{
    std::string text(what.description);
    json::object out{{"operationId", what.id}, {"tags", {what.tag}}, {"summary", what.summary}};
    if (line.who.who == guard::kind::permission)
        text.append(text.empty() ? "" : " ").append("Needs `").append(line.who.permission).append("`.");
    if (!text.empty())
        out["description"] = text;
    out["security"] = security_of(line, what);
    if (auto all = parameters(line); !all.empty())
        out["parameters"] = std::move(all);
    if (line.input_from == input_place::query || line.input_from == input_place::none) {
        if (line.body_limit != body_limit)
            out["requestBody"] = picture_body();
    } else {
        out["requestBody"] = body_of(line);
    }
    out["responses"] = answers(line, what);
    return out;
}

json::array tag_list()
{
    json::array out;
    for (auto& one : all_operation_tags())
        out.push_back({{"name", one.name}, {"description", one.description}});
    return out;
}

const operation& operation_of(const route& line)
{
    auto is_its = [&](const operation& one) { return one.method == line.method && one.path == line.path; };
    auto it = std::ranges::find_if(all_operations(), is_its);
    if (it == all_operations().end())
        throw std::logic_error("no operation describes " + std::string(line.path));
    return *it;
}

std::string method_name(http::verb method)
{
    std::string out(method == http::verb::unknown ? "GET" : http::to_string(method));
    std::ranges::transform(out, out.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

json::object writer::write(std::string_view server, std::string_view version)
{
    if (all_operations().size() != all_routes().size())
        throw std::logic_error("there are more operations than routes");
    json::object paths;
    for (auto& line : all_routes()) {
        auto& path = paths.emplace(line.path, json::object()).first->value().as_object();
        path[method_name(line.method)] = describe(line, operation_of(line));
    }
    json::object license{{"name", "BSL-1.0"}, {"identifier", "BSL-1.0"}};
    json::object contact{{"name", "Whoever runs this server"}, {"url", server}};
    json::object info{{"title", "Latchkey"},
                      {"version", version},
                      {"description", description},
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

json::object describe_api(std::string_view server, std::string_view version)
{
    return writer().write(server, version);
}

reply openapi::show(call& c)
{
    reply out;
    out.body = *c.cx.openapi;
    out.cache_control = "public, max-age=300";
    return out;
}

} // namespace handlers
