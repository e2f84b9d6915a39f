// The request examples of the OpenAPI document, sent as they are, with the IDs, tokens, addresses and
// passwords of existing accounts.
#include "handlers/openapi/document.hpp"
#include "handlers/routes.hpp"
#include "tests/e2e/isolation/authorization_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <string>

using namespace e2e;
using namespace e2e::authorization_matrix;
namespace json = boost::json;

namespace {

const std::string password = "long enough"; // of all accounts

/// Replace members of an example by the placeholders that the row's body has there, for values made per call.
void insert_placeholders(json::value& example, const json::value& wanted)
{
    if (auto members = wanted.if_object()) {
        for (auto& [name, value] : *members)
            if (auto there = example.as_object().if_contains(name))
                insert_placeholders(*there, value);
    } else if (auto items = wanted.if_array()) {
        insert_placeholders(example.as_array().at(0), items->front());
    } else if (auto text = wanted.if_string(); text && (text->starts_with("{") || *text == password)) {
        example = *text;
    }
}

/// The path of a route in the document.
std::string template_of(std::string_view path)
{
    std::string out(path);
    std::erase(out, '*');
    return out;
}

/// The example body of an operation; empty if it has none.
std::string example_of(const json::object& document, const handlers::route& line, const row& like)
{
    std::string method(support::http::to_string(line.method == verb::unknown ? verb::get : line.method));
    std::ranges::transform(method, method.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    auto& operation = document.at("paths").at(template_of(line.path)).at(method).as_object();
    auto body = operation.if_contains("requestBody");
    if (!body)
        return {};
    auto& [media, content] = *body->at("content").as_object().begin();
    auto found = content.as_object().if_contains("example");
    if (!found)
        return {};
    auto example = *found;
    if (std::string_view(media) != "application/json")
        return "form:token=" + std::string(example.at("token").as_string());
    boost::system::error_code is_no_json; // a placeholder stands for more than a string
    auto wanted = json::parse(like.body, is_no_json);
    if (!is_no_json)
        insert_placeholders(example, wanted);
    // The invitee of this test has an account.
    if (line.path.ends_with("/invites/accept"))
        example.as_object()["password"] = password;
    return json::serialize(example);
}

constexpr caller callers[] = {caller::owner, caller::outsider, caller::anonymous};

} // namespace

BOOST_AUTO_TEST_SUITE(examples)

BOOST_FIXTURE_TEST_CASE(each_example_succeeds, matrix_fixture)
{
    auto document = handlers::describe_api(handlers::all_routes(), "http://127.0.0.1:8080", "0");
    int sent = 0;
    for (auto& line : handlers::all_routes()) {
        auto like = std::ranges::find_if(matrix, [&](const row& one) { return describes(one, line); });
        BOOST_REQUIRE(like != std::end(matrix));
        auto body = example_of(document, line, *like);
        if (body.empty())
            continue;
        auto copy = *like;
        copy.body = body;
        auto who = std::ranges::find_if(callers, [&](caller one) {
            return expected_status(copy, one, credential::session) == copy.success;
        });
        BOOST_REQUIRE(who != std::end(callers));
        scenario one(*this, copy, *who, credential::session);
        auto answer = one.send();
        BOOST_TEST(answer.status == copy.success,
                   line.path << " " << body << ": " << answer.status << " " << answer.body);
        ++sent;
    }
    BOOST_TEST(sent >= 29);
}

BOOST_AUTO_TEST_SUITE_END()
