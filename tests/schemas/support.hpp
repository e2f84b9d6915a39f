// Short words for what the schemas' tests ask again and again.
#pragma once

#include "schemas/engine/rule.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace schemas::test {

/** "body.invites.2.role extra_forbidden" */
inline std::string to_line(const fault& f)
{
    std::string out;
    for (const auto& s : f.loc) {
        if (!out.empty())
            out += '.';
        if (const auto* name = std::get_if<std::string>(&s))
            out += *name;
        else
            out += std::to_string(std::get<std::size_t>(s));
    }
    return out + ' ' + f.type;
}

/** Every fault as a line, sorted. */
template <class T>
std::vector<std::string> lines(const parsed<T>& result)
{
    std::vector<std::string> out;
    for (const auto& f : result.faults)
        out.push_back(to_line(f));
    std::sort(out.begin(), out.end());
    return out;
}

using expected = std::vector<std::string>;

/** The type of the one fault of `json` as a `T`; "ok" if there is none. */
template <class T>
std::string fault_of(std::string_view json)
{
    const document read{json};
    if (!read.root())
        return "malformed";
    const auto result = parse_value<T>(*read.root(), "body");
    if (result)
        return "ok";
    return result.faults.size() == 1 ? result.faults.front().type : "many";
}

/** `json`, which must be sound, as a `T`. */
template <class T>
T read(std::string_view json)
{
    const document in{json};
    return parse_value<T>(*in.root(), "body").value.value();
}

} // namespace schemas::test
