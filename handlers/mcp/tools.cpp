#include "handlers/mcp/tools.hpp"

#include "crypto/one_time_token.hpp"
#include "handlers/endpoints/api_keys.hpp"
#include "handlers/endpoints/invites.hpp"
#include "handlers/endpoints/profile.hpp"
#include "handlers/endpoints/team.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/endpoint.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/input.hpp"
#include "schemas/engine/schema.hpp"
#include "schemas/mcp.hpp"

#include <boost/json/array.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <stdexcept>

namespace handlers {

namespace json = boost::json;
using schemas::direction;

namespace {

// ---- the tools

awaitable<answer<schemas::me>> whoami(call& c, schemas::no_arguments)
{
    return profile::show(c);
}

awaitable<answer<schemas::page<schemas::api_key_row>>> list_api_keys(call& c, schemas::page_query in)
{
    query<schemas::api_key_query> wanted;
    wanted.value.limit = in.limit;
    wanted.value.cursor = std::move(in.cursor);
    return api_keys::list(c, std::move(wanted));
}

schemas::minted_key to_minted_key(schemas::api_key_created made)
{
    schemas::minted_key out;
    out.id = made.id;
    out.prefix = std::move(made.prefix);
    out.name = std::move(made.name);
    out.scopes = std::move(made.scopes);
    out.owner = made.owner;
    out.created_at = made.created_at;
    out.expires_at = made.expires_at;
    return out;
}

awaitable<answer<schemas::minted_key>> mint_api_key(call& c, schemas::mint_key_arguments in)
{
    schemas::api_key_create body;
    body.name = std::move(in.name);
    body.scopes = std::move(in.scopes);
    body.expires_at = in.expires_at;
    bool by_link = in.delivery == schemas::key_delivery::claim_url;
    crypto::one_time_token token;
    if (by_link)
        token = crypto::make_one_time_token();
    auto made = by_link ? co_await api_keys::mint_unclaimed(c, std::move(body), token.digest)
                        : co_await api_keys::mint(c, std::move(body));
    if (auto refusal = std::get_if<problem>(&made))
        co_return std::move(*refusal);
    auto& key = std::get<schemas::api_key_created>(made);
    auto secret = std::move(key.secret);
    auto out = to_minted_key(std::move(key));
    if (by_link) {
        out.claim_url = c.cx.config.public_url + "/claim#token=" + token.text;
        out.claim_expires_at = out.created_at + api_keys::claim_lifetime;
    } else {
        out.secret = std::move(secret);
    }
    co_return std::move(out);
}

awaitable<answer<schemas::key_revoked>> revoke_api_key(call& c, schemas::key_reference in)
{
    c.params[0] = in.prefix.value;
    auto done = co_await api_keys::revoke(c);
    if (auto refusal = std::get_if<problem>(&done))
        co_return std::move(*refusal);
    schemas::key_revoked out;
    out.prefix = std::move(in.prefix.value);
    co_return std::move(out);
}

awaitable<answer<schemas::page<schemas::team_row>>> list_team(call& c, schemas::team_query in)
{
    query<schemas::team_query> wanted;
    wanted.value = std::move(in);
    return team::list(c, std::move(wanted));
}

awaitable<std::variant<schemas::invite_outcomes, with_status<schemas::invites_refused>, problem>>
invite_teammates(call& c, schemas::invite_batch in)
{
    return invites::create(c, std::move(in));
}

awaitable<answer<schemas::team_row>> set_role(call& c, schemas::member_role in)
{
    c.params[0] = to_string(in.user_id);
    schemas::role_change body;
    body.role = in.role;
    return team::set_role(c, body);
}

awaitable<answer<schemas::member_removed>> remove_teammate(call& c, schemas::member_reference in)
{
    c.params[0] = to_string(in.user_id);
    auto done = co_await team::remove(c);
    if (auto refusal = std::get_if<problem>(&done))
        co_return std::move(*refusal);
    schemas::member_removed out;
    out.user_id = in.user_id;
    co_return out;
}

// ---- adapters from such a function to a row of the table

template <auto F>
awaitable<reply> run_tool(call& c, const json::value& arguments)
{
    auto in = to_result(schemas::parse_value<detail::argument_t<F>>(arguments, "arguments"));
    if (!in)
        co_return to_reply(in.error());
    auto outcome = co_await F(c, std::move(*in));
    co_return detail::write(std::move(outcome), 200);
}

enum class effect { reads, changes, destroys };

template <auto F>
constexpr mcp_tool tool(std::string_view name, std::string_view title, std::string_view description,
                        http::verb method, std::string_view path, effect what)
{
    return {name,
            title,
            description,
            method,
            path,
            what == effect::reads,
            what == effect::destroys,
            &schemas::describe<detail::argument_t<F>>,
            detail::outcome_t<F>::describe_output,
            &run_tool<F>};
}

constexpr mcp_tool table[] = {
    tool<&whoami>(
        "whoami", "Who am I?",
        "The owner of the credential in use: the user, the workspace, the role in it, and the permissions "
        "that the credential grants. Call this first when another tool is rejected.",
        http::verb::get, "/api/v1/users/me", effect::reads),
    tool<&list_api_keys>(
        "list_api_keys", "List API keys",
        "The caller's API keys, newest first, without their secrets. Pass next_cursor as cursor for the next "
        "page.",
        http::verb::get, "/api/v1/users/api-keys", effect::reads),
    tool<&mint_api_key>(
        "mint_api_key", "Create an API key",
        "Create an API key for the caller. By default the result contains the secret, which is never shown "
        "again. With delivery claim_url it contains a link instead that shows the secret once to the person "
        "who opens it within 15 minutes: use that whenever another person will use the key, so that the "
        "secret stays out of this conversation. Omit scopes for all permissions of the caller; name only the "
        "scopes that are needed.",
        http::verb::post, "/api/v1/users/api-keys", effect::changes),
    tool<&revoke_api_key>(
        "revoke_api_key", "Revoke an API key",
        "Revoke an API key permanently, by its prefix: the eight characters between the underscores. It is "
        "rejected everywhere as soon as this has answered.",
        http::verb::delete_, "/api/v1/users/api-keys/{prefix}", effect::destroys),
    tool<&list_team>(
        "list_team", "List the team",
        "The members of the workspace and the pending invites, paginated; filter by role, status, or a text "
        "in the name or email address.",
        http::verb::get, "/api/v1/users/team", effect::reads),
    tool<&invite_teammates>(
        "invite_teammates", "Invite people",
        "Invite people to the workspace by email, each with a role. The result lists the outcome of each "
        "row.",
        http::verb::post, "/api/v1/users/team/invites", effect::changes),
    tool<&set_role>("set_role", "Change a role",
                    "Give a member another role. Takes effect with the member's next request.",
                    http::verb::patch, "/api/v1/users/team/{user_id}", effect::changes),
    tool<&remove_teammate>(
        "remove_teammate", "Remove a member from the team",
        "Remove a member from the workspace. Ends the member's tokens and API keys for this workspace.",
        http::verb::delete_, "/api/v1/users/team/{user_id}", effect::destroys),
};

/// The guard of the tool's route.
const guard& guard_of(const call& c, const mcp_tool& tool)
{
    for (auto& line : c.cx.routes)
        if (line.method == tool.method && line.path == tool.path)
            return line.guard;
    throw std::logic_error("a tool without a route");
}

} // namespace

std::span<const mcp_tool> all_mcp_tools()
{
    return table;
}

const mcp_tool* find_mcp_tool(std::string_view name)
{
    auto it = std::ranges::find(table, name, &mcp_tool::name);
    return it == std::end(table) ? nullptr : it;
}

json::object describe_mcp_tool(const mcp_tool& tool)
{
    schemas::openapi_context in(direction::request), out(direction::response);
    json::object hints{{"title", tool.title},
                       {"readOnlyHint", tool.is_read_only},
                       {"destructiveHint", tool.is_destructive},
                       {"idempotentHint", tool.is_read_only || tool.is_destructive},
                       {"openWorldHint", false}};
    return {{"name", tool.name},
            {"title", tool.title},
            {"description", tool.description},
            {"inputSchema", tool.input(in)},
            {"outputSchema", tool.output(out)},
            {"annotations", std::move(hints)}};
}

awaitable<reply> run_mcp_tool(call& c, const mcp_tool& tool, const json::value& arguments)
{
    auto& required = guard_of(c, tool);
    if (auto refusal = check_permission(c, required))
        co_return to_reply(*refusal);
    auto run = [&] { return tool.run(c, arguments); };
    auto outcome = co_await run_with_current_rights(c, required, run);
    if (auto lost = std::get_if<problem>(&outcome))
        co_return to_reply(*lost);
    co_return std::get<reply>(std::move(outcome));
}

} // namespace handlers
