#include "handlers/http/cookies.hpp"

#include "handlers/access/text.hpp"

#include <algorithm>

namespace handlers {

std::vector<cookie> read_cookies(const request& req)
{
    std::vector<cookie> out;
    for (auto rest : req.head.lines(http::field::cookie)) {
        while (!rest.empty()) {
            auto semicolon = rest.find(';');
            auto pair = trim(rest.substr(0, semicolon));
            rest.remove_prefix(semicolon == std::string_view::npos ? rest.size() : semicolon + 1);
            auto equals = pair.find('=');
            if (equals != std::string_view::npos)
                out.push_back({pair.substr(0, equals), pair.substr(equals + 1)});
        }
    }
    return out;
}

std::string_view find_only_cookie(const request& req, std::string_view name)
{
    auto all = read_cookies(req);
    if (std::ranges::count(all, name, &cookie::name) != 1)
        return {};
    return std::ranges::find(all, name, &cookie::name)->value;
}

} // namespace handlers
