#include "handlers/pages/form_view.hpp"

#include "handlers/http/error_codes.hpp"

#include <algorithm>

namespace handlers::pages {

using html::element;
using html::text;

namespace {

struct code_text {
    problem_code code;
    message messages::* text;
};

constexpr code_text code_texts[] = {
    {codes::bad_request, &messages::bad_request_text},
    {codes::invalid_token, &messages::invalid_token},
    {codes::invalid_credentials, &messages::wrong_credentials},
    {codes::unauthorized, &messages::needs_sign_in},
    {codes::token_expired, &messages::needs_sign_in},
    {codes::email_taken, &messages::email_taken},
    {codes::account_disabled, &messages::account_disabled},
    {codes::email_not_verified, &messages::email_not_verified},
    {codes::link_required, &messages::link_required},
    {codes::reauthentication_required, &messages::sign_in_again},
    {codes::wrong_account, &messages::wrong_account},
    {codes::already_member, &messages::already_member},
    {codes::conflict, &messages::conflict},
    {codes::weak_password, &messages::password_weak},
    {codes::not_found, &messages::not_found_text},
    {codes::cross_site_request, &messages::cross_site_text},
    {codes::https_required, &messages::https_text},
    {codes::rate_limited, &messages::rate_limited_text},
    {codes::overloaded, &messages::unavailable_text},
    {codes::database_unavailable, &messages::unavailable_text},
    {codes::payload_too_large, &messages::too_large_text},
    {codes::unsupported_media_type, &messages::bad_request_text},
    {codes::method_not_allowed, &messages::bad_request_text},
    {codes::internal_error, &messages::internal_text},
};

/// The field that a validation error is about: the second step of its location.
std::string field_of(const schemas::validation_error& error)
{
    auto name = error.loc.size() > 1 ? std::get_if<std::string>(&error.loc[1]) : nullptr;
    return name ? *name : std::string();
}

/// The text of a validation error: its own is for programs, and in English.
const message& text_for(const view& v, const schemas::validation_error& error, std::string_view field)
{
    auto& m = v.m();
    bool is_password = field.find("password") != field.npos;
    if (field == "token")
        return m.token_missing;
    if (error.type == "missing")
        return m.field_required;
    if (field == "email")
        return m.email_invalid;
    if (error.type == "string_too_short" && is_password)
        return m.password_short;
    if (error.type == "string_too_long")
        return is_password ? m.password_long : m.text_long;
    return m.value_invalid;
}

std::string id_of_error(std::string_view field)
{
    return std::string(field) + "-error";
}

std::string id_of_hint(std::string_view field)
{
    return std::string(field) + "-hint";
}

/// A number as an attribute's value; empty for 0.
std::string number(unsigned value)
{
    return value == 0 ? std::string() : std::to_string(value);
}

} // namespace

const message& text_for(const view& v, const problem_code& code)
{
    auto found = std::ranges::find_if(code_texts, [&code](auto& one) { return one.code == code; });
    return found == std::end(code_texts) ? v.m().forbidden_text : v.m().*(found->text);
}

std::string_view form_errors::of(std::string_view field) const
{
    auto found = std::ranges::find(fields, field, &std::pair<std::string, std::string>::first);
    return found == fields.end() ? std::string_view() : std::string_view(found->second);
}

form_errors to_errors(const view& v, const problem& why, std::initializer_list<code_place> places)
{
    form_errors out;
    out.status = why.code.status() == 401 ? 422 : why.code.status();
    if (why.retry_after.count() > 0)
        out.headers = to_reply(why).headers;
    for (auto& error : why.errors) {
        auto name = field_of(error);
        if (out.of(name).empty())
            out.fields.emplace_back(name, text_for(v, error, name).text());
    }
    if (!why.errors.empty())
        return out;
    auto& own = text_for(v, why.code);
    for (auto& place : places) {
        if (place.code != why.code)
            continue;
        // Of a form that asks for the password alone, the address cannot be wrong.
        bool is_password_alone = why.code == codes::invalid_credentials && why.code.status() == 403;
        out.fields.emplace_back(place.field, (is_password_alone ? v.m().wrong_password : own).text());
        return out;
    }
    out.summary = own.text();
    return out;
}

void note(const form_errors& errors, page& shown)
{
    shown.status = errors.status;
    shown.has_errors = errors.any();
    shown.headers = errors.headers;
}

field email_field(const view& v)
{
    field out;
    out.name = "email";
    out.label = v.m().email.text();
    out.type = "email";
    out.autocomplete = "username"; // what password managers store
    return out;
}

html::fragment form_view::input(const field& one) const
{
    auto error = errors.of(one.name);
    bool is_password = one.type == "password";
    auto value = is_password ? std::string_view() : values[one.name];
    std::string described_by;
    if (!one.hint.empty())
        described_by = id_of_hint(one.name);
    if (!error.empty())
        described_by.append(described_by.empty() ? "" : " ").append(id_of_error(one.name));
    auto max_length = number(one.max_length), min_length = number(one.min_length);
    bool is_email = one.type == "email";
    auto label = element("label", {{"for", one.name}}, text(one.label));
    if (!one.is_required)
        label = element("label", {{"for", one.name}}, text(one.label), text(" "),
                        element("span", {{"class", "optional"}}, text_of(v.m().optional)));
    auto input =
        element("input", {{"id", one.name},
                          {"name", one.name},
                          {"type", one.type},
                          {"value", html::unless_empty{value}},
                          {"autocomplete", one.autocomplete},
                          {"autocapitalize", html::unless_empty{is_email || one.is_token ? "none" : ""}},
                          {"spellcheck", html::unless_empty{is_email || one.is_token ? "false" : ""}},
                          {"maxlength", html::unless_empty{max_length}},
                          {"minlength", html::unless_empty{min_length}},
                          {"required", html::when(one.is_required)},
                          {"readonly", html::when(one.is_fixed)},
                          {"aria-invalid", html::unless_empty{error.empty() ? "" : "true"}},
                          {"aria-describedby", html::unless_empty{described_by}}});
    html::fragment out = label;
    if (!one.hint.empty())
        out += element("p", {{"class", "hint"}, {"id", id_of_hint(one.name)}}, text(one.hint));
    if (!error.empty())
        out += element("p", {{"class", "error"}, {"id", id_of_error(one.name)}}, text(error));
    if (is_password)
        input = element("div",
                        {{"class", "reveal"},
                         {"data-show", v.m().show_password.text()},
                         {"data-hide", v.m().hide_password.text()}},
                        input);
    out += input;
    return element("div", {{"class", "field"}, {"data-token", html::when(one.is_token)}}, out);
}

html::fragment form_view::token() const
{
    field one;
    one.name = "token";
    one.label = v.m().token_label.text();
    one.hint = v.m().token_hint.text();
    one.autocomplete = "one-time-code";
    one.is_token = true;
    return input(one);
}

html::fragment form_view::hidden(std::string_view name, std::string_view value) const
{
    return element("input", {{"type", "hidden"}, {"name", name}, {"value", value}});
}

html::fragment form_view::summary(std::span<const field> fields) const
{
    if (!errors.any())
        return {};
    html::fragment list;
    for (auto& [name, error] : errors.fields) {
        auto at = std::ranges::find(fields, name, &field::name);
        bool is_shown = at != fields.end() || name == "token";
        auto target = is_shown ? html::url::parse_site("#" + name) : std::nullopt;
        auto label = at != fields.end() ? std::string(at->label) + ": " : std::string();
        list +=
            element("li", {}, target ? element("a", {{"href", *target}}, text(label + error)) : text(error));
    }
    html::fragment content = element("h2", {}, text_of(v.m().summary_title));
    if (!errors.summary.empty())
        content = element("p", {}, text(errors.summary));
    if (!list.empty())
        content += element("ul", {}, list);
    return element("div",
                   {{"class", "notice bad"},
                    {"role", "alert"},
                    {"tabindex", "-1"},
                    {"id", "errors"},
                    {"autofocus", html::flag::present}},
                   content);
}

html::fragment submit_button(const message& label)
{
    return element("button", {{"type", "submit"}, {"class", "primary"}}, text_of(label));
}

html::fragment post_form(const call& c, std::string_view path, const html::fragment& content,
                         html::attribute more)
{
    return element("form",
                   {{"method", "post"}, {"action", path_to(c, path)}, {"accept-charset", "utf-8"}, more},
                   content);
}

html::fragment link_to(const call& c, std::string_view path, const message& label)
{
    return element("a", {{"href", path_to(c, path)}}, text_of(label));
}

std::string token_in(std::string_view pasted)
{
    constexpr std::string_view name = "token=";
    if (auto at = pasted.find(name); at != pasted.npos) {
        pasted.remove_prefix(at + name.size());
        pasted = pasted.substr(0, pasted.find_first_of("&#"));
    }
    std::string out;
    auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
    std::ranges::remove_copy_if(pasted, std::back_inserter(out), is_space);
    return out;
}

} // namespace handlers::pages
