#include "handlers/pages/error_page.hpp"

#include "handlers/authn/session_cookie.hpp"
#include "handlers/pages/form_view.hpp"
#include "handlers/pages/layout.hpp"

#include <algorithm>
#include <array>

namespace handlers::pages {

using html::element;
using html::text;

namespace {

/// Paths that programs use: their errors are JSON for every client.
constexpr std::array<std::string_view, 5> for_programs{"/api", "/mcp", "/.well-known", "/openapi.json",
                                                       "/session"};

bool is_for_programs(std::string_view path)
{
    return std::ranges::any_of(for_programs, [path](std::string_view each) {
        return path.starts_with(each) && (path.size() == each.size() || path[each.size()] == '/');
    });
}

} // namespace

reply error_page(call& c, const problem& why)
{
    auto v = view_of(c);
    bool is_unknown = why.code == codes::not_found;
    page shown;
    shown.title = (is_unknown ? v.m().not_found_title : v.m().error_title).text();
    shown.status = why.code.status();
    shown.content = element("p", {{"role", "alert"}}, text_of(text_for(v, why.code)));
    if (why.code.status() >= 500)
        shown.content +=
            element("p", {{"class", "hint"}}, html::sentence(v.m().request_id.text(), {text(c.req.id)}));
    shown.content += element("p", {{"class", "foot"}}, link_to(c, "/sign-in", v.m().back_to_sign_in));
    auto out = render(v, shown);
    auto plain = to_reply(why);
    out.cause = std::move(plain.cause);
    out.headers += plain.headers; // Retry-After, Allow and the like
    return out;
}

std::optional<reply> error_page_for_browser(call& c, const problem& why)
{
    if (!c.cx.files || is_for_programs(c.req.path) || !accepts_html(c.req))
        return std::nullopt;
    return error_page(c, why);
}

awaitable<reply> with_form(call& c, awaitable<reply> (*use)(call&, form_data))
{
    ignore_authorization_header(c);
    auto form = form_data::read(c.req);
    if (!form)
        co_return error_page(c, form.error());
    form->set("token", token_in((*form)["token"]));
    co_return co_await use(c, std::move(*form));
}

} // namespace handlers::pages
