#include "handlers/http/problem.hpp"

#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using handlers::codes;
using handlers::to_reply;
using handlers::test::header_of;

BOOST_AUTO_TEST_SUITE(problem)

using handlers::problem; // here, because the suite is a namespace of this name

BOOST_AUTO_TEST_CASE(a_problem_has_a_detail_and_a_code)
{
    auto out = to_reply(problem::of(codes::last_admin, "One \"must\" be\nadmin."));
    BOOST_TEST(out.status == 409u);
    BOOST_TEST(out.content_type == "application/json");
    BOOST_TEST(out.cache_control == "no-store");
    BOOST_TEST(out.body == R"({"detail":"One \"must\" be\nadmin.","code":"last_admin"})");
    BOOST_TEST(out.headers == "");
}

BOOST_AUTO_TEST_CASE(each_code_has_the_status_of_the_contract)
{
    auto is = [](const problem& p, unsigned status, std::string_view code) {
        BOOST_TEST(p.code.status() == status, code);
        BOOST_TEST(p.code.name() == code, code);
        BOOST_TEST(to_reply(p).status == status, code);
    };
    is(problem::of(codes::bad_request, "x"), 400, "bad_request");
    is(problem::of(codes::malformed_json), 400, "malformed_json");
    is(problem::of(codes::invalid_cursor), 400, "invalid_cursor");
    is(problem::of(codes::unauthorized), 401, "unauthorized");
    is(problem::rejected_credential("x"), 401, "unauthorized");
    is(problem::token_expired(), 401, "token_expired");
    is(problem::of(codes::invalid_credentials), 401, "invalid_credentials");
    is(problem::forbidden_scope("team:roles"), 403, "forbidden_scope");
    is(problem::of(codes::account_disabled, "x"), 403, "account_disabled");
    is(problem::of(codes::invalid_credentials.with_status(403)), 403, "invalid_credentials");
    is(problem::of(codes::not_found), 404, "not_found");
    is(problem::method_not_allowed("GET"), 405, "method_not_allowed");
    is(problem::of(codes::payload_too_large), 413, "payload_too_large");
    is(problem::unsupported_media_type("application/json"), 415, "unsupported_media_type");
    is(problem::invalid_field("body", "x", "y"), 422, "validation_error");
    is(problem::of(codes::overloaded), 503, "overloaded");
    is(problem::of(codes::database_unavailable).with_cause("x"), 503, "database_unavailable");
    is(problem::of(codes::internal_error).with_cause("x"), 500, "internal_error");
}

BOOST_AUTO_TEST_CASE(a_validation_error_lists_its_fields)
{
    std::vector<schemas::validation_error> errors;
    errors.push_back({{"body", "invites", std::size_t{2}, "role"}, "must be one of: admin", "enum"});
    errors.push_back({{"body", "a\"b"}, "is not known here", "extra_forbidden"});
    BOOST_TEST(to_reply(problem::validation_error(std::move(errors))).body ==
               R"({"code":"validation_error","detail":[{"loc":["body","invites",2,"role"],)"
               R"("msg":"must be one of: admin","type":"enum"},)"
               R"({"loc":["body","a\"b"],"msg":"is not known here","type":"extra_forbidden"}]})");
    BOOST_TEST(to_reply(problem::invalid_field("query", "status", "must be 403")).body ==
               R"({"code":"validation_error","detail":[{"loc":["query","status"],"msg":"must be 403",)"
               R"("type":"value_error"}]})");
}

BOOST_AUTO_TEST_CASE(a_missing_permission_is_named_in_body_and_challenge)
{
    auto out = to_reply(problem::forbidden_scope("team:roles"));
    BOOST_TEST(out.body.ends_with(R"("code":"forbidden_scope","required":"team:roles"})"));
    BOOST_TEST(header_of(out, "WWW-Authenticate") ==
               R"(Bearer realm="latchkey", error="insufficient_scope", scope="team:roles")");
    BOOST_TEST(to_reply(problem::of(codes::forbidden, "x")).headers == "");
}

BOOST_AUTO_TEST_CASE(a_challenge_has_an_error_only_where_a_credential_was_sent)
{
    auto challenge = [](const problem& p) { return header_of(to_reply(p), "WWW-Authenticate"); };
    BOOST_TEST(challenge(problem::of(codes::unauthorized)) == R"(Bearer realm="latchkey")");
    BOOST_TEST(challenge(problem::of(codes::invalid_credentials)) == R"(Bearer realm="latchkey")");
    BOOST_TEST(challenge(problem::rejected_credential("x")) ==
               R"(Bearer realm="latchkey", error="invalid_token")");
    BOOST_TEST(challenge(problem::token_expired()) ==
               R"(Bearer realm="latchkey", error="invalid_token", error_description="expired")");
}

BOOST_AUTO_TEST_CASE(temporary_errors_have_retry_after)
{
    for (auto& p : {problem::of(codes::overloaded), problem::of(codes::database_unavailable).with_cause("x")})
        BOOST_TEST(header_of(to_reply(p), "Retry-After") == "1");
    auto limited = problem::of(codes::rate_limited, "Slowly.");
    limited.retry_after = std::chrono::seconds(7);
    limited.rate_policy = "\"ip\";q=1;w=60";
    limited.rate_state = "\"ip\";r=0;t=7";
    auto out = to_reply(limited);
    BOOST_TEST(out.body ==
               R"({"detail":"Slowly.","code":"rate_limited","error":"rate_limited","message":"Slowly."})");
    BOOST_TEST(out.headers == "Retry-After: 7\r\nRateLimit-Policy: \"ip\";q=1;w=60\r\n"
                              "RateLimit: \"ip\";r=0;t=7\r\n");
}

BOOST_AUTO_TEST_CASE(a_405_has_the_allow_header)
{
    BOOST_TEST(to_reply(problem::method_not_allowed("GET, OPTIONS")).headers == "Allow: GET, OPTIONS\r\n");
}

BOOST_AUTO_TEST_CASE(a_cause_is_not_sent)
{
    for (auto& p : {problem::of(codes::database_unavailable).with_cause("password=hunter2"),
                    problem::of(codes::internal_error).with_cause("SELECT hunter2")}) {
        auto out = to_reply(p);
        BOOST_TEST(out.cause.find("hunter2") != std::string::npos);
        BOOST_TEST(out.body.find("hunter2") == std::string::npos);
        BOOST_TEST(out.headers.find("hunter2") == std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()
