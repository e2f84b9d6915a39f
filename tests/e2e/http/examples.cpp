// The examples of the document, sent as they stand: only ids, tokens, addresses and passwords are those of
// people who exist.
#include "handlers/openapi/document.hpp"
#include "handlers/routes.hpp"
#include "tests/e2e/isolation/authorization_fixture.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <string>

using namespace flows;
using namespace flows::rights;
namespace json = boost::json;

namespace {

const std::string password = "long enough"; // everybody's

/// Put the marks of a row's body, for what is made when it is called, into the same places of an example.
void put_marks(json::value& example, const json::value& wanted)
{
    if (auto members = wanted.if_object()) {
        for (auto& [name, value] : *members)
            if (auto there = example.as_object().if_contains(name))
                put_marks(*there, value);
    } else if (auto items = wanted.if_array()) {
        put_marks(example.as_array().at(0), items->front());
    } else if (auto text = wanted.if_string(); text && (text->starts_with("{") || *text == password)) {
        example = *text;
    }
}

/// The body of an operation's example; empty if it has none.
std::string example_of(const json::object& document, const handlers::route& line, const row& like)
{
    std::string method(support::http::to_string(line.method == verb::unknown ? verb::get : line.method));
    std::ranges::transform(method, method.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    auto& operation = document.at("paths").at(line.path).at(method).as_object();
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
    boost::system::error_code is_no_json; // where a mark stands for more than a text
    auto wanted = json::parse(like.body, is_no_json);
    if (!is_no_json)
        put_marks(example, wanted);
    // Whoever accepts an invitation here has an account.
    if (line.path.ends_with("/invites/accept"))
        example.as_object()["password"] = password;
    return json::serialize(example);
}

constexpr who callers[] = {who::owner, who::outsider, who::nobody};

} // namespace

BOOST_AUTO_TEST_SUITE(examples)

BOOST_FIXTURE_TEST_CASE(each_does_what_the_document_says, city)
{
    auto document = handlers::describe_api("http://127.0.0.1:8080", "0");
    int sent = 0;
    for (auto& line : handlers::all_routes()) {
        auto like = std::ranges::find_if(table, [&](const row& one) { return is_for(one, line); });
        BOOST_REQUIRE(like != std::end(table));
        auto body = example_of(document, line, *like);
        if (body.empty())
            continue;
        auto copy = *like;
        copy.body = body;
        auto caller = std::ranges::find_if(
            callers, [&](who one) { return expected(copy, one, what::session) == copy.success; });
        BOOST_REQUIRE(caller != std::end(callers));
        scene one(*this, copy, *caller, what::session);
        auto answer = one.play();
        BOOST_TEST(answer.status == copy.success,
                   line.path << " " << body << ": " << answer.status << " " << answer.body);
        ++sent;
    }
    BOOST_TEST(sent >= 29);
}

BOOST_AUTO_TEST_SUITE_END()
