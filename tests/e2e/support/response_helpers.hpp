// Short accessors for the parts of a response that tests compare.
#pragma once

#include "crypto/encoding.hpp"
#include "schemas/engine/builtin_rules.hpp"
#include "tests/support/http.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

namespace e2e {

inline std::string join(std::vector<std::string> words, std::string_view between = " ")
{
    std::string out;
    for (auto& word : words) {
        if (!out.empty())
            out += between;
        out += word;
    }
    return out;
}

/// The value at a JSON pointer, as JSON: `"text"`, `7`, `null`, `["*"]`. Empty if absent.
inline std::string json_at(const support::response& answer, std::string_view pointer)
{
    boost::system::error_code none;
    auto body = boost::json::parse(answer.body, none);
    auto found = none ? nullptr : body.find_pointer(pointer, none);
    return found ? boost::json::serialize(*found) : std::string();
}

/// The names of an object's members in order: "role is_owner joined_at". Empty if it is not an object.
inline std::string member_names(const support::response& answer, std::string_view pointer = "")
{
    boost::system::error_code none;
    auto body = boost::json::parse(answer.body, none);
    auto found = none ? nullptr : body.find_pointer(pointer, none);
    std::vector<std::string> names;
    if (found && found->is_object())
        for (auto& member : found->get_object())
            names.emplace_back(member.key());
    return join(names);
}

/// The size of an array; the maximum of size_t if it is not an array.
inline std::size_t item_count(const support::response& answer, std::string_view pointer = "/items")
{
    boost::system::error_code none;
    auto body = boost::json::parse(answer.body, none);
    auto found = none ? nullptr : body.find_pointer(pointer, none);
    return found && found->is_array() ? found->get_array().size() : std::size_t(-1);
}

/// One text of every item: item_texts(page, "id").
inline std::vector<std::string> item_texts(const support::response& answer, std::string_view member)
{
    std::vector<std::string> out;
    auto listed = item_count(answer);
    BOOST_REQUIRE_MESSAGE(listed != std::size_t(-1), answer.body);
    for (std::size_t i = 0; i < listed; ++i)
        out.push_back(answer.text("/items/" + std::to_string(i) + "/" + std::string(member)));
    return out;
}

/** The errors of a 422, sorted: "body.email value_error, body.password missing". For any other response, or a
    422 that breaks the contract: status and body. */
inline std::string validation_errors(const support::response& answer)
{
    auto listed = item_count(answer, "/detail");
    if (answer.status != 422 || member_names(answer) != "code detail" ||
        answer.code() != "validation_error" || listed == std::size_t(-1))
        return std::to_string(answer.status) + " " + answer.body;
    std::vector<std::string> lines;
    auto body = answer.json();
    for (auto& error : body.at("detail").as_array()) {
        std::vector<std::string> steps;
        for (auto& step : error.at("loc").as_array())
            steps.push_back(step.is_string() ? std::string(step.get_string()) : boost::json::serialize(step));
        BOOST_TEST(error.as_object().size() == 3u);
        BOOST_TEST(!error.at("msg").as_string().empty());
        lines.push_back(join(steps, ".") + " " + std::string(error.at("type").as_string()));
    }
    std::ranges::sort(lines);
    return join(lines, ", ");
}

/// Whether a text is a version 7 UUID in lower case.
inline bool is_uuid_v7(const std::string& text)
{
    auto id = schemas::parse_uuid(text);
    std::string again;
    if (id)
        schemas::append_uuid(again, *id);
    return again == text && text[14] == '7' && std::string_view("89ab").find(text[19]) != std::string::npos;
}

/// Whether a text is a UTC timestamp in the format of all responses.
inline bool is_timestamp(const std::string& text)
{
    return text.size() == 27 && text.ends_with('Z') && schemas::parse_timestamp(text).has_value();
}

/// Whether it is a timestamp of the last ten minutes.
inline bool is_recent(const std::string& text)
{
    auto instant = schemas::parse_timestamp(text);
    auto now = std::chrono::system_clock::now();
    using std::chrono::minutes;
    return is_timestamp(text) && *instant > now - minutes(10) && *instant < now + minutes(1);
}

/// A timestamp relative to now, in the format of requests.
inline std::string from_now(std::chrono::seconds later)
{
    std::string out;
    auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    schemas::append_timestamp(out, now + later);
    return out;
}

/// A response without the headers that differ between any two responses, for comparison.
inline std::string normalized(const support::response& answer)
{
    std::vector<std::string> lines;
    for (auto& header : answer.headers)
        if (header.name_string() != "Date" && header.name_string() != "X-Request-Id")
            lines.push_back(std::string(header.name_string()) + ": " + std::string(header.value()));
    std::ranges::sort(lines);
    return std::to_string(answer.status) + "\n" + join(lines, "\n") + "\n\n" + answer.body;
}

/// A part of a JWT as the body of a response, for the accessors above: 0 is the header, 1 the claims.
inline support::response jwt_part(const std::string& jwt, int which)
{
    auto first = jwt.find('.'), second = jwt.find('.', first + 1);
    BOOST_REQUIRE(second != std::string::npos);
    auto part = which == 0 ? jwt.substr(0, first) : jwt.substr(first + 1, second - first - 1);
    auto bytes = crypto::from_base64url(part);
    BOOST_REQUIRE(bytes.has_value());
    support::response out;
    out.body = crypto::text_of(*bytes);
    return out;
}

} // namespace e2e
