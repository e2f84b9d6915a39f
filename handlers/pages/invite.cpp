#include "handlers/pages/invite.hpp"

#include "handlers/endpoints/invite_acceptance.hpp"
#include "handlers/pages/error_page.hpp"
#include "handlers/pages/form_view.hpp"
#include "handlers/pages/invite_acceptance.hpp"
#include "handlers/pages/provider_sign_in.hpp"
#include "schemas/engine/types.hpp"

#include <variant>

namespace handlers::pages {

using html::element;
using html::text;

namespace {

/// The form before the token is known.
reply show_empty(const view& v, const form_data& values, const form_errors& errors)
{
    form_view form{v, values, errors};
    page out;
    out.title = v.m().invite_title.text();
    note(errors, out);
    out.content = paragraph(v.m().invite_open_text);
    out.content += post_form(v.c, "/invite", form.summary({}) + form.token() + submit_button(v.m().continue_),
                             {"data-send", html::when(!errors.any())});
    return render(v, out);
}

/// Why an invite is closed, in the language of the reader.
const message& text_for(const view& v, schemas::invite_closed_reason why)
{
    switch (why) {
    case schemas::invite_closed_reason::accepted:
        return v.m().invite_accepted;
    case schemas::invite_closed_reason::cancelled:
        return v.m().invite_cancelled;
    case schemas::invite_closed_reason::replaced:
        return v.m().invite_replaced;
    case schemas::invite_closed_reason::expired:
        break;
    }
    return v.m().invite_expired;
}

reply show_closed(const view& v, const invite_acceptance::invite_closed& closed)
{
    page out;
    out.title = v.m().invite_title.text();
    out.status = closed.status;
    out.has_errors = true;
    out.content = element("p", {{"role", "alert"}}, text_of(text_for(v, closed.body.reason)));
    out.content += element("p", {{"class", "foot"}}, link_to(v.c, "/sign-in", v.m().sign_in_link));
    return render(v, out);
}

const message& role_text(const view& v, schemas::role role)
{
    switch (role) {
    case schemas::role::admin:
        return v.m().role_admin;
    case schemas::role::manager:
        return v.m().role_manager;
    case schemas::role::member:
        break;
    }
    return v.m().role_member;
}

html::fragment description_of(const view& v, const schemas::invite_preview& shown)
{
    auto workspace = element("strong", {}, text(shown.workspace_name));
    auto role = text_of(role_text(v, shown.role));
    auto email = element("strong", {}, text(shown.email));
    auto out = shown.invited_by ? paragraph(v.m().invite_text, {text(*shown.invited_by), workspace, role})
                                : paragraph(v.m().invite_text_without_inviter, {workspace, role});
    return out + paragraph(v.m().invite_email_text, {email});
}

/// Whether the session is of the account that the invite is for.
bool is_for(const schemas::invite_preview& shown, const std::optional<browser_session>& session)
{
    return session && schemas::normalize_email(session->user.email) == schemas::normalize_email(shown.email);
}

/// The fields by which the invitee proves who they are, or becomes a user.
std::vector<field> fields_of(const view& v, const schemas::invite_preview& shown)
{
    std::vector<field> out;
    if (!shown.has_account) {
        field name;
        name.name = "name";
        name.label = v.m().your_name.text();
        name.autocomplete = "name";
        name.is_required = false;
        name.max_length = 100;
        out.push_back(name);
    }
    field password;
    password.name = "password";
    password.type = "password";
    password.label = (shown.has_account ? v.m().invite_your_password : v.m().invite_choose_password).text();
    password.autocomplete = shown.has_account ? "current-password" : "new-password";
    if (!shown.has_account)
        password.hint = v.m().password_hint.text();
    out.push_back(password);
    return out;
}

reply show_invite(const view& v, const schemas::invite_preview& shown,
                  const std::optional<browser_session>& session, const form_data& values,
                  const form_errors& errors)
{
    form_view form{v, values, errors};
    bool by_session = is_for(shown, session);
    auto fields = by_session ? std::vector<field>() : fields_of(v, shown);
    auto inputs = form.summary(fields) + form.hidden("token", values["token"]);
    // So that the password manager stores the address beside the password.
    if (!by_session)
        inputs += element("input", {{"type", "email"},
                                    {"name", "email"},
                                    {"value", shown.email},
                                    {"autocomplete", "username"},
                                    {"readonly", html::flag::present},
                                    {"hidden", html::flag::present}});
    for (auto& one : fields)
        inputs += form.input(one);
    auto label = html::sentence(v.m().invite_button.text(), {text(shown.workspace_name)});
    inputs += element(
        "button", {{"type", "submit"}, {"class", "primary"}, {"name", "action"}, {"value", "accept"}}, label);
    if (auto provider = provider_label(v.c); provider && !by_session)
        inputs += provider_button(v.m().invite_with, *provider);

    page out;
    out.title = v.m().invite_title.text();
    note(errors, out);
    out.content = description_of(v, shown);
    if (by_session)
        out.content += paragraph(v.m().invite_session_text, {text(session->user.email)});
    else if (session)
        out.content += paragraph(v.m().invite_other_session, {text(session->user.email), text(shown.email)});
    if (shown.has_unproved_account.value_or(false))
        out.content += paragraph(v.m().invite_unproved);
    out.content += post_form(v.c, "/invite", inputs);
    return render(v, out);
}

/// An answer that both calls of an invite can have.
template <class Outcome>
std::optional<reply> closed_or_refused(const view& v, const Outcome& outcome, const form_data& form)
{
    if (auto closed = std::get_if<invite_acceptance::invite_closed>(&outcome))
        return show_closed(v, *closed);
    if (auto why = std::get_if<problem>(&outcome)) {
        auto errors = to_errors(v, *why, {{codes::invalid_token, "token"}});
        return show_empty(v, form, errors);
    }
    return std::nullopt;
}

/// The invite with its form. @param errors of an attempt to accept it
awaitable<reply> show_preview(const view& v, const std::optional<browser_session>& session, form_data form,
                              form_errors errors)
{
    auto outcome = co_await run_endpoint<&invite_acceptance::preview>(v.c, form);
    if (auto other = closed_or_refused(v, outcome, form))
        co_return std::move(*other);
    co_return show_invite(v, std::get<schemas::invite_preview>(outcome), session, form, errors);
}

awaitable<reply> accept_by_password(const view& v, const std::optional<browser_session>& session,
                                    form_data form)
{
    auto& c = v.c;
    if (auto impossible = require_browser_sessions(c.cx.config))
        co_return error_page(c, *impossible);
    browser_sign_in browser(c);
    auto outcome = co_await run_endpoint<&invite_acceptance::accept>(c, form);
    if (auto closed = std::get_if<invite_acceptance::invite_closed>(&outcome))
        co_return show_closed(v, *closed);
    if (auto why = std::get_if<problem>(&outcome)) {
        auto errors = to_errors(v, *why,
                                {{codes::invalid_credentials, "password"},
                                 {codes::unauthorized, "password"},
                                 {codes::weak_password, "password"}});
        if (why->code == codes::invalid_credentials)
            errors.fields = {{"password", std::string(v.m().wrong_password.text())}};
        co_return co_await show_preview(v, session, std::move(form), std::move(errors));
    }
    auto out = see_other(joined_path(c));
    out.add_header("Set-Cookie", browser.set_cookie());
    co_return out;
}

awaitable<reply> invite_with(call& c, form_data form)
{
    auto session = co_await load_browser_session(c);
    auto v = view_of(c, session ? session->user.locale : std::string());
    if (form["action"] == "provider")
        co_return begin_with_token(c, provider_purpose::invite, form["token"]);
    form.set("email", {}); // for password managers alone
    if (form["action"] != "accept")
        co_return co_await show_preview(v, session, std::move(form), form_errors());
    if (!session || !form["password"].empty())
        co_return co_await accept_by_password(v, session, std::move(form));

    auto preview = co_await run_endpoint<&invite_acceptance::preview>(c, form);
    if (auto other = closed_or_refused(v, preview, form))
        co_return std::move(*other);
    if (!is_for(std::get<schemas::invite_preview>(preview), session))
        co_return co_await accept_by_password(v, session, std::move(form));
    auto refused = co_await accept_by_session(c, *session, form);
    if (refused)
        co_return co_await show_preview(v, session, std::move(form), to_errors(v, *refused));
    co_return see_other(joined_path(c));
}

} // namespace

reply invite(call& c)
{
    return show_empty(view_of(c), {}, {});
}

awaitable<reply> submit_invite(call& c)
{
    return with_form(c, &invite_with);
}

} // namespace handlers::pages
