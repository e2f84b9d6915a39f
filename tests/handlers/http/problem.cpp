#include "handlers/http/problem.hpp"

#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using handlers::to_reply;
using handlers::test::header_of;

BOOST_AUTO_TEST_SUITE(problem)

BOOST_AUTO_TEST_CASE(most_problems_are_a_text_and_a_code)
{
    auto out = to_reply(handlers::problem::conflict("last_admin", "Somebody \"must\" be\nadmin."));
    BOOST_TEST(out.status == 409u);
    BOOST_TEST(out.content_type == "application/json");
    BOOST_TEST(out.cache_control == "no-store");
    BOOST_TEST(out.body == R"({"detail":"Somebody \"must\" be\nadmin.","code":"last_admin"})");
    BOOST_TEST(out.headers == "");
}

BOOST_AUTO_TEST_CASE(each_has_the_status_and_the_code_of_the_contract)
{
    auto is = [](const handlers::problem& p, unsigned status, std::string_view code) {
        BOOST_TEST(p.status == status, code);
        BOOST_TEST(p.code == code, code);
        BOOST_TEST(to_reply(p).status == status, code);
    };
    is(handlers::problem::bad_request("x"), 400, "bad_request");
    is(handlers::problem::malformed_json(), 400, "malformed_json");
    is(handlers::problem::invalid_cursor(), 400, "invalid_cursor");
    is(handlers::problem::unauthorized(), 401, "unauthorized");
    is(handlers::problem::invalid_token("x"), 401, "unauthorized");
    is(handlers::problem::token_expired(), 401, "token_expired");
    is(handlers::problem::invalid_credentials(), 401, "invalid_credentials");
    is(handlers::problem::forbidden_scope("team:roles"), 403, "forbidden_scope");
    is(handlers::problem::forbidden("account_disabled", "x"), 403, "account_disabled");
    is(handlers::problem::not_found(), 404, "not_found");
    is(handlers::problem::method_not_allowed("GET"), 405, "method_not_allowed");
    is(handlers::problem::payload_too_large(), 413, "payload_too_large");
    is(handlers::problem::unsupported_media_type("application/json"), 415, "unsupported_media_type");
    is(handlers::problem::invalid_field("body", "x", "y"), 422, "validation_error");
    is(handlers::problem::overloaded(), 503, "overloaded");
    is(handlers::problem::database_unavailable("x"), 503, "database_unavailable");
    is(handlers::problem::internal("x"), 500, "internal_error");
}

BOOST_AUTO_TEST_CASE(a_validation_error_lists_its_faults)
{
    std::vector<schemas::fault> faults;
    faults.push_back({{"body", "invites", std::size_t{2}, "role"}, "must be one of: admin", "enum"});
    faults.push_back({{"body", "a\"b"}, "is not known here", "extra_forbidden"});
    BOOST_TEST(to_reply(handlers::problem::validation(std::move(faults))).body ==
               R"({"code":"validation_error","detail":[{"loc":["body","invites",2,"role"],)"
               R"("msg":"must be one of: admin","type":"enum"},)"
               R"({"loc":["body","a\"b"],"msg":"is not known here","type":"extra_forbidden"}]})");
    BOOST_TEST(to_reply(handlers::problem::invalid_field("query", "status", "must be 403")).body ==
               R"({"code":"validation_error","detail":[{"loc":["query","status"],"msg":"must be 403",)"
               R"("type":"value_error"}]})");
}

BOOST_AUTO_TEST_CASE(a_lacking_permission_is_named_in_body_and_challenge)
{
    auto out = to_reply(handlers::problem::forbidden_scope("team:roles"));
    BOOST_TEST(out.body.ends_with(R"("code":"forbidden_scope","required":"team:roles"})"));
    BOOST_TEST(header_of(out, "WWW-Authenticate") ==
               R"(Bearer realm="latchkey", error="insufficient_scope", scope="team:roles")");
    BOOST_TEST(to_reply(handlers::problem::forbidden("forbidden", "x")).headers == "");
}

BOOST_AUTO_TEST_CASE(a_challenge_has_an_error_only_where_a_credential_was_sent)
{
    auto challenge = [](const handlers::problem& p) { return header_of(to_reply(p), "WWW-Authenticate"); };
    BOOST_TEST(challenge(handlers::problem::unauthorized()) == R"(Bearer realm="latchkey")");
    BOOST_TEST(challenge(handlers::problem::invalid_credentials()) == R"(Bearer realm="latchkey")");
    BOOST_TEST(challenge(handlers::problem::invalid_token("x")) ==
               R"(Bearer realm="latchkey", error="invalid_token")");
    BOOST_TEST(challenge(handlers::problem::token_expired()) ==
               R"(Bearer realm="latchkey", error="invalid_token", error_description="expired")");
}

BOOST_AUTO_TEST_CASE(who_is_to_come_back_is_told_when)
{
    for (auto& p : {handlers::problem::overloaded(), handlers::problem::database_unavailable("x")})
        BOOST_TEST(header_of(to_reply(p), "Retry-After") == "1");
    handlers::problem limited;
    limited.status = 429;
    limited.code = "rate_limited";
    limited.detail = "Slowly.";
    limited.retry_after = std::chrono::seconds(7);
    limited.rate_policy = "\"ip\";q=1;w=60";
    limited.rate_state = "\"ip\";r=0;t=7";
    auto out = to_reply(limited);
    BOOST_TEST(out.body ==
               R"({"detail":"Slowly.","code":"rate_limited","error":"rate_limited","message":"Slowly."})");
    BOOST_TEST(out.headers == "Retry-After: 7\r\nRateLimit-Policy: \"ip\";q=1;w=60\r\n"
                              "RateLimit: \"ip\";r=0;t=7\r\n");
}

BOOST_AUTO_TEST_CASE(a_wrong_method_is_told_the_right_ones)
{
    BOOST_TEST(to_reply(handlers::problem::method_not_allowed("GET, OPTIONS")).headers ==
               "Allow: GET, OPTIONS\r\n");
}

BOOST_AUTO_TEST_CASE(a_cause_goes_to_the_log_and_nowhere_else)
{
    for (auto& p : {handlers::problem::database_unavailable("password=hunter2"),
                    handlers::problem::internal("SELECT hunter2")}) {
        auto out = to_reply(p);
        BOOST_TEST(out.cause.find("hunter2") != std::string::npos);
        BOOST_TEST(out.body.find("hunter2") == std::string::npos);
        BOOST_TEST(out.headers.find("hunter2") == std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()
