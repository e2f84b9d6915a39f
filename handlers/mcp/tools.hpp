// The tools that agents are offered: each stands for a call of the route table, and runs its handler behind
// its guard.
#pragma once

#include "handlers/http/endpoint.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <span>
#include <string_view>

namespace handlers {

struct mcp_tool {
    std::string_view name, title, description;
    http::verb method;     // of the call it stands for, as is
    std::string_view path; // this
    bool only_reads, destroys;
    schemas::describer input, output;
    awaitable<reply> (*run)(call& c, const boost::json::value& arguments);
};

std::span<const mcp_tool> all_mcp_tools();

/** The tool of a name, or null. */
const mcp_tool* find_mcp_tool(std::string_view name);

/** A tool as `tools/list` tells of it: schemas, and hints about what it does. */
boost::json::object describe_mcp_tool(const mcp_tool& tool);

/** Run a tool as its call would be run for this caller.
    @return what the call would answer; a refusal is a problem, as over HTTP
    @throw db::failure */
awaitable<reply> run_mcp_tool(call& c, const mcp_tool& tool, const boost::json::value& arguments);

} // namespace handlers
