// Properties of every route in the table, including routes added later.
#include "handlers/routes.hpp"

#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <algorithm>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

using namespace e2e;
using handlers::guard_kind;

namespace {

/// The path with a value in place of each parameter.
std::string path_of(const handlers::route& line, const std::string& part = "aaaaaaaa")
{
    std::string out(line.path);
    for (auto open = out.find('{'); open != std::string::npos; open = out.find('{'))
        out.replace(open, out.find('}', open) + 1 - open, part);
    return out;
}

std::string name_of(const handlers::route& line)
{
    return std::string(support::http::to_string(line.method)) + " " + std::string(line.path);
}

bool needs_credential(const handlers::route& line)
{
    return line.guard.kind != guard_kind::anyone && line.guard.kind != guard_kind::unlimited &&
           line.guard.kind != guard_kind::browser_session;
}

/// A method that no route has for this path.
support::http::verb unknown_to(std::string_view path)
{
    using support::http::verb;
    for (auto method : {verb::put, verb::patch, verb::post})
        if (std::ranges::none_of(handlers::all_routes(), [&](const handlers::route& line) {
                return line.path == path && line.method == method;
            }))
            return method;
    throw std::runtime_error("a path that knows every method");
}

bool may_lack_a_body(const handlers::route& line)
{
    return line.path.ends_with("/rotate") || line.path.ends_with("/verify/resend") ||
           line.path == "/session/token" || line.method == support::http::verb::delete_;
}

bool reads_json(const handlers::route& line)
{
    return line.source == handlers::input_source::json ||
           line.source == handlers::input_source::optional_json;
}

struct routes_fixture : account_fixture {
    routes_fixture() { client.set("Sec-Fetch-Site", "same-origin"); }

    std::string all_powerful = mint(R"({"name":"k"})");

    support::response ask(const handlers::route& line, std::string body = "", const std::string& with = "")
    {
        auto method = line.method == support::http::verb::unknown ? support::http::verb::get : line.method;
        return client.send(method, path_of(line), std::move(body), with);
    }

    support::response send_as(const handlers::route& line, const std::string& content_type, std::string body)
    {
        support::http::request<support::http::string_body> message(line.method, path_of(line), 11);
        message.set(support::http::field::authorization, "Bearer " + all_powerful);
        if (!content_type.empty())
            message.set(support::http::field::content_type, content_type);
        message.body() = std::move(body);
        return client.send(std::move(message));
    }

    template <class Check>
    void each_reading_json(Check check)
    {
        for (auto& line : handlers::all_routes())
            if (reads_json(line)) {
                BOOST_TEST_CONTEXT(name_of(line))
                {
                    check(line);
                }
            }
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(routes)

BOOST_FIXTURE_TEST_CASE(a_missing_credential_is_challenged, routes_fixture)
{
    for (auto& line : handlers::all_routes()) {
        if (!needs_credential(line))
            continue;
        BOOST_TEST_CONTEXT(name_of(line))
        {
            for (auto body : {"", "{", "{}"}) {
                auto refused = ask(line, body);
                BOOST_TEST(refused.status == 401u);
                BOOST_TEST(refused.code() == "unauthorized");
                BOOST_TEST(member_names(refused) == "detail code");
                auto challenge = refused.header("WWW-Authenticate");
                BOOST_TEST(challenge.starts_with("Bearer realm=\"latchkey\""));
                BOOST_TEST(challenge.find("error") == challenge.npos);
            }
        }
    }
}

BOOST_FIXTURE_TEST_CASE(a_key_without_the_permission_gets_its_name, routes_fixture)
{
    auto key = mint(R"({"name":"k","scopes":["content:write"]})");
    for (auto& line : handlers::all_routes()) {
        if (line.guard.kind != guard_kind::permission)
            continue;
        BOOST_TEST_CONTEXT(name_of(line))
        {
            auto refused = ask(line, "{", key);
            BOOST_TEST(refused.status == 403u);
            BOOST_TEST(refused.code() == "forbidden_scope");
            BOOST_TEST(refused.text("/required") == line.guard.permission);
            BOOST_TEST(refused.header("WWW-Authenticate").find("error=\"insufficient_scope\"") !=
                       std::string::npos);
        }
    }
}

BOOST_FIXTURE_TEST_CASE(every_response_is_uncacheable_and_has_a_request_id, routes_fixture)
{
    client.set("X-Request-Id", "all-routes");
    for (auto& line : handlers::all_routes()) {
        if (!line.path.starts_with("/api/"))
            continue;
        BOOST_TEST_CONTEXT(name_of(line))
        {
            for (auto& with : {std::string(), std::string("nonsense")}) {
                auto answer = ask(line, "{}", with);
                BOOST_TEST(answer.header("Cache-Control") == "no-store");
                BOOST_TEST(answer.header("X-Request-Id") == "all-routes");
                BOOST_TEST(answer.header("X-Content-Type-Options") == "nosniff");
                BOOST_TEST(answer.header("Content-Type") == (answer.body.empty() ? "" : "application/json"));
            }
        }
    }
}

BOOST_FIXTURE_TEST_CASE(an_unknown_method_gets_the_allowed_ones, routes_fixture)
{
    for (auto& line : handlers::all_routes()) {
        if (line.method == support::http::verb::unknown)
            continue;
        BOOST_TEST_CONTEXT(name_of(line))
        {
            auto refused = client.send(unknown_to(line.path), path_of(line), "", token);
            BOOST_TEST(refused.status == 405u);
            BOOST_TEST(refused.code() == "method_not_allowed");
            auto allowed = refused.header("Allow");
            BOOST_TEST(allowed.find(std::string(support::http::to_string(line.method))) != std::string::npos);
            auto options = client.send(support::http::verb::options, path_of(line), "", "");
            BOOST_TEST(options.status == 204u);
            BOOST_TEST(options.header("Allow") == allowed);
        }
    }
}

BOOST_FIXTURE_TEST_CASE(invalid_json_is_malformed, routes_fixture)
{
    std::string deep(1000, '[');
    each_reading_json([&](const handlers::route& line) {
        for (auto& body :
             {std::string("{"), std::string("nonsense"), std::string("{}{}"), std::string("{\"a\":1,}"),
              std::string("{'a':1}"), std::string("{\"a\":NaN}"), std::string("{\"a\":01}"),
              std::string("{} // so"), std::string(" "), std::string("\xEF\xBB\xBF{}"), deep,
              std::string("{\"a\":\"\xFF\"}"), std::string("{\"a\":\"\xC0\xAF\"}"),
              std::string("{\"a\":\"\xED\xA0\x80\"}"), std::string("{\"a\":\"\\ud800\"}"),
              std::string("{\"a\":\"\n\"}"), std::string("{\"a\":1,\"a\":2}"),
              std::string("{\"a\":{\"b\":1,\"b\":1}}"), std::string("{\"a\":\"\0\"}", 9)}) {
            auto refused = ask(line, body, all_powerful);
            BOOST_TEST(refused.status == 400u, body);
            BOOST_TEST(refused.code() == "malformed_json", body);
            BOOST_TEST(member_names(refused) == "detail code");
        }
    });
}

BOOST_FIXTURE_TEST_CASE(an_empty_body_is_malformed_where_one_is_required, routes_fixture)
{
    each_reading_json([&](const handlers::route& line) {
        auto answer = send_as(line, "application/json", "");
        BOOST_TEST((answer.code() == "malformed_json") == !may_lack_a_body(line), answer.body);
    });
}

BOOST_FIXTURE_TEST_CASE(a_body_requires_the_json_content_type, routes_fixture)
{
    each_reading_json([&](const handlers::route& line) {
        for (auto type :
             {"", "text/plain", "text/json", "application/x-www-form-urlencoded", "application/jsonp",
              "application/problem+json", "application", "*/*", ";application/json"}) {
            auto refused = send_as(line, type, "{}");
            BOOST_TEST(refused.status == 415u, type);
            BOOST_TEST(refused.code() == "unsupported_media_type", type);
        }
        for (auto type : {"application/json; charset=utf-8", "Application/JSON", "application/json;x=\"y\""})
            BOOST_TEST(send_as(line, type, "{").code() == "malformed_json", type);
    });
}

BOOST_FIXTURE_TEST_CASE(json_other_than_an_object_is_unprocessable, routes_fixture)
{
    each_reading_json([&](const handlers::route& line) {
        for (auto body : {"[]", "null", "7", "\"text\"", "true", "[{}]"})
            BOOST_TEST(validation_errors(ask(line, body, all_powerful)) == "body dict_type", body);
    });
}

BOOST_FIXTURE_TEST_CASE(unknown_members_are_rejected_at_every_depth, routes_fixture)
{
    each_reading_json([&](const handlers::route& line) {
        auto errors = validation_errors(ask(line, R"({"no_such":1,"":2,"__proto__":{}})", all_powerful));
        for (auto fault :
             {"body.no_such extra_forbidden", "body. extra_forbidden", "body.__proto__ extra_forbidden"})
            BOOST_TEST(errors.find(fault) != std::string::npos, errors);
    });
}

BOOST_FIXTURE_TEST_CASE(the_error_list_is_bounded, routes_fixture)
{
    std::string many = "{";
    for (int i = 0; i < 6000; ++i)
        many += "\"" + std::to_string(i) + "\":0,";
    many.back() = '}';
    each_reading_json([&](const handlers::route& line) {
        auto refused = ask(line, many, all_powerful);
        BOOST_TEST(refused.status == 422u);
        BOOST_TEST(item_count(refused, "/detail") <= 1000u);
    });
}

BOOST_FIXTURE_TEST_CASE(no_path_parameter_causes_a_server_error, routes_fixture)
{
    for (auto& line : handlers::all_routes()) {
        if (line.path.find('{') == std::string_view::npos)
            continue;
        BOOST_TEST_CONTEXT(name_of(line))
        {
            for (std::string part :
                 {"%00", "%zz", "%", "%ff", "%0a", "..", "%2e%2e", "'", "%27%3B--", "*", "%2F", "a%2Fb",
                  "null", "01890a5d-ac96-774b-bcce-b302099a8057", "%F0%9F%94%91"}) {
                auto body = line.path.ends_with("/team/{user_id}") ? R"({"role":"member"})"
                            : reads_json(line)                     ? "{}"
                                                                   : "";
                auto status = client.send(line.method, path_of(line, part), body, token).status;
                // The console itself says that it has no such screen.
                bool is_console = line.path.starts_with("/console/") && status == 200;
                BOOST_TEST((status == 404u || is_console), part);
            }
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
