#include "handlers/http/dispatch.hpp"

#include "handlers/http/endpoint.hpp"
#include "schemas/auth.hpp"
#include "schemas/page.hpp"
#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <stdexcept>
#include <string>
#include <tuple>

using namespace handlers;
using handlers::test::header_of;

namespace {

// ---- handlers of each kind, and their routes

reply at_once(call& c)
{
    reply out;
    out.body = "\"" + c.params[0] + "/" + c.params[1] + "\"";
    return out;
}

reply fail_at_once(call&)
{
    throw std::logic_error("a secret of the program");
}

awaitable<answer<schemas::page_query>> echo(call&, query<schemas::page_query> in)
{
    co_return std::move(in.value);
}

awaitable<answer<no_content>> take(call&, schemas::refresh)
{
    co_return no_content();
}

awaitable<answer<schemas::page_query>> take_or_leave(call&, std::optional<schemas::page_query> in)
{
    co_return in.value_or(schemas::page_query{{200}, {}});
}

awaitable<answer<no_content>> refuse_it(call&)
{
    co_return problem::of(codes::conflict, "Not now.");
}

awaitable<answer<no_content>> fail(call& c)
{
    auto& how = c.params[0];
    if (how == "unavailable")
        throw db::failure(db::failure_kind::unavailable, "password=hunter2");
    if (how == "stale")
        throw db::failure(db::failure_kind::stale, "password=hunter2");
    if (how == "crowded")
        throw db::failure(db::failure_kind::overloaded, "SELECT hunter2");
    if (how == "statement")
        throw db::failure(db::failure_kind::statement, "SELECT hunter2");
    if (how == "overloaded")
        throw crypto::overloaded();
    if (how == "number")
        throw 7;
    if (how == "otherwise")
        throw std::runtime_error("hunter2");
    co_return no_content();
}

reply write_rejection(call&, const problem& why)
{
    auto out = to_reply(why);
    out.status = 418;
    return out;
}

constexpr route table[] = {
    get<&at_once>("/now/{a}/{b}", unlimited),
    get<&fail_at_once>("/fail-now", unlimited),
    get<&echo>("/echo", anyone),
    post<&take>("/take", anyone, 202),
    post<&take_or_leave>("/take-or-leave", anyone),
    del<&refuse_it>("/refuse", anyone),
    get<&fail>("/fail/{how}", unlimited),
    get<&at_once>("/mine", current_user),
    get<&at_once>("/custom-rejection", current_user).on_refusal<&write_rejection>(),
};

struct served : handlers::test::handler_fixture {
    router routes{table};

    reply ask(http::verb method, std::string_view path, std::string_view query = "")
    {
        message.method(method);
        req.path = path;
        req.query = query;
        auto now = dispatch_now(routes, cx, req);
        if (auto answer = std::get_if<reply>(&now))
            return std::move(*answer);
        return support::run(io, [&] { return dispatch(std::get<pending>(std::move(now))); });
    }

    reply get(std::string_view path, std::string_view query = "")
    {
        return ask(http::verb::get, path, query);
    }

    reply post(std::string_view path, std::string text)
    {
        message.set(http::field::content_type, "application/json");
        message.body() = std::move(text);
        return ask(http::verb::post, path);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(dispatch)

BOOST_FIXTURE_TEST_CASE(path_parameters_are_decoded, served)
{
    auto out = get("/now/x%20y/%C3%A9");
    BOOST_TEST(out.status == 200u);
    BOOST_TEST(out.body == "\"x y/\u00E9\"");
    BOOST_TEST(out.route == "/now/{a}/{b}");
    for (auto path : {"/now/%zz/x", "/now/%00/x", "/now/x/%ff", "/now/x", "/now/x/", "/now//x", "/now/x/y/z",
                      "/Now/x/y", "", "/"})
        BOOST_TEST(get(path).status == 404u, path);
}

BOOST_FIXTURE_TEST_CASE(handlers_that_do_not_suspend_run_synchronously, served)
{
    req.path = "/now/a/b";
    auto out = dispatch_now(routes, cx, req);
    BOOST_TEST_REQUIRE(std::holds_alternative<reply>(out));
    BOOST_TEST(std::get<reply>(out).is_routine);
    auto has_to_wait = [&] { return std::holds_alternative<pending>(dispatch_now(routes, cx, req)); };
    req.path = "/echo";
    BOOST_TEST(has_to_wait());
    req.path = "/mine";
    message.set(http::field::authorization, "Bearer a.b.c");
    BOOST_TEST(has_to_wait()); // the cache is empty
}

BOOST_FIXTURE_TEST_CASE(input_and_output_follow_from_the_signature, served)
{
    auto echoed = get("/echo", "limit=7&cursor=x");
    BOOST_TEST(echoed.status == 200u);
    BOOST_TEST(echoed.body == R"({"limit":7,"cursor":"x"})");
    BOOST_TEST(echoed.content_type == "application/json");
    BOOST_TEST(get("/echo", "limit=x").status == 422u);

    auto taken = post("/take", R"({"refresh_token":"x"})");
    BOOST_TEST(taken.status == 202u);
    BOOST_TEST(taken.body == "");
    BOOST_TEST(taken.content_type == "");
    BOOST_TEST(post("/take", "").status == 400u);

    BOOST_TEST(post("/take-or-leave", "").body == R"({"limit":200})");
    BOOST_TEST(post("/take-or-leave", "{}").body == R"({"limit":50})");
    BOOST_TEST(post("/take-or-leave", "{").status == 400u);
    BOOST_TEST(ask(http::verb::delete_, "/refuse").status == 409u);
}

BOOST_FIXTURE_TEST_CASE(exceptions_map_to_codes_and_their_cause_is_not_sent, served)
{
    for (auto [how, status, code] :
         {std::tuple("unavailable", 503u, "database_unavailable"),
          std::tuple("stale", 503u, "database_unavailable"), std::tuple("overloaded", 503u, "overloaded"),
          std::tuple("crowded", 503u, "overloaded"), std::tuple("statement", 500u, "internal_error"),
          std::tuple("number", 500u, "internal_error"), std::tuple("otherwise", 500u, "internal_error")}) {
        auto out = get("/fail/" + std::string(how));
        BOOST_TEST(out.status == status, how);
        BOOST_TEST(out.body.find("\"code\":\"" + std::string(code) + "\"") != std::string::npos, out.body);
        BOOST_TEST(out.body.find("hunter2") == std::string::npos, how);
        BOOST_TEST(out.headers.find("hunter2") == std::string::npos, how);
        BOOST_TEST(header_of(out, "Retry-After") == (status == 503u ? "1" : ""), how);
    }
    BOOST_TEST(get("/fail/otherwise").cause == "hunter2");
    auto now = get("/fail-now");
    BOOST_TEST(now.status == 500u);
    BOOST_TEST(now.body.find("secret") == std::string::npos);
    BOOST_TEST(now.cause == "a secret of the program");
}

BOOST_FIXTURE_TEST_CASE(uncached_credentials_get_503_without_the_database, served)
{
    message.set(http::field::authorization, "Bearer " + crypto::make_api_key().text);
    auto out = get("/mine");
    BOOST_TEST(out.status == 503u);
    BOOST_TEST(out.body.find("database_unavailable") != std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(a_route_can_write_rejections_by_its_guard, served)
{
    BOOST_TEST(get("/mine").status == 401u);
    BOOST_TEST(get("/custom-rejection").status == 418u);
}

BOOST_FIXTURE_TEST_CASE(other_methods_get_405_with_allow, served)
{
    auto out = ask(http::verb::put, "/take");
    BOOST_TEST(out.status == 405u);
    BOOST_TEST(header_of(out, "Allow") == "POST, OPTIONS");
    BOOST_TEST(ask(http::verb::options, "/take").status == 204u);
    BOOST_TEST(ask(http::verb::head, "/now/a/b").status == 200u);
    BOOST_TEST(ask(http::verb::head, "/take").status == 405u);
}

BOOST_FIXTURE_TEST_CASE(unmatched_requests_count_for_the_address, served)
{
    config.rate_limit_per_minute = 3;
    BOOST_TEST(get("/nowhere").status == 404u);
    BOOST_TEST(get("/now/%zz/x").status == 404u);
    BOOST_TEST(get("/take").status == 405u);
    for (auto path : {"/nowhere", "/now/%zz/x", "/take", "/echo"})
        BOOST_TEST(get(path).status == 429u, path);
    BOOST_TEST(get("/now/a/b").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(every_reply_has_cors_headers_for_an_allowed_origin, served)
{
    config.cors_origins = {"https://app.example"};
    message.set(http::field::origin, "https://app.example");
    for (auto path : {"/now/a/b", "/nowhere", "/mine", "/fail/otherwise", "/fail-now", "/echo", "/take"})
        BOOST_TEST(header_of(get(path), "Access-Control-Allow-Origin") == "https://app.example", path);
}

BOOST_AUTO_TEST_SUITE_END()
