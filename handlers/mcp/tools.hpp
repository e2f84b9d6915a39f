// MCP tools: each is a route of the table, and runs its handler behind its guard.
#pragma once

#include "handlers/http/route.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <span>
#include <string_view>

namespace handlers {

struct mcp_tool {
    std::string_view name, title, description;
    /// The route of the tool.
    http::verb method;
    std::string_view path;
    bool is_read_only, is_destructive;
    schemas::describer input, output;
    awaitable<reply> (*run)(call& c, const boost::json::value& arguments);
};

std::span<const mcp_tool> all_mcp_tools();

/// The tool of a name, or null.
const mcp_tool* find_mcp_tool(std::string_view name);

/// A tool as `tools/list` describes it: schemas and behavior hints.
boost::json::object describe_mcp_tool(const mcp_tool& tool);

/** Runs a tool as its route would run for the caller.
    @return the reply of the route; errors are problems, as over HTTP
    @throw db::failure */
awaitable<reply> run_mcp_tool(call& c, const mcp_tool& tool, const boost::json::value& arguments);

} // namespace handlers
