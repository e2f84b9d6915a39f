#include "handlers/pages/passwords.hpp"

#include "handlers/endpoints/email_address.hpp"
#include "handlers/endpoints/passwords.hpp"
#include "handlers/pages/error_page.hpp"
#include "handlers/pages/form_view.hpp"

#include <variant>

namespace handlers::pages {

using html::element;
using html::text;

namespace {

reply show_forgot(const view& v, const form_data& values, const form_errors& errors)
{
    const field fields[] = {email_field(v)};
    form_view form{v, values, errors};
    page out;
    out.title = v.m().forgot_title.text();
    note(errors, out);
    out.content = paragraph(v.m().forgot_text);
    out.content += post_form(
        v.c, "/forgot", form.summary(fields) + form.input(fields[0]) + submit_button(v.m().forgot_button));
    out.content += element("p", {{"class", "foot"}}, link_to(v.c, "/sign-in", v.m().back_to_sign_in));
    return render(v, out);
}

awaitable<reply> forgot_with(call& c, form_data form)
{
    auto outcome = co_await run_endpoint<&handlers::passwords::forgot>(c, form);
    if (auto why = std::get_if<problem>(&outcome)) {
        auto v = view_of(c);
        co_return show_forgot(v, form, to_errors(v, *why));
    }
    co_return see_other(path_to(c, "/check-mail?for=reset").text());
}

reply show_reset(const view& v, const form_data& values, const form_errors& errors)
{
    field password, current;
    password.name = "password";
    password.label = v.m().new_password.text();
    password.type = "password";
    password.autocomplete = "new-password";
    password.hint = v.m().password_hint.text();
    password.min_length = 8;
    current.name = "current_password";
    current.label = v.m().current_password.text();
    current.type = "password";
    current.autocomplete = "current-password";
    current.hint = v.m().current_password_hint.text();
    current.is_required = false;
    const field fields[] = {password, current};
    form_view form{v, values, errors};
    auto revoke = element("label", {{"class", "check"}},
                          element("input", {{"type", "checkbox"},
                                            {"name", "revoke_api_keys"},
                                            {"value", "true"},
                                            {"checked", html::when(values["revoke_api_keys"] == "true")}}),
                          element("span", {}, text_of(v.m().revoke_keys)));
    page out;
    out.title = v.m().reset_title.text();
    note(errors, out);
    out.content = paragraph(v.m().reset_text);
    out.content += post_form(v.c, "/reset",
                             form.summary(fields) + form.token() + form.input(password) +
                                 form.input(current) + revoke + submit_button(v.m().reset_button));
    return render(v, out);
}

awaitable<reply> reset_with(call& c, form_data form)
{
    auto outcome = co_await run_endpoint<&handlers::passwords::reset>(c, form);
    if (auto why = std::get_if<problem>(&outcome)) {
        auto v = view_of(c);
        auto errors = to_errors(v, *why,
                                {{codes::weak_password, "password"},
                                 {codes::invalid_credentials, "current_password"},
                                 {codes::invalid_token, "token"}});
        co_return show_reset(v, form, errors);
    }
    co_return see_other(path_to(c, "/done?what=password-changed").text());
}

reply show_check_mail(const view& v, const form_data& values, const form_errors& errors)
{
    bool is_reset = values["for"] == "reset";
    page out;
    out.title = v.m().check_mail_title.text();
    note(errors, out);
    out.content = paragraph(is_reset ? v.m().check_mail_reset : v.m().check_mail_sign_up);
    out.content += element("p", {{"class", "hint"}}, text_of(v.m().check_mail_spam));
    if (is_reset) {
        auto again = path_to(v.c, "/forgot");
        out.content += element("a", {{"class", "button"}, {"href", again}}, text_of(v.m().resend_title));
    } else {
        const field fields[] = {email_field(v)};
        form_view form{v, values, errors};
        auto resend = post_form(v.c, "/check-mail",
                                form.summary(fields) + form.input(fields[0]) +
                                    element("button", {{"type", "submit"}}, text_of(v.m().resend_button)));
        out.content += element("details", {{"open", html::when(errors.any())}},
                               element("summary", {}, text_of(v.m().resend_title)), resend);
    }
    out.content += element("p", {{"class", "foot"}}, link_to(v.c, "/sign-in", v.m().back_to_sign_in));
    return render(v, out);
}

awaitable<reply> resend_with(call& c, form_data form)
{
    auto v = view_of(c);
    if (form["email"].empty()) { // without one, the endpoint means the caller's
        auto missing = problem::invalid_field("body", "email", "Field required", "missing");
        co_return show_check_mail(v, form, to_errors(v, missing));
    }
    auto outcome = co_await run_endpoint<&handlers::email_address::resend>(c, form);
    if (auto why = std::get_if<problem>(&outcome))
        co_return show_check_mail(v, form, to_errors(v, *why));
    co_return see_other(path_to(c, "/done?what=mail-sent").text());
}

} // namespace

reply forgot(call& c)
{
    return show_forgot(view_of(c), {}, {});
}

awaitable<reply> submit_forgot(call& c)
{
    return with_form(c, &forgot_with);
}

reply reset(call& c)
{
    return show_reset(view_of(c), {}, {});
}

awaitable<reply> submit_reset(call& c)
{
    return with_form(c, &reset_with);
}

reply check_mail(call& c)
{
    return show_check_mail(view_of(c), form_data::of_query(c.req), {});
}

awaitable<reply> submit_check_mail(call& c)
{
    return with_form(c, &resend_with);
}

} // namespace handlers::pages
