// Short words for what the flows ask of an answer again and again.
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

namespace flows {

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

/// What stands at a JSON pointer, as JSON: `"text"`, `7`, `null`, `["*"]`. Empty if there is nothing.
inline std::string at(const support::response& answer, std::string_view pointer)
{
    boost::system::error_code none;
    auto body = boost::json::parse(answer.body, none);
    auto found = none ? nullptr : body.find_pointer(pointer, none);
    return found ? boost::json::serialize(*found) : std::string();
}

/// The names of an object's members in their order: "role is_owner joined_at". Empty if there is no object.
inline std::string members(const support::response& answer, std::string_view pointer = "")
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

/// How many items a list has; as many as a list never has if there is none.
inline std::size_t count(const support::response& answer, std::string_view pointer = "/items")
{
    boost::system::error_code none;
    auto body = boost::json::parse(answer.body, none);
    auto found = none ? nullptr : body.find_pointer(pointer, none);
    return found && found->is_array() ? found->get_array().size() : std::size_t(-1);
}

/// One text of every item: texts(page, "id").
inline std::vector<std::string> texts(const support::response& answer, std::string_view member)
{
    std::vector<std::string> out;
    auto listed = count(answer);
    BOOST_REQUIRE_MESSAGE(listed != std::size_t(-1), answer.body);
    for (std::size_t i = 0; i < listed; ++i)
        out.push_back(answer.text("/items/" + std::to_string(i) + "/" + std::string(member)));
    return out;
}

/** The faults of a 422, sorted: "body.email value_error, body.password missing". Anything else than a 422 in
    the contract's shape reads as itself. */
inline std::string faults(const support::response& answer)
{
    auto told = count(answer, "/detail");
    if (answer.status != 422 || members(answer) != "code detail" || answer.code() != "validation_error" ||
        told == std::size_t(-1))
        return std::to_string(answer.status) + " " + answer.body;
    std::vector<std::string> lines;
    auto body = answer.json();
    for (auto& fault : body.at("detail").as_array()) {
        std::vector<std::string> steps;
        for (auto& step : fault.at("loc").as_array())
            steps.push_back(step.is_string() ? std::string(step.get_string()) : boost::json::serialize(step));
        BOOST_TEST(fault.as_object().size() == 3u);
        BOOST_TEST(!fault.at("msg").as_string().empty());
        lines.push_back(join(steps, ".") + " " + std::string(fault.at("type").as_string()));
    }
    std::ranges::sort(lines);
    return join(lines, ", ");
}

/// Whether a text is a UUID of version 7 in lower case.
inline bool is_id(const std::string& text)
{
    auto id = schemas::parse_uuid(text);
    std::string again;
    if (id)
        schemas::append_uuid(again, *id);
    return again == text && text[14] == '7' && std::string_view("89ab").find(text[19]) != std::string::npos;
}

/// Whether a text is an instant in UTC, as all are written.
inline bool is_instant(const std::string& text)
{
    return text.size() == 27 && text.ends_with('Z') && schemas::parse_timestamp(text).has_value();
}

/// Whether it is an instant of the last minutes.
inline bool is_recent(const std::string& text)
{
    auto instant = schemas::parse_timestamp(text);
    auto now = std::chrono::system_clock::now();
    using std::chrono::minutes;
    return is_instant(text) && *instant > now - minutes(10) && *instant < now + minutes(1);
}

/// An instant so much later than now, as clients write it.
inline std::string in(std::chrono::seconds later)
{
    std::string out;
    auto now = std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now());
    schemas::append_timestamp(out, now + later);
    return out;
}

/// All of an answer that a client can compare: without what differs from one answer to the next.
inline std::string comparable(const support::response& answer)
{
    std::vector<std::string> lines;
    for (auto& header : answer.headers)
        if (header.name_string() != "Date" && header.name_string() != "X-Request-Id")
            lines.push_back(std::string(header.name_string()) + ": " + std::string(header.value()));
    std::ranges::sort(lines);
    return std::to_string(answer.status) + "\n" + join(lines, "\n") + "\n\n" + answer.body;
}

/// A part of a JWT, 0 the header and 1 the claims, as an answer that the words above can read.
inline support::response part_of(const std::string& jwt, int which)
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

} // namespace flows
