#include "handlers/pages/invite_acceptance.hpp"

#include "handlers/endpoints/invite_acceptance.hpp"
#include "handlers/pages/form_data.hpp"
#include "handlers/pages/layout.hpp"

#include <variant>

namespace handlers::pages {

namespace {

form_data only_token(const form_data& form)
{
    form_data out;
    out.set("token", std::string(form["token"]));
    return out;
}

} // namespace

awaitable<result<schemas::invite_preview>> find_open_invite(call& c, const form_data& form)
{
    auto token = only_token(form);
    auto outcome = co_await run_endpoint<&invite_acceptance::preview>(c, token);
    if (auto why = std::get_if<problem>(&outcome))
        co_return std::move(*why);
    if (auto shown = std::get_if<schemas::invite_preview>(&outcome))
        co_return std::move(*shown);
    co_return problem::of(codes::invalid_token); // it is closed
}

awaitable<std::optional<problem>> accept_by_session(call& c, const browser_session& session,
                                                    const form_data& form)
{
    auto token = only_token(form);
    browser_credential credential(c, session);
    auto outcome = co_await run_endpoint<&invite_acceptance::accept>(c, token);
    if (auto why = std::get_if<problem>(&outcome))
        co_return std::move(*why);
    if (std::holds_alternative<invite_acceptance::invite_closed>(outcome))
        co_return problem::of(codes::invalid_token);
    co_return std::nullopt;
}

std::string joined_path(const call& c)
{
    return path_to(c, "/done?what=joined").text();
}

} // namespace handlers::pages
