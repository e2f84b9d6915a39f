// Members of JSON objects that came from elsewhere.
#pragma once

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <optional>
#include <string_view>

namespace crypto {

/** @return a view into the object, or nothing if it has no such member or that is no text */
inline std::optional<std::string_view> text_member(const boost::json::object& in, std::string_view name)
{
    auto member = in.if_contains(name);
    if (!member || !member->is_string())
        return std::nullopt;
    return std::string_view(member->get_string());
}

} // namespace crypto
