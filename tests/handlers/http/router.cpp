#include "handlers/http/router.hpp"

#include "handlers/http/endpoint.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace handlers;
using verb = handlers::http::verb;

namespace {

reply nothing_much(call&)
{
    return {};
}

constexpr route table[] = {
    get<&nothing_much>("/keys", anyone),
    post<&nothing_much>("/keys", anyone),
    post<&nothing_much>("/keys/report", anyone),
    get<&nothing_much>("/keys/{prefix}", anyone),
    del<&nothing_much>("/keys/{prefix}", anyone),
    post<&nothing_much>("/keys/{prefix}/rotate", anyone),
    get<&nothing_much>("/team/{id}/keys/{prefix}", anyone),
    any<&nothing_much>("/auth", anyone),
    get<&nothing_much>("/files/{digest}/{path*}", anyone),
};

struct routed {
    handlers::router routes{table};

    /// The matched pattern and its parameters, such as "/keys/{prefix} ab".
    std::string where(std::string_view path)
    {
        std::vector<std::string_view> params;
        auto place = routes.find(path, params);
        if (!place)
            return "nowhere";
        std::string out(place->routes.front()->path);
        for (auto part : params)
            out.append(" ").append(part);
        return out;
    }

    const router::path_entry& at(std::string_view path)
    {
        std::vector<std::string_view> params;
        auto place = routes.find(path, params);
        BOOST_REQUIRE(place);
        return *place;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(router)

BOOST_FIXTURE_TEST_CASE(paths_match_their_route, routed)
{
    BOOST_TEST(where("/keys") == "/keys");
    BOOST_TEST(where("/keys/ab") == "/keys/{prefix} ab");
    BOOST_TEST(where("/keys/ab/rotate") == "/keys/{prefix}/rotate ab");
    BOOST_TEST(where("/team/7/keys/ab") == "/team/{id}/keys/{prefix} 7 ab");
    BOOST_TEST(where("/keys/a%2Fb") == "/keys/{prefix} a%2Fb"); // decoded later
}

BOOST_FIXTURE_TEST_CASE(fixed_paths_win_over_patterns, routed)
{
    BOOST_TEST(where("/keys/report") == "/keys/report");
    BOOST_TEST(where("/keys/report/rotate") == "/keys/{prefix}/rotate report");
}

BOOST_FIXTURE_TEST_CASE(a_last_parameter_can_take_the_rest_of_the_path, routed)
{
    BOOST_TEST(where("/files/d/a.js") == "/files/{digest}/{path*} d a.js");
    BOOST_TEST(where("/files/d/a/b/c.js") == "/files/{digest}/{path*} d a/b/c.js");
    BOOST_TEST(where("/files/d/a//") == "/files/{digest}/{path*} d a//");
    for (auto path : {"/files", "/files/d", "/files/d/", "/files//a", "/files/d//a"})
        BOOST_TEST(where(path) == "nowhere", path);
}

BOOST_FIXTURE_TEST_CASE(near_misses_do_not_match, routed)
{
    for (auto path :
         {"", "/", "keys", "//keys", "/keys/", "/keys//", "/keys//rotate", "/Keys", "/keys/ab/", "/keys/ab/c",
          "/keys/ab/rotate/", "/team/7/keys", "/team//keys/ab", "/team/7/keys/", "/auth/x", "/key", "/keysx"})
        BOOST_TEST(where(path) == "nowhere", path);
}

BOOST_FIXTURE_TEST_CASE(methods_match_their_route, routed)
{
    auto& one = at("/keys/ab");
    BOOST_TEST((one.find(verb::get)->method == verb::get));
    BOOST_TEST((one.find(verb::delete_)->method == verb::delete_));
    BOOST_TEST((one.find(verb::head)->method == verb::get));
    for (auto other : {verb::post, verb::put, verb::options, verb::trace, verb::unknown})
        BOOST_TEST(!one.find(other), other);
    BOOST_TEST(!at("/keys/report").find(verb::head));
}

BOOST_FIXTURE_TEST_CASE(a_route_for_any_method_matches_each, routed)
{
    for (auto method : {verb::get, verb::head, verb::post, verb::put, verb::patch, verb::delete_,
                        verb::options, verb::unknown})
        BOOST_TEST(at("/auth").find(method), method);
}

BOOST_FIXTURE_TEST_CASE(the_allow_header_lists_the_methods_of_a_path, routed)
{
    BOOST_TEST(at("/keys").allow == "GET, HEAD, POST, OPTIONS");
    BOOST_TEST(at("/keys/report").allow == "POST, OPTIONS");
    BOOST_TEST(at("/keys/ab").allow == "GET, HEAD, DELETE, OPTIONS");
    BOOST_TEST(at("/auth").allow == "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
}

BOOST_AUTO_TEST_SUITE_END()
