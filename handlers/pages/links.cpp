#include "handlers/pages/links.hpp"

#include "handlers/endpoints/api_keys.hpp"
#include "handlers/endpoints/notifications.hpp"
#include "handlers/pages/error_page.hpp"
#include "handlers/pages/form_view.hpp"

#include <algorithm>
#include <variant>

namespace handlers::pages {

using html::element;
using html::text;

namespace {

/// A page with nothing but the token and a button.
struct one_button {
    std::string_view path;
    message messages::* title;
    message messages::* content;
    message messages::* button;
};

constexpr one_button unsubscription{"/unsubscribe/confirm", &messages::unsubscribe_title,
                                    &messages::unsubscribe_text, &messages::unsubscribe_button};
constexpr one_button claiming{"/claim", &messages::claim_title, &messages::claim_text,
                              &messages::claim_button};

reply show(const view& v, const one_button& which, const form_data& values, const form_errors& errors)
{
    form_view form{v, values, errors};
    page out;
    out.title = (v.m().*which.title).text();
    note(errors, out);
    out.content = paragraph(v.m().*which.content);
    out.content +=
        post_form(v.c, which.path, form.summary({}) + form.token() + submit_button(v.m().*which.button));
    return render(v, out);
}

reply show_errors(call& c, const one_button& which, const form_data& form, const problem& why)
{
    auto v = view_of(c);
    return show(v, which, form, to_errors(v, why, {{codes::invalid_token, "token"}}));
}

awaitable<reply> unsubscribe_with(call& c, form_data form)
{
    auto outcome = co_await run_endpoint<&notifications::unsubscribe>(c, form);
    if (auto why = std::get_if<problem>(&outcome))
        co_return show_errors(c, unsubscription, form, *why);
    co_return see_other(path_to(c, "/done?what=unsubscribed").text());
}

awaitable<reply> claim_with(call& c, form_data form)
{
    auto outcome = co_await run_endpoint<&api_keys::claim>(c, form);
    if (auto why = std::get_if<problem>(&outcome))
        co_return show_errors(c, claiming, form, *why);
    auto v = view_of(c);
    auto& key = std::get<schemas::api_key_created>(outcome);
    page out;
    out.title = v.m().claim_title.text();
    out.content = element("p", {{"role", "status"}}, text_of(v.m().claim_done_text));
    out.content += element(
        "p", {{"class", "secret"}, {"data-copy", v.m().copy.text()}, {"data-copied", v.m().copied.text()}},
        element("code", {}, text(key.secret)));
    co_return render(v, out);
}

/// What /done can say. The words are those of its query.
struct outcome {
    std::string_view what;
    message messages::* content;
    /// The way on: to the sign-in page, or to the console.
    bool leads_to_sign_in;
};

constexpr outcome outcomes[] = {
    {"signed-in", &messages::done_signed_in, false},
    {"signed-out", &messages::done_signed_out, true},
    {"verified", &messages::done_verified, false},
    {"disowned", &messages::done_disowned, true},
    {"password-changed", &messages::done_password_changed, true},
    {"email-changed", &messages::done_email_changed, false},
    {"joined", &messages::done_joined, false},
    {"unsubscribed", &messages::done_unsubscribed, false},
    {"mail-sent", &messages::done_mail_sent, true},
};

} // namespace

reply unsubscribe(call& c)
{
    return show(view_of(c), unsubscription, form_data::of_query(c.req), {});
}

awaitable<reply> submit_unsubscribe(call& c)
{
    return with_form(c, &unsubscribe_with);
}

reply claim(call& c)
{
    return show(view_of(c), claiming, {}, {});
}

awaitable<reply> submit_claim(call& c)
{
    return with_form(c, &claim_with);
}

reply done(call& c)
{
    auto asked = form_data::of_query(c.req);
    auto found = std::ranges::find(outcomes, asked["what"], &outcome::what);
    if (found == std::end(outcomes))
        return error_page(c, problem::of(codes::not_found));
    auto v = view_of(c);
    bool to_console = has_console(c) && !found->leads_to_sign_in;
    page out;
    out.title = v.m().done_title.text();
    out.content = element("p", {{"role", "status"}}, text_of(v.m().*(found->content)));
    auto href = path_to(c, to_console ? "/console" : "/sign-in");
    out.content += element("a", {{"class", "button primary"}, {"href", href}},
                           text_of(to_console ? v.m().go_to_console : v.m().sign_in_link));
    return render(v, out);
}

} // namespace handlers::pages
