#include "handlers/mcp/tools.hpp"

#include "crypto/one_time_token.hpp"
#include "handlers/endpoints/api_keys.hpp"
#include "handlers/endpoints/invites.hpp"
#include "handlers/endpoints/profile.hpp"
#include "handlers/endpoints/team.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/routes.hpp"
#include "schemas/mcp.hpp"

#include <boost/json/array.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <algorithm>
#include <stdexcept>

namespace handlers {

namespace json = boost::json;
using schemas::direction;

namespace {

// ---- the tools themselves

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

awaitable<answer<schemas::minted_key>> mint_api_key(call& c, schemas::key_order in)
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
        out.claim_url = c.cx.config.public_url + "/claim?token=" + token.text;
        out.claim_expires_at = out.created_at + api_keys::claim_lifetime;
    } else {
        out.secret = std::move(secret);
    }
    co_return std::move(out);
}

awaitable<answer<schemas::key_revoked>> revoke_api_key(call& c, schemas::key_named in)
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

awaitable<answer<schemas::member_removed>> remove_teammate(call& c, schemas::member_named in)
{
    c.params[0] = to_string(in.user_id);
    auto done = co_await team::remove(c);
    if (auto refusal = std::get_if<problem>(&done))
        co_return std::move(*refusal);
    schemas::member_removed out;
    out.user_id = in.user_id;
    co_return out;
}

// ---- from such a function to a row of the table

template <class F>
struct tool_signature;

template <class Out, class... Others, class In>
struct tool_signature<awaitable<std::variant<Out, Others...>> (*)(call&, In)> {
    static constexpr schemas::describer input = &schemas::describe<In>;
    static constexpr schemas::describer output = &schemas::describe<Out>;

    template <auto F>
    static awaitable<reply> run(call& c, const json::value& arguments)
    {
        auto in = settle(schemas::parse_value<In>(arguments, "arguments"));
        if (auto refused = std::get_if<problem>(&in))
            co_return to_reply(*refused);
        auto outcome = co_await F(c, std::get<In>(std::move(in)));
        co_return detail::write(outcome, 200);
    }
};

enum class effect { reads, changes, destroys };

template <auto F>
constexpr mcp_tool tool(std::string_view name, std::string_view title, std::string_view description,
                        http::verb method, std::string_view path, effect what)
{
    using s = tool_signature<decltype(F)>;
    return {name,
            title,
            description,
            method,
            path,
            what == effect::reads,
            what == effect::destroys,
            s::input,
            s::output,
            &s::template run<F>};
}

constexpr mcp_tool table[] = {
    tool<&whoami>("whoami", "Who am I?",
                  "Who the credential in use belongs to: the person, the workspace, the role in it, and the "
                  "permissions "
                  "that the credential grants. Ask this first when another tool is refused.",
                  http::verb::get, "/api/v1/users/me", effect::reads),
    tool<&list_api_keys>(
        "list_api_keys", "List API keys",
        "The caller's API keys, the newest first, without their secrets. Pass next_cursor as cursor "
        "for the next page.",
        http::verb::get, "/api/v1/users/api-keys", effect::reads),
    tool<&mint_api_key>(
        "mint_api_key", "Make an API key",
        "Make an API key for the caller. By default the answer holds the secret, which is never shown "
        "again. With delivery claim_url it holds a link instead that shows the secret once to the "
        "person who opens it within 15 minutes: use that whenever the key is for somebody else's use, "
        "so that the secret stays out of this conversation. Leave out scopes for all that the caller "
        "may do; name few where few are needed.",
        http::verb::post, "/api/v1/users/api-keys", effect::changes),
    tool<&revoke_api_key>(
        "revoke_api_key", "Revoke an API key",
        "End an API key for good, by its prefix: the eight characters between the underscores. It is "
        "refused everywhere as soon as this has answered.",
        http::verb::delete_, "/api/v1/users/api-keys/{prefix}", effect::destroys),
    tool<&list_team>(
        "list_team", "List the team",
        "The members of the workspace and those invited, by pages; to be narrowed by role, status, or a "
        "text in name or address.",
        http::verb::get, "/api/v1/users/team", effect::reads),
    tool<&invite_teammates>(
        "invite_teammates", "Invite people",
        "Invite people to the workspace by mail, each with a role. The answer tells what became of "
        "each line.",
        http::verb::post, "/api/v1/users/team/invites", effect::changes),
    tool<&set_role>("set_role", "Change a role",
                    "Give a member another role. It counts from their next request on.", http::verb::patch,
                    "/api/v1/users/team/{user_id}", effect::changes),
    tool<&remove_teammate>(
        "remove_teammate", "Remove somebody from the team",
        "End a membership. The person's sessions and API keys for this workspace end with it.",
        http::verb::delete_, "/api/v1/users/team/{user_id}", effect::destroys),
};

/** The guard of the call that a tool stands for. */
const guard& guard_of(const mcp_tool& tool)
{
    for (auto& line : all_routes())
        if (line.method == tool.method && line.path == tool.path)
            return line.who;
    throw std::logic_error("a tool for no route");
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
                       {"readOnlyHint", tool.only_reads},
                       {"destructiveHint", tool.destroys},
                       {"idempotentHint", tool.only_reads || tool.destroys},
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
    if (auto refusal = permit(c, guard_of(tool)))
        co_return to_reply(*refusal);
    co_return co_await tool.run(c, arguments);
}

} // namespace handlers
