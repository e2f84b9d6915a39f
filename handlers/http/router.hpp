// From a path to its lines of the route table.
#pragma once

#include "handlers/http/endpoint.hpp"

#include <boost/unordered/unordered_flat_map.hpp>

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace handlers {

/** The route table, arranged for finding. A fixed path costs one hash; one with `{parts}` a walk over the few
    patterns of as many segments. Fixed paths win over patterns. */
class router {
public:
    explicit router(std::span<const route> table);

    /** All that is known of one path. */
    struct place {
        std::vector<const route*> routes;
        std::string allow; // for 405 and OPTIONS: "GET, HEAD, POST, OPTIONS"

        /** @return the route of a method, or null. HEAD is served by GET's */
        const route* find(http::verb method) const;
    };

    /** @param params receives the raw segments that stand for `{parts}`
        @return null if no route has this path */
    const place* find(std::string_view path, std::vector<std::string_view>& params) const;

    /** The place of a route in the table. */
    std::size_t number_of(const route& line) const { return static_cast<std::size_t>(&line - table_.data()); }

    /** The largest body that a request may have, in bytes, and the largest that any may have. */
    std::size_t body_limit(http::verb method, std::string_view path) const;
    std::size_t largest_body() const { return largest_body_; }

private:
    struct pattern {
        std::vector<std::string_view> segments;
        place where;
    };

    std::span<const route> table_;
    boost::unordered_flat_map<std::string_view, place> fixed_;
    std::vector<pattern> patterns_;
    std::size_t largest_body_ = handlers::body_limit;
};

} // namespace handlers
