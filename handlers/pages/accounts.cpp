#include "handlers/pages/accounts.hpp"

#include "handlers/authn/session_cookie.hpp"
#include "handlers/endpoints/accounts.hpp"
#include "handlers/pages/error_page.hpp"
#include "handlers/pages/form_view.hpp"
#include "handlers/pages/provider_sign_in.hpp"

#include <optional>
#include <utility>
#include <variant>

namespace handlers::pages {

using html::element;
using html::text;

namespace {

field password_field(const view& v, std::string_view autocomplete)
{
    field out;
    out.name = "password";
    out.label = v.m().password.text();
    out.type = "password";
    out.autocomplete = autocomplete;
    return out;
}

/// "or", and the link that signs in through the provider.
html::fragment provider_part(const view& v, const message& label, std::string_view path,
                             const std::optional<std::string>& to)
{
    auto name = provider_label(v.c);
    if (!name)
        return {};
    auto href = path_to(v.c, with_return(path, to));
    return element("p", {{"class", "divider"}}, element("span", {}, text_of(v.m().or_))) +
           element("a", {{"class", "button"}, {"href", href}}, html::sentence(label.text(), {text(*name)}));
}

/// Whether the person of the browser's session is to sign in once more.
bool asks_again(const form_data& values)
{
    return values["again"] == "1";
}

/// The form of who signs in once more has the address of the session. Without a session it is like any other.
void fix_address(form_data& values, const std::optional<browser_session>& session)
{
    if (!session || !asks_again(values))
        return values.set("again", {});
    values.set("email", session->user.email);
}

reply show_sign_in(const view& v, const form_data& values, const form_errors& errors)
{
    auto to = return_path(v.c, values["return_to"]);
    bool is_again = asks_again(values);
    field fields[] = {email_field(v), password_field(v, "current-password")};
    fields[0].is_fixed = is_again;
    form_view form{v, values, errors};
    auto inputs = form.summary(fields) + form.input(fields[0]) + form.input(fields[1]);
    if (to)
        inputs += form.hidden("return_to", *to);
    if (is_again)
        inputs += form.hidden("again", "1");
    inputs += submit_button(v.m().sign_in_button);
    page out;
    out.title = v.m().sign_in_title.text();
    note(errors, out);
    if (is_again)
        out.content = paragraph(v.m().sign_in_again);
    out.content += post_form(v.c, "/sign-in", inputs);
    out.content += element("p", {{"class", "aside"}}, link_to(v.c, "/forgot", v.m().forgot_link));
    auto by_provider = is_again ? "/sign-in/google?again=1" : "/sign-in/google";
    out.content += provider_part(v, v.m().sign_in_with, by_provider, to);
    if (is_again)
        return render(v, out);
    out.content += element("p", {{"class", "foot"}}, text_of(v.m().no_account), text(" "),
                           link_to(v.c, with_return("/sign-up", to), v.m().create_account_link));
    return render(v, out);
}

reply show_sign_up(const view& v, const form_data& values, const form_errors& errors)
{
    auto to = return_path(v.c, values["return_to"]);
    field name, workspace;
    name.name = "name";
    name.label = v.m().your_name.text();
    name.autocomplete = "name";
    name.is_required = false;
    name.max_length = 100;
    workspace.name = "workspace_name";
    workspace.label = v.m().workspace_name.text();
    workspace.autocomplete = "organization";
    workspace.hint = v.m().workspace_hint.text();
    workspace.is_required = false;
    workspace.max_length = 100;
    auto password = password_field(v, "new-password");
    password.hint = v.m().password_hint.text();
    password.min_length = 8;
    const field fields[] = {email_field(v), password, name, workspace};

    form_view form{v, values, errors};
    auto inputs = form.summary(fields);
    for (auto& one : fields)
        inputs += form.input(one);
    if (to)
        inputs += form.hidden("return_to", *to);
    inputs += submit_button(v.m().sign_up_button);
    page out;
    out.title = v.m().sign_up_title.text();
    note(errors, out);
    out.content = post_form(v.c, "/sign-up", inputs);
    out.content += provider_part(v, v.m().sign_up_with, "/sign-in/google", to);
    out.content += element("p", {{"class", "foot"}}, text_of(v.m().have_account), text(" "),
                           link_to(v.c, with_return("/sign-in", to), v.m().sign_in_link));
    return render(v, out);
}

using show_form = reply (*)(const view&, const form_data&, const form_errors&);

/// The empty form, or where the browser goes if it is signed in already.
awaitable<reply> begin(call& c, show_form show, form_data values)
{
    if (auto impossible = require_browser_sessions(c.cx.config))
        co_return error_page(c, *impossible);
    auto session = co_await load_browser_session(c);
    fix_address(values, session);
    if (session && !asks_again(values))
        co_return see_other(destination(c, values["return_to"]));
    co_return show(view_of(c, session ? session->user.locale : std::string()), values, {});
}

awaitable<reply> sign_in_with(call& c, form_data form)
{
    if (auto impossible = require_browser_sessions(c.cx.config))
        co_return error_page(c, *impossible);
    std::optional<browser_session> session;
    if (asks_again(form))
        session = co_await load_browser_session(c);
    fix_address(form, session);
    browser_sign_in browser(c);
    auto outcome = co_await run_endpoint<&handlers::accounts::login>(c, form);
    if (auto why = std::get_if<problem>(&outcome)) {
        auto v = view_of(c);
        co_return show_sign_in(v, form, to_errors(v, *why));
    }
    auto out = see_other(destination(c, form["return_to"]));
    out.add_header("Set-Cookie", browser.set_cookie());
    co_return out;
}

awaitable<reply> sign_up_with(call& c, form_data form)
{
    if (auto impossible = require_browser_sessions(c.cx.config))
        co_return error_page(c, *impossible);
    browser_sign_in browser(c);
    auto outcome = co_await run_endpoint<&handlers::accounts::signup>(c, form);
    if (auto why = std::get_if<problem>(&outcome)) {
        auto v = view_of(c);
        auto errors = to_errors(v, *why, {{codes::email_taken, "email"}, {codes::weak_password, "password"}});
        co_return show_sign_up(v, form, errors);
    }
    if (std::holds_alternative<accepted>(outcome))
        co_return see_other(path_to(c, "/check-mail?for=sign-up").text());
    auto out = see_other(destination(c, form["return_to"]));
    out.add_header("Set-Cookie", browser.set_cookie());
    co_return out;
}

} // namespace

awaitable<reply> sign_in(call& c)
{
    return begin(c, &show_sign_in, form_data::of_query(c.req));
}

awaitable<reply> sign_up(call& c)
{
    auto values = form_data::of_query(c.req);
    values.set("again", {}); // there is one account a person
    return begin(c, &show_sign_up, std::move(values));
}

awaitable<reply> submit_sign_in(call& c)
{
    return with_form(c, &sign_in_with);
}

awaitable<reply> submit_sign_up(call& c)
{
    return with_form(c, &sign_up_with);
}

awaitable<reply> sign_out(call& c)
{
    auto session = co_await load_browser_session(c);
    auto v = view_of(c, session ? session->user.locale : std::string());
    page out;
    out.title = v.m().sign_out_title.text();
    if (session) {
        auto who = element("strong", {}, text(session->user.email));
        out.content = paragraph(v.m().sign_out_text, {who});
        out.content += post_form(c, "/sign-out", submit_button(v.m().sign_out_button));
    } else {
        out.content = paragraph(v.m().not_signed_in);
        out.content += element("p", {{"class", "foot"}}, link_to(c, "/sign-in", v.m().sign_in_link));
    }
    co_return render(v, out);
}

awaitable<reply> submit_sign_out(call& c)
{
    co_await end_browser_session(c);
    auto out = see_other(path_to(c, "/done?what=signed-out").text());
    if (auto cookie = delete_session_cookie(c.cx.config); !cookie.empty())
        out.add_header("Set-Cookie", cookie);
    co_return out;
}

} // namespace handlers::pages
