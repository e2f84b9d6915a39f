// Parsing of described structs: values, and all errors with their locations.
#include "schemas/api_key.hpp"
#include "schemas/auth.hpp"
#include "schemas/engine/schema.hpp"
#include "tests/schemas/support.hpp"

#include <boost/test/unit_test.hpp>

using namespace schemas;
using namespace schemas::test;

namespace {

struct invite {
    email_address email;
    schemas::role role = schemas::role::member;
};
BOOST_DESCRIBE_STRUCT(invite, (), (email, role))

struct invites {
    bounded_list<invite, 1, 3> rows;
    std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(invites, (), (rows, note))

struct anything {
    std::optional<std::string> a;
};
BOOST_DESCRIBE_STRUCT(anything, (), (a))

std::string nested(std::size_t depth)
{
    return std::string(depth, '[') + std::string(depth, ']');
}

const std::string mail = R"("email":"ada@example.org")";

} // namespace

BOOST_AUTO_TEST_SUITE(rule)

BOOST_AUTO_TEST_CASE(a_valid_body_is_parsed)
{
    const auto result =
        parse_body<signup>(R"( {"email":"Ada@Example.org","password":"correct horse","name":"Ada \u00e9",)"
                           R"("workspace_name":null} )");
    BOOST_TEST_REQUIRE(bool(result));
    BOOST_TEST(result.value->email.text == "Ada@Example.org");
    BOOST_TEST(result.value->email.normalized == "ada@example.org");
    BOOST_TEST(result.value->password.value == "correct horse");
    BOOST_TEST(result.value->name->value == "Ada \u00e9");
    BOOST_TEST(!result.value->workspace_name);
}

BOOST_AUTO_TEST_CASE(all_errors_are_reported_at_once)
{
    const auto result =
        parse_body<signup>(R"({"email":"invalid","password":"short","name":7,"scpoes":[],"extra":{"a":1}})");
    BOOST_TEST((result.status == parse_status::invalid));
    BOOST_TEST(!result.value);
    BOOST_TEST(lines(result) ==
                   (expected{"body.email value_error", "body.extra extra_forbidden", "body.name string_type",
                             "body.password string_too_short", "body.scpoes extra_forbidden"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(absent_required_members_are_missing)
{
    BOOST_TEST(lines(parse_body<signup>("{}")) == (expected{"body.email missing", "body.password missing"}),
               boost::test_tools::per_element());
    BOOST_TEST(lines(parse_body<signup>(R"({"email":null,"password":null})")) ==
                   (expected{"body.email string_type", "body.password string_type"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_error_inside_a_list_has_its_index)
{
    const auto result = parse_body<invites>(R"({"rows":[{)" + mail + R"(,"role":"admin"},{)" + mail +
                                            R"(},{"role":"boss","email":"x","as":1}]})");
    BOOST_TEST(lines(result) == (expected{"body.rows.1.role missing", "body.rows.2.as extra_forbidden",
                                          "body.rows.2.email value_error", "body.rows.2.role enum"}),
               boost::test_tools::per_element());
    BOOST_TEST(result.errors.front().loc.size() == 4u);
}

BOOST_AUTO_TEST_CASE(list_sizes_are_limited)
{
    const std::string row = "{" + mail + R"(,"role":"member"})";
    const auto rows = [&](int n) {
        std::string out;
        for (int i = 0; i < n; ++i)
            out += (i ? "," : "") + row;
        return R"({"rows":[)" + out + "]}";
    };
    BOOST_TEST(lines(parse_body<invites>(rows(0))).at(0) == "body.rows too_short");
    BOOST_TEST(parse_body<invites>(rows(1)).value->rows.size() == 1u);
    BOOST_TEST(parse_body<invites>(rows(3)).value->rows.size() == 3u);
    BOOST_TEST(lines(parse_body<invites>(rows(4))).at(0) == "body.rows too_long");
    BOOST_TEST(lines(parse_body<invites>(R"({"rows":{}})")).at(0) == "body.rows list_type");
}

BOOST_AUTO_TEST_CASE(a_non_object_is_one_error)
{
    for (const auto body : {"[]", "1", "null", "true", "\"text\"", R"([{"email":"a@b.org"}])"}) {
        const auto result = parse_body<login>(body);
        BOOST_TEST((result.status == parse_status::invalid));
        BOOST_TEST(lines(result) == expected{"body dict_type"}, boost::test_tools::per_element());
    }
}

BOOST_AUTO_TEST_CASE(invalid_json_is_malformed)
{
    for (const std::string body : {"",
                                   " ",
                                   "{",
                                   "}",
                                   "{]",
                                   "{} x",
                                   "{}{}",
                                   "{\"a\":1,}",
                                   "{'a':1}",
                                   "{a:1}",
                                   "// c\n{}",
                                   "/**/{}",
                                   "NaN",
                                   "{\"a\":01}",
                                   "{\"a\":+1}",
                                   "{\"a\":.5}",
                                   "{\"a\":tru}",
                                   "\xEF\xBB\xBF{}",
                                   "{\"a\":\"\t\"}",
                                   "{\"a\":\"\\x\"}",
                                   "{\"a\":\"\\ud800\"}",
                                   "{\"a\":\"\\udc00\"}",
                                   "{\"a\":\"\\u12\"}"}) {
        const auto result = parse_body<anything>(body);
        BOOST_TEST((result.status == parse_status::malformed_json), "taken: " << body);
        BOOST_TEST(result.errors.empty());
    }
}

BOOST_AUTO_TEST_CASE(bad_utf8_is_malformed_in_names_and_values)
{
    for (const std::string bad :
         {"\xFF", "\xC0\xAF", "\xE2\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\x80"}) {
        BOOST_TEST((parse_body<anything>("{\"a\":\"" + bad + "\"}").status == parse_status::malformed_json));
        BOOST_TEST((parse_body<anything>("{\"" + bad + "\":1}").status == parse_status::malformed_json));
    }
    BOOST_TEST(*parse_body<anything>("{\"a\":\"\xF0\x9F\x94\x91\"}").value->a == "\xF0\x9F\x94\x91");
    BOOST_TEST(*parse_body<anything>(R"({"a":"\ud83d\udd11"})").value->a == "\xF0\x9F\x94\x91");
}

BOOST_AUTO_TEST_CASE(a_duplicate_name_is_malformed_at_any_depth)
{
    for (const auto body : {
             R"({"a":"x","a":"x"})",
             R"({"a":"x","\u0061":"y"})",
             R"({"x":{"b":1,"b":2}})",
             R"({"x":[0,[{"k":1},{"k":1,"l":2,"k":3}]]})",
             R"({"x":{"b":1},"x":{"b":1}})",
             R"([{"b":{"c":{"d":1,"e":2,"d":1}}}])",
             R"({"a":null,"a":null})",
             R"({"":1,"":2})",
         }) {
        BOOST_TEST((parse_body<anything>(body).status == parse_status::malformed_json), "taken: " << body);
    }
    BOOST_TEST(
        (parse_body<anything>(R"({"x":{"a":1},"y":{"a":1},"a":"a"})").status == parse_status::invalid));
}

BOOST_AUTO_TEST_CASE(a_duplicate_name_is_found_among_thousands)
{
    std::string body = "{";
    for (int i = 0; i < 5000; ++i)
        body += "\"k" + std::to_string(i) + "\":0,";
    BOOST_TEST((parse_body<anything>(body + "\"k\":0}").status == parse_status::invalid));
    BOOST_TEST((parse_body<anything>(body + "\"k77\":0}").status == parse_status::malformed_json));
}

BOOST_AUTO_TEST_CASE(nesting_is_limited)
{
    const auto around = [](const std::string& inner) { return R"({"x":)" + inner + "}"; };
    BOOST_TEST((parse_body<anything>(around(nested(31))).status == parse_status::invalid));
    BOOST_TEST((parse_body<anything>(around(nested(32))).status == parse_status::malformed_json));
    BOOST_TEST((parse_body<anything>(nested(32000)).status == parse_status::malformed_json));
    BOOST_TEST((parse_body<anything>(std::string(65536, '[')).status == parse_status::malformed_json));
    std::string objects;
    for (int i = 0; i < 10000; ++i)
        objects += "{\"a\":";
    BOOST_TEST((parse_body<anything>(objects).status == parse_status::malformed_json));
}

BOOST_AUTO_TEST_CASE(huge_numbers_are_numbers)
{
    const auto seconds = [](const std::string& number) {
        const auto result = parse_body<api_key_rotate>(R"({"grace_seconds":)" + number + "}");
        return result ? std::string("ok") : result.errors.empty() ? "malformed" : result.errors.front().type;
    };
    BOOST_TEST(seconds("604800") == "ok");
    BOOST_TEST(seconds("6048e2") == "ok");
    BOOST_TEST(seconds("604801") == "less_than_equal");
    BOOST_TEST(seconds("9223372036854775808") == "less_than_equal");
    BOOST_TEST(seconds("18446744073709551616") == "less_than_equal");
    BOOST_TEST(seconds("1e300") == "less_than_equal");
    BOOST_TEST(seconds("-1e300") == "greater_than_equal");
    BOOST_TEST(seconds("-1") == "greater_than_equal");
    BOOST_TEST(seconds("0.5") == "int_type");
    BOOST_TEST(seconds("\"5\"") == "int_type");
    BOOST_TEST(seconds("true") == "int_type");
    BOOST_TEST(seconds("1e999999") != "ok");
    BOOST_TEST(seconds(std::string(60000, '9')) != "ok");
}

BOOST_AUTO_TEST_CASE(a_body_of_64_kib_is_parsed)
{
    const std::string text(65000, 'x');
    BOOST_TEST(parse_body<anything>(R"({"a":")" + text + "\"}").value->a->size() == text.size());
    BOOST_TEST(lines(parse_body<login>(R"({"email":")" + text + R"(","password":")" + text + "\"}")) ==
                   (expected{"body.email string_too_long", "body.password string_too_long"}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(errors_are_limited_and_no_value_is_returned)
{
    std::string body = "{";
    for (int i = 0; i < 6000; ++i)
        body += "\"k" + std::to_string(i) + "\":0,";
    const auto result = parse_body<anything>(body + R"("a":"x"})");
    BOOST_TEST(!result);
    BOOST_TEST(!result.value);
    BOOST_TEST(result.errors.size() == validation_errors::max_kept);
}

BOOST_AUTO_TEST_CASE(a_patch_distinguishes_absent_null_and_value)
{
    const auto untouched = parse_body<patch_me>("{}");
    BOOST_TEST_REQUIRE(bool(untouched));
    BOOST_TEST(untouched.value->name.is_absent());
    BOOST_TEST(!untouched.value->locale);

    const auto cleared = parse_body<patch_me>(R"({"name":null,"title":"Countess"})");
    BOOST_TEST_REQUIRE(bool(cleared));
    BOOST_TEST(cleared.value->name.is_null());
    BOOST_TEST(!cleared.value->name.value());
    BOOST_TEST(!cleared.value->title.is_null());
    BOOST_TEST(cleared.value->title->value == "Countess");

    BOOST_TEST(
        lines(parse_body<patch_me>(R"({"locale":null,"timezone":null,"name":""})")) ==
            (expected{"body.locale string_type", "body.name string_too_short", "body.timezone string_type"}),
        boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(an_optional_parses_null_as_absent)
{
    BOOST_TEST(!parse_body<api_key_create>(R"({"name":"ci"})").value->scopes);
    BOOST_TEST(!parse_body<api_key_create>(R"({"name":"ci","scopes":null})").value->scopes);
    BOOST_TEST(!parse_body<api_key_rotate>("{}").value->grace_seconds);
}

BOOST_AUTO_TEST_CASE(names_are_compared_exactly)
{
    const std::string with_nul = std::string(R"({"a\u0000":1})");
    BOOST_TEST(lines(parse_body<anything>(with_nul)).at(0) == std::string("body.a\0 extra_forbidden", 23));
    BOOST_TEST(lines(parse_body<anything>(R"({"A":"x"})")).at(0) == "body.A extra_forbidden");
}

BOOST_AUTO_TEST_CASE(a_query_ignores_unknown_names)
{
    using pairs = std::vector<std::pair<std::string, std::string>>;
    const auto query = [](const pairs& in) { return parse_query<api_key_query>(in); };

    BOOST_TEST(query({}).value->limit.value == 50);
    BOOST_TEST(!query({}).value->cursor);
    const auto full =
        query({{"utm", "x"}, {"limit", "7"}, {"cursor", ""}, {"status", "revoked"}, {"utm", "y"}});
    BOOST_TEST_REQUIRE(bool(full));
    BOOST_TEST(full.value->limit.value == 7);
    BOOST_TEST(*full.value->cursor == "");
    BOOST_TEST((*full.value->status == key_status::revoked));

    const auto strict = [](const pairs& in) { return parse_query<auth_query>(in); };
    BOOST_TEST(bool(strict({{"permission", "content:read"}, {"deny_status", "403"}})));
    BOOST_TEST(lines(strict({{"Permission", "content:read"}, {"permission", ""}, {"deny_status", "404"}})) ==
                   (expected{"query.Permission extra_forbidden", "query.deny_status less_than_equal",
                             "query.permission string_pattern_mismatch"}),
               boost::test_tools::per_element());

    BOOST_TEST(lines(query({{"limit", "0"}, {"status", "gone"}})) ==
                   (expected{"query.limit greater_than_equal", "query.status enum"}),
               boost::test_tools::per_element());
    BOOST_TEST(lines(query({{"limit", "5"}, {"limit", "5"}, {"limit", "5"}})) ==
                   expected{"query.limit repeated"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(form_errors_are_located_in_the_body)
{
    const std::vector<std::pair<std::string, std::string>> form{{"other", "1"}};
    BOOST_TEST(lines(parse_form<api_key_report>(form)).at(0) == "body.key missing");
}

BOOST_AUTO_TEST_CASE(values_in_memory_are_validated_alike)
{
    const boost::json::value arguments = {{"limit", std::uint64_t{500}}, {"x", 1}};
    BOOST_TEST(lines(parse_value<page_query>(arguments, "arguments")).at(0) == "arguments.x extra_forbidden");
    const boost::json::value good = {{"limit", std::uint64_t{7}}};
    BOOST_TEST(parse_value<page_query>(good, "arguments").value->limit.value == 7);
}

BOOST_AUTO_TEST_SUITE_END()
