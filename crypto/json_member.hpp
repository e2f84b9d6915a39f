// JSON objects from other servers: parsing one, and reading its members.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string_view>
#include <utility>

namespace crypto {

/// @return nothing unless the text is a JSON object
inline std::optional<boost::json::object> parse_object(std::string_view text)
{
    boost::system::error_code error;
    auto value = boost::json::parse(text, error);
    if (error || !value.is_object())
        return std::nullopt;
    return std::move(value.get_object());
}

/// @return a view into the object, or nothing unless it has a string of this name
inline std::optional<std::string_view> text_member(const boost::json::object& in, std::string_view name)
{
    auto member = in.if_contains(name);
    if (!member || !member->is_string())
        return std::nullopt;
    return std::string_view(member->get_string());
}

} // namespace crypto
