#include "handlers/pages/email_links.hpp"

#include "handlers/authn/email_token.hpp"
#include "handlers/authn/session_cookie.hpp"
#include "handlers/endpoints/email_address.hpp"
#include "handlers/pages/error_page.hpp"
#include "handlers/pages/form_view.hpp"
#include "handlers/pages/provider_sign_in.hpp"

#include <optional>
#include <variant>

namespace handlers::pages {

using db::one_time_tokens::purpose;
using html::element;
using html::text;

namespace {

/// What two pages differ in.
struct confirmation {
    std::string_view path;
    message messages::* title;
    message messages::* content;
    message messages::* button;
    message messages::* provider;
    bool can_disown;
};

constexpr confirmation verification{"/verify",
                                    &messages::verify_title,
                                    &messages::verify_text,
                                    &messages::verify_button,
                                    &messages::verify_with,
                                    true};
constexpr confirmation email_change{"/email-change",
                                    &messages::email_change_title,
                                    &messages::email_change_text,
                                    &messages::email_change_button,
                                    &messages::email_change_with,
                                    false};

/// @param signed_in the address of the browser's session; empty without one
reply show(const view& v, const confirmation& which, const form_data& values, const form_errors& errors,
           std::string_view signed_in = {})
{
    field password;
    password.name = "password";
    password.label = v.m().password.text();
    password.type = "password";
    password.autocomplete = "current-password";
    auto hint = fill(v.m().verify_session_hint, {signed_in});
    if (!signed_in.empty()) {
        password.hint = hint;
        password.is_required = false;
    }
    const field fields[] = {password};
    form_view form{v, values, errors};
    auto inputs =
        form.summary(fields) + form.token() + form.input(password) + submit_button(v.m().*which.button);
    if (auto provider = provider_label(v.c))
        inputs += provider_button(v.m().*which.provider, *provider);
    if (which.can_disown)
        inputs += element("button",
                          {{"type", "submit"},
                           {"name", "action"},
                           {"value", "disown"},
                           {"class", "quiet"},
                           {"formnovalidate", html::flag::present}},
                          text_of(v.m().disown_button));
    page out;
    out.title = (v.m().*which.title).text();
    note(errors, out);
    out.content = paragraph(v.m().*which.content);
    out.content += post_form(v.c, which.path, inputs);
    return render(v, out);
}

form_errors errors_of(const view& v, const problem& why)
{
    return to_errors(v, why, {{codes::invalid_credentials, "password"}, {codes::invalid_token, "token"}});
}

problem missing_password()
{
    return problem::invalid_field("body", "password", "Field required", "missing");
}

/// Whether the token's account is the one that this browser is signed in to.
awaitable<bool> is_of_session(call& c, std::string token, const std::optional<browser_session>& session)
{
    if (!session)
        co_return false;
    auto found = co_await find_email_token(c, std::move(token), purpose::verify_email);
    co_return found && found->user_id == session->user.id;
}

awaitable<reply> disown_with(call& c, form_data form)
{
    auto outcome = co_await run_endpoint<&handlers::email_address::disown>(c, form);
    if (auto why = std::get_if<problem>(&outcome)) {
        auto v = view_of(c);
        co_return show(v, verification, form, errors_of(v, *why));
    }
    co_return see_other(path_to(c, "/done?what=disowned").text());
}

awaitable<reply> verify_with(call& c, form_data form)
{
    if (form["action"] == "disown")
        co_return co_await disown_with(c, std::move(form));
    if (form["action"] == "provider")
        co_return begin_with_token(c, provider_purpose::verify, form["token"]);

    auto session = co_await load_browser_session(c);
    std::string_view email = session ? std::string_view(session->user.email) : std::string_view();
    auto v = view_of(c, session ? session->user.locale : std::string());
    std::optional<browser_credential> credential;
    if (form["password"].empty() && !form["token"].empty()) {
        // A click without a password or a session would prove the mailbox, but not who made the account.
        bool is_known = co_await is_of_session(c, std::string(form["token"]), session);
        if (!is_known)
            co_return show(v, verification, form, to_errors(v, missing_password()), email);
        credential.emplace(c, *session);
    }
    auto outcome = co_await run_endpoint<&handlers::email_address::verify>(c, form);
    if (auto why = std::get_if<problem>(&outcome))
        co_return show(v, verification, form, errors_of(v, *why), email);
    co_return see_other(path_to(c, "/done?what=verified").text());
}

awaitable<reply> change_with(call& c, form_data form)
{
    if (form["action"] == "provider")
        co_return begin_with_token(c, provider_purpose::email_change, form["token"]);
    auto v = view_of(c);
    if (form["password"].empty() && !form["token"].empty())
        co_return show(v, email_change, form, to_errors(v, missing_password()));
    auto outcome = co_await run_endpoint<&handlers::email_address::confirm_change>(c, form);
    if (auto why = std::get_if<problem>(&outcome))
        co_return show(v, email_change, form, errors_of(v, *why));
    co_return see_other(path_to(c, "/done?what=email-changed").text());
}

} // namespace

awaitable<reply> verify(call& c)
{
    auto session = co_await load_browser_session(c);
    auto v = view_of(c, session ? session->user.locale : std::string());
    co_return show(v, verification, {}, {},
                   session ? std::string_view(session->user.email) : std::string_view());
}

awaitable<reply> submit_verify(call& c)
{
    return with_form(c, &verify_with);
}

reply change_email(call& c)
{
    return show(view_of(c), email_change, {}, {});
}

awaitable<reply> submit_change_email(call& c)
{
    return with_form(c, &change_with);
}

} // namespace handlers::pages
