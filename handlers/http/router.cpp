#include "handlers/http/router.hpp"

#include <algorithm>

namespace handlers {

namespace {

std::vector<std::string_view> split(std::string_view path)
{
    std::vector<std::string_view> out;
    path.remove_prefix(std::min<std::size_t>(1, path.size()));
    for (;;) {
        auto slash = path.find('/');
        out.push_back(path.substr(0, slash));
        if (slash == std::string_view::npos)
            return out;
        path.remove_prefix(slash + 1);
    }
}

bool is_parameter(std::string_view segment)
{
    return segment.starts_with('{');
}

/// A parameter `{name*}`, which takes the rest of the path.
bool is_rest(std::string_view segment)
{
    return is_parameter(segment) && segment.ends_with("*}");
}

bool matches(const std::vector<std::string_view>& pattern, std::span<const std::string_view> path)
{
    if (is_rest(pattern.back())) {
        if (path.size() < pattern.size())
            return false;
        path = path.first(pattern.size());
    }
    return std::ranges::equal(pattern, path, [](std::string_view wanted, std::string_view given) {
        return is_parameter(wanted) ? !given.empty() : wanted == given;
    });
}

/// From a segment of the path to its end.
std::string_view rest_of(std::string_view path, std::string_view segment)
{
    return path.substr(static_cast<std::size_t>(segment.data() - path.data()));
}

void add(router::path_entry& entry, const route& line)
{
    entry.routes.push_back(&line);
    entry.allow.clear();
    for (auto r : entry.routes) {
        auto name = r->method == http::verb::unknown ? "GET, HEAD, POST, PUT, PATCH, DELETE"
                                                     : std::string(http::to_string(r->method));
        entry.allow += name + (r->method == http::verb::get ? ", HEAD, " : ", ");
    }
    entry.allow += "OPTIONS";
}

} // namespace

router::router(std::span<const route> table, bool (*serves)(const route&)) : table_(table)
{
    for (auto& line : table) {
        if (serves && !serves(line))
            continue;
        largest_body_ = std::max(largest_body_, line.body_limit);
        if (line.path.find('{') == std::string_view::npos) {
            add(fixed_[line.path], line);
            continue;
        }
        auto segments = split(line.path);
        auto known = std::ranges::find(patterns_, segments, &pattern::segments);
        if (known == patterns_.end())
            known = patterns_.insert(known, pattern{std::move(segments), {}});
        add(known->entry, line);
    }
}

const route* router::path_entry::find(http::verb method) const
{
    auto wanted = method == http::verb::head ? http::verb::get : method;
    auto it = std::ranges::find_if(
        routes, [&](const route* r) { return r->method == wanted || r->method == http::verb::unknown; });
    return it == routes.end() ? nullptr : *it;
}

const router::path_entry* router::find(std::string_view path, std::vector<std::string_view>& params) const
{
    if (auto it = fixed_.find(path); it != fixed_.end())
        return &it->second;
    auto segments = split(path);
    for (auto& known : patterns_) {
        if (!matches(known.segments, segments))
            continue;
        for (std::size_t i = 0; i < known.segments.size(); ++i)
            if (is_parameter(known.segments[i]))
                params.push_back(is_rest(known.segments[i]) ? rest_of(path, segments[i]) : segments[i]);
        return &known.entry;
    }
    return nullptr;
}

std::size_t router::body_limit(http::verb method, std::string_view path) const
{
    std::vector<std::string_view> params;
    auto entry = find(path, params);
    auto route = entry ? entry->find(method) : nullptr;
    return route ? route->body_limit : handlers::default_body_limit;
}

} // namespace handlers
