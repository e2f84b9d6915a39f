// Router: finds the routes of a path.
#pragma once

#include "handlers/http/route.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace handlers {

/** An index of the route table. A fixed path costs one hash lookup; a path with `{parts}` a scan of the few
    patterns. Fixed paths win over patterns, and of these the first. A last part `{name*}` takes all segments
    that are left, at least one. */
class router {
public:
    /// @param serves which routes of the table are found; null: all
    explicit router(std::span<const route> table, bool (*serves)(const route&) = nullptr);

    /// The routes of one path.
    struct path_entry {
        std::vector<const route*> routes;
        /// The Allow header of 405 and OPTIONS: "GET, HEAD, POST, OPTIONS".
        std::string allow;

        /// @return the route of a method, or null. HEAD is served by that of GET
        const route* find(http::verb method) const;
    };

    /** @param params receives the raw segments at the `{parts}`; those of a `{name*}` with their slashes
        @return null if no route has this path */
    const path_entry* find(std::string_view path, std::vector<std::string_view>& params) const;

    /// The index of a route in the table.
    std::size_t index_of(const route& line) const { return static_cast<std::size_t>(&line - table_.data()); }

    /// The body limit of a route, in bytes, and the largest of all routes.
    std::size_t body_limit(http::verb method, std::string_view path) const;
    std::size_t largest_body() const { return largest_body_; }

private:
    struct pattern {
        std::vector<std::string_view> segments;
        path_entry entry;
    };

    std::span<const route> table_;
    boost::unordered_flat_map<std::string_view, path_entry> fixed_;
    std::vector<pattern> patterns_;
    std::size_t largest_body_ = handlers::default_body_limit;
};

} // namespace handlers
