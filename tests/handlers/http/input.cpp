#include "handlers/http/input.hpp"

#include "schemas/auth.hpp"
#include "schemas/page.hpp"
#include "tests/handlers/request_message.hpp"

#include <boost/test/unit_test.hpp>

#include <string>

using namespace handlers;

namespace {

struct posted {
    test::request_message message;
    request req{message.head(), message.body(), "/", "", {}, ""};

    posted(std::string_view type, std::string text)
    {
        if (!type.empty())
            message.set(http::field::content_type, type);
        message.body() = std::move(text);
    }

    template <class T>
    std::string outcome()
    {
        auto read = read_json<T>(req);
        return read ? "read" : std::string(read.error().code.name());
    }
};

std::string login(std::string_view type, std::string text)
{
    return posted(type, std::move(text)).outcome<schemas::login>();
}

/// "name=value" of each pair, one a line; "broken" if the query is malformed.
std::string pairs(std::string_view query)
{
    auto decoded = decode_query(query);
    if (!decoded)
        return "broken";
    std::string out;
    for (auto& [name, value] : *decoded)
        out += name + "=" + value + "\n";
    return out;
}

const std::string good = R"({"email":"ada@example.com","password":"x"})";

} // namespace

BOOST_AUTO_TEST_SUITE(input)

BOOST_AUTO_TEST_CASE(the_json_content_type_is_case_insensitive_and_may_have_parameters)
{
    for (auto type : {"application/json", "APPLICATION/json", " application/json ",
                      "application/json;charset=utf-8", "application/json ; q=1"})
        BOOST_TEST(is_json(type), type);
    for (auto type : {"", "json", "text/json", "application/json5", "application/ld+json",
                      "application/json,", "text/plain; application/json", "application /json"})
        BOOST_TEST(!is_json(type), type);
}

BOOST_AUTO_TEST_CASE(an_invalid_body_has_one_error_code)
{
    BOOST_TEST(login("application/json", good) == "read");
    BOOST_TEST(login("text/plain", good) == "unsupported_media_type");
    BOOST_TEST(login("", "") == "unsupported_media_type");
    BOOST_TEST(login("application/json", "") == "malformed_json");
    BOOST_TEST(login("application/json", good + "x") == "malformed_json");
    BOOST_TEST(login("application/json", R"({"email":"a@b.de","email":"a@b.de","password":"x"})") ==
               "malformed_json");
    BOOST_TEST(login("application/json", "[]") == "validation_error");
}

BOOST_AUTO_TEST_CASE(a_validation_error_lists_all_fields)
{
    posted in("application/json", R"({"email":7,"more":1})");
    auto read = read_json<schemas::login>(in.req);
    auto refused = read.error();
    BOOST_TEST(refused.code.status() == 422u);
    BOOST_TEST(refused.errors.size() == 3u);
}

BOOST_AUTO_TEST_CASE(queries_are_split_and_decoded)
{
    BOOST_TEST(pairs("") == "");
    BOOST_TEST(pairs("a=1&b=2&a=3") == "a=1\nb=2\na=3\n");
    BOOST_TEST(pairs("a=b=c") == "a=b=c\n");
    BOOST_TEST(pairs("flag&x=") == "flag=\nx=\n");
    BOOST_TEST(pairs("a%3D=%26+%2b%20.&%C3%A9=%c3%a9") == "a==& + .\n\u00E9=\u00E9\n");
}

BOOST_AUTO_TEST_CASE(malformed_queries_are_rejected_as_a_whole)
{
    for (auto query : {"a=1&b=%", "a=%4", "a=%zz", "%zz=1", "a=%ff", "a=%c3%28", "a=%00", "a=x%0Ay", "a=%7f",
                       "a=%e2%80%a8", "%ed%a0%80"})
        BOOST_TEST(pairs(query) == "broken", query);
}

BOOST_AUTO_TEST_CASE(queries_are_validated_by_their_schema)
{
    test::request_message message;
    auto code = [&](std::string_view query) {
        request req{message.head(), message.body(), "/", query, {}, ""};
        auto read = read_query<schemas::page_query>(req);
        return read ? std::to_string(read->limit.value) : std::string(read.error().code.name());
    };
    BOOST_TEST(code("") == "50");
    BOOST_TEST(code("limit=7&else=1") == "7");
    BOOST_TEST(code("limit=%3") == "bad_request");
    BOOST_TEST(code("limit=0") == "validation_error");
}

BOOST_AUTO_TEST_CASE(path_segments_are_decoded_once_and_keep_plus_signs)
{
    BOOST_TEST(decode_segment("abc").value_or("broken") == "abc");
    BOOST_TEST(decode_segment("a%2Fb+c%2520").value_or("broken") == "a/b+c%20");
    BOOST_TEST(decode_segment("%F0%9F%94%91").value_or("broken") == "\U0001F511");
    for (auto segment : {"%", "%4", "%gg", "%00", "%FF", "%C0%AF", "a%0D%0Ab"})
        BOOST_TEST(!decode_segment(segment).has_value(), segment);
}

BOOST_AUTO_TEST_SUITE_END()
