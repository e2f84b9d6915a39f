// The JSON writer: exact output, and round trips of any text.
#include "schemas/api_key.hpp"
#include "schemas/auth.hpp"
#include "schemas/problem.hpp"
#include "schemas/session.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <boost/uuid/uuid_io.hpp>

using namespace schemas;

namespace {

std::string written(std::string_view text)
{
    return to_json(std::string(text));
}

timestamp noon()
{
    return *parse_timestamp("2026-11-24T12:00:00.25Z");
}

boost::uuids::uuid some_id()
{
    return *parse_uuid("01939c5e-8f00-7abc-8def-0123456789ab");
}

struct nothing {};
BOOST_DESCRIBE_STRUCT(nothing, (), ())

struct only_omittable {
    omittable<std::int64_t> a;
    omittable<std::int64_t> b;
};
BOOST_DESCRIBE_STRUCT(only_omittable, (), (a, b))

struct patch {
    clearable<std::string> a;
    raw_json details;
};
BOOST_DESCRIBE_STRUCT(patch, (), (a, details))

} // namespace

BOOST_AUTO_TEST_SUITE(json_writer)

BOOST_AUTO_TEST_CASE(strings_are_escaped)
{
    BOOST_TEST(written("") == R"("")");
    BOOST_TEST(written("plain") == R"("plain")");
    BOOST_TEST(written("\"") == R"("\"")");
    BOOST_TEST(written("a\\b\"c") == R"("a\\b\"c")");
    BOOST_TEST(written("\b\f\n\r\t") == R"("\b\f\n\r\t")");
    BOOST_TEST(written(std::string_view("\0\x01\x1f", 3)) == R"("\u0000\u0001\u001f")");
    BOOST_TEST(written("\x7f/<>&'") == "\"\x7f/<>&'\"");
    BOOST_TEST(written("\u2028x\u2029") == R"("\u2028x\u2029")");
    BOOST_TEST(written("\u2027\u202a\u20ac") == "\"\u2027\u202a\u20ac\"");
    BOOST_TEST(written("\u00e9\u4e2d\U0001F511") == "\"\u00e9\u4e2d\U0001F511\"");
    BOOST_TEST(written("\xE2") == "\"\xE2\""); // cut off: nothing is read past the end
}

BOOST_AUTO_TEST_CASE(ids_have_their_36_digits)
{
    boost::uuids::uuid id{};
    for (int byte = 0; byte < 256; ++byte) {
        for (std::size_t i = 0; i < id.size(); ++i)
            id.data[i] = static_cast<std::uint8_t>(static_cast<std::size_t>(byte) + 17 * i);
        std::string text = "id: ";
        append_uuid(text, id);
        BOOST_TEST(text == "id: " + to_string(id));
        BOOST_TEST((parse_uuid(text.substr(4)) == id));
    }
}

BOOST_AUTO_TEST_CASE(every_code_point_round_trips)
{
    std::string all;
    for (char32_t c = 0; c <= 0x10FFFF; c += c < 0x3000 ? 1 : 97) {
        if (c >= 0xD800 && c <= 0xDFFF)
            continue;
        const auto byte = [&](char32_t b) { all += static_cast<char>(b); };
        if (c < 0x80) {
            byte(c);
        } else if (c < 0x800) {
            byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F));
        } else if (c < 0x10000) {
            byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F));
        } else {
            byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F));
            byte(0x80 | (c & 0x3F));
        }
    }
    BOOST_TEST((boost::json::parse(written(all)).as_string() == all));
}

BOOST_AUTO_TEST_CASE(integers_are_written_exactly)
{
    BOOST_TEST(to_json(std::int64_t{0}) == "0");
    BOOST_TEST(to_json(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    BOOST_TEST(to_json(std::numeric_limits<std::int64_t>::max()) == "9223372036854775807");
}

BOOST_AUTO_TEST_CASE(an_empty_optional_is_null_and_an_empty_omittable_is_omitted)
{
    page<session_row> empty;
    BOOST_TEST(to_json(empty) == R"({"items":[],"next_cursor":null})");
    empty.next_cursor = "abc";
    empty.total = 0;
    BOOST_TEST(to_json(empty) == R"({"items":[],"next_cursor":"abc","total":0})");

    BOOST_TEST(to_json(nothing{}) == "{}");
    BOOST_TEST(to_json(only_omittable{}) == "{}");
    BOOST_TEST(to_json(only_omittable{.a = {}, .b = 2}) == R"({"b":2})");
    BOOST_TEST(to_json(only_omittable{.a = 1, .b = {}}) == R"({"a":1})");
    BOOST_TEST(to_json(patch{}) == R"({"details":null})");
    BOOST_TEST(to_json(patch{.a = std::nullopt, .details = {R"({"k":[1]})"}}) ==
               R"({"a":null,"details":{"k":[1]}})");
    BOOST_TEST(to_json(patch{.a = std::string("x"), .details = {}}) == R"({"a":"x","details":null})");
}

BOOST_AUTO_TEST_CASE(an_empty_struct_after_a_comma_keeps_the_comma)
{
    std::string out = "1,";
    append_json(out, nothing{});
    BOOST_TEST(out == "1,{}");
    BOOST_TEST(to_json(std::vector<nothing>(2)) == "[{},{}]");
}

BOOST_AUTO_TEST_CASE(schemas_are_written_as_documented)
{
    const credential by_key{credential_type::api_key, some_id(), "ab12cd34", {"*"}};
    BOOST_TEST(to_json(by_key) == R"({"type":"api_key","id":"01939c5e-8f00-7abc-8def-0123456789ab",)"
                                  R"("prefix":"ab12cd34","scopes":["*"]})");
    const credential by_session{credential_type::session, some_id(), {}, {"*"}};
    BOOST_TEST(to_json(by_session) ==
               R"({"type":"session","id":"01939c5e-8f00-7abc-8def-0123456789ab","scopes":["*"]})");

    const membership owner{schemas::role::admin, true, noon()};
    BOOST_TEST(to_json(owner) ==
               R"({"role":"admin","is_owner":true,"joined_at":"2026-11-24T12:00:00.250000Z"})");

    BOOST_TEST(to_json(me{}).starts_with(R"({"user":null,"workspace":null,"role":null,"permissions":[],)"));

    login_result login;
    login.access_token = "a.b.c";
    login.expires_in = 3600;
    BOOST_TEST(
        to_json(login).starts_with(R"({"access_token":"a.b.c","token_type":"bearer","expires_in":3600,)"));
    BOOST_TEST(to_json(login).ends_with(R"("workspace":null})"));

    api_key_row row;
    row.expires_at = noon();
    const auto json = to_json(row);
    BOOST_TEST(json.ends_with(
        R"("expires_at":"2026-11-24T12:00:00.250000Z","last_used_at":null,"revoked_at":null})"));
    BOOST_TEST(json.find("secret") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(problems_are_written_as_documented)
{
    BOOST_TEST(to_json(problem{"No such key.", "not_found"}) ==
               R"({"detail":"No such key.","code":"not_found"})");
    BOOST_TEST(to_json(forbidden_scope_problem{.detail = "d", .required = "team:read"}) ==
               R"({"detail":"d","code":"forbidden_scope","required":"team:read"})");
    BOOST_TEST(to_json(rate_limited_problem{.detail = "d", .error = "e", .message = "m"}) ==
               R"({"detail":"d","code":"rate_limited","error":"e","message":"m"})");

    const auto wrong = parse_body<api_key_create>(R"({"name":"ci","scopes":["*","x"]})");
    BOOST_TEST(
        to_json(validation_problem{.detail = wrong.errors}) ==
        R"({"code":"validation_error","detail":[{"loc":["body","scopes",1],)"
        R"("msg":"must be * or a permission such as content:read","type":"string_pattern_mismatch"}]})");
}

BOOST_AUTO_TEST_CASE(written_values_round_trip)
{
    api_key_created key{some_id(),    "ab12cd34",           "na\"me\n", "tnx_x",
                        {"a:b", "*"}, key_owner::workspace, noon(),     {}};
    const auto json = to_json(key);
    const auto back = parse_body<api_key_created>(json);
    BOOST_TEST_REQUIRE(bool(back));
    BOOST_TEST(to_json(*back.value) == json);
    BOOST_TEST(boost::json::serialize(boost::json::parse(json)) == json);
}

BOOST_AUTO_TEST_SUITE_END()
