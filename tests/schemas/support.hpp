// Helpers of the schema tests.
#pragma once

#include "schemas/engine/schema.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace schemas::test {

/// "body.invites.2.role extra_forbidden"
inline std::string to_line(const validation_error& error)
{
    std::string out;
    for (const auto& s : error.loc) {
        if (!out.empty())
            out += '.';
        if (const auto* name = std::get_if<std::string>(&s))
            out += *name;
        else
            out += std::to_string(std::get<std::size_t>(s));
    }
    return out + ' ' + error.type;
}

/// All errors as lines, sorted.
template <class T>
std::vector<std::string> lines(const parsed<T>& result)
{
    std::vector<std::string> out;
    for (const auto& error : result.errors)
        out.push_back(to_line(error));
    std::sort(out.begin(), out.end());
    return out;
}

using expected = std::vector<std::string>;

/// The type of the only error of `json` parsed as a `T`; "ok" if there is none.
template <class T>
std::string error_of(std::string_view json)
{
    const json_document read{json};
    if (!read.root())
        return "malformed";
    const auto result = parse_value<T>(*read.root(), "body");
    if (result)
        return "ok";
    return result.errors.size() == 1 ? result.errors.front().type : "many";
}

/// Valid `json` as a `T`.
template <class T>
T read(std::string_view json)
{
    const json_document in{json};
    return parse_value<T>(*in.root(), "body").value.value();
}

} // namespace schemas::test
