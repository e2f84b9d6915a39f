#include "server/mail/templates.hpp"

#include "handlers/pages/brand.hpp"

#include <boost/describe/enumerators.hpp>
#include <boost/mp11/list.hpp>
#include <boost/url/parse.hpp>

#include <array>
#include <cstdint>

namespace server {

namespace {

using db::outbox::kind;
namespace json = boost::json;

// ---- the templates

/// One template. `{name}` in its texts is a placeholder; see expand().
struct email_template {
    kind which;
    std::string_view subject;
    std::array<std::string_view, 2> paragraphs;
    /// Page that the link opens; empty: no link.
    std::string_view page = {};
    std::string_view link_label = {};
    std::string_view footer = {};
};

constexpr std::string_view security_advice =
    "If this was not you, reset your password now and review your sessions and API keys.";
constexpr std::string_view ignore_footer =
    "{expiry} If you did not request this, you can ignore this email: nothing happens without the link.";
constexpr std::string_view reminder_footer = "{expiry} It replaces the link of your earlier invitation.";

constexpr email_template templates[] = {
    {kind::verify,
     "Confirm your email address",
     {"Please confirm that this email address is yours, so that you can use it at {site}."},
     "verify",
     "Confirm email address",
     ignore_footer},
    {kind::reset,
     "Reset your password",
     {"We received a request for a new password for your account at {site}.", "{unproved_account}"},
     "reset",
     "Choose a new password",
     ignore_footer},
    {kind::address_taken,
     "You already have an account",
     {"Someone, probably you, tried to use this email address for an account at {site}, but you already have "
      "one. {origin}",
      "If it was you, sign in, or reset your password if you have forgotten it. If it was not, you do not "
      "need to do anything: the server has not revealed that this address has an account."}},
    {kind::email_change,
     "Confirm your new email address",
     {"Please confirm that you want to use this email address for your account at {site}."},
     "email-change",
     "Use this address",
     ignore_footer},
    {kind::email_change_notice,
     "Your email address is about to change",
     {"Someone who is signed in to your account at {site} wants to change its email address to {new_email}. "
      "{origin}",
      security_advice}},
    {kind::password_changed,
     "Your password was changed",
     {"The password of your account at {site} was changed. {origin}", security_advice}},
    {kind::new_sign_in,
     "New sign-in to your account",
     {"There was a sign-in to your account at {site} from a device that we have not seen before. {origin}",
      security_advice}},
    {kind::key_minted,
     "A new API key was created",
     {"The API key {key} was created with your account at {site}. {origin}", security_advice}},
    {kind::key_reported,
     "Your API key was revoked",
     {"The API key {key} of your account at {site} was reported as leaked, so it has been revoked. {origin}",
      "Create a new key for the application that used it, and find out how the key leaked."}},
    {kind::provider_linked,
     "A sign-in provider was linked to your account",
     {"An account at {provider} was linked to your account at {site}, and can now sign in to it. {origin}",
      "If this was not you, reset your password now, unlink the provider, and review your sessions and API "
      "keys."}},
    {kind::invite,
     "You are invited to {workspace}",
     {"{person} invites you to join {workspace} at {site}.", "{unproved_invitee}"},
     "invite",
     "View the invitation",
     ignore_footer},
    {kind::invite_reminder,
     "Reminder: you are invited to {workspace}",
     {"{person} invites you to join {workspace} at {site}.", "{unproved_invitee}"},
     "invite",
     "View the invitation",
     reminder_footer},
    {kind::approval_asked,
     "{person} asks to join {workspace}",
     {"{person} has signed up and asks to join {workspace} at {site}. An admin can approve or decline the "
      "request."}},
    {kind::approval_given,
     "Welcome to {workspace}",
     {"Your request was approved: you are now a member of {workspace} at {site}."}},
    {kind::approval_refused,
     "Your request to join {workspace}",
     {"An admin of {workspace} at {site} has declined your request to join."}},
};

/// email_change_notice after the change.
constexpr email_template email_changed{
    kind::email_change_notice,
    "Your email address was changed",
    {"Your account at {site} now has the email address {new_email}. {origin}", security_advice}};

/// One template for each kind, in the order of the enumeration.
constexpr bool covers_all_kinds()
{
    if (std::size(templates) != boost::mp11::mp_size<boost::describe::describe_enumerators<kind>>::value)
        return false;
    for (std::size_t i = 0; i < std::size(templates); ++i)
        if (static_cast<std::size_t>(templates[i].which) != i)
            return false;
    return true;
}
static_assert(covers_all_kinds());

// ---- the variables

std::string get_text(const json::object& variables, std::string_view name)
{
    auto found = variables.if_contains(name);
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::int64_t get_number(const json::object& variables, std::string_view name)
{
    auto found = variables.if_contains(name);
    return found && found->is_number() ? found->to_number<std::int64_t>() : 0;
}

bool get_flag(const json::object& variables, std::string_view name)
{
    auto found = variables.if_contains(name);
    return found && found->is_bool() && found->get_bool();
}

/** A user-chosen name, protected against auto-linking by mail clients: an invisible U+2060 WORD JOINER splits
    any part that looks like a URL or an email address. */
std::string without_links(std::string_view name)
{
    std::string out;
    for (std::size_t i = 0; i < name.size(); ++i) {
        out += name[i];
        bool joins = name[i] == '.' || name[i] == ':' || name[i] == '/' || name[i] == '@';
        if (joins && i + 1 < name.size() && name[i + 1] != ' ')
            out += "\u2060";
    }
    return out;
}

std::string plural(std::int64_t number, const std::string& unit)
{
    return std::to_string(number) + " " + unit + (number == 1 ? "" : "s");
}

std::string duration(std::int64_t seconds)
{
    constexpr std::int64_t minute = 60, hour = 60 * minute, day = 24 * hour;
    if (seconds >= 2 * day)
        return plural(seconds / day, "day");
    if (seconds >= 2 * hour)
        return plural(seconds / hour, "hour");
    if (seconds >= minute)
        return plural(seconds / minute, "minute");
    return plural(seconds, "second");
}

/// "The link can be used once, within 24 hours."
std::string expiry(const json::object& variables)
{
    auto ttl = get_number(variables, "ttl_seconds");
    return "The link can be used once" + (ttl > 0 ? ", within " + duration(ttl) : "") + ".";
}

/// "The request came from 192.0.2.1 (Firefox on Linux) on 2026-11-24 at 19:40 UTC."
std::string origin(const json::object& variables)
{
    auto ip = get_text(variables, "ip"), agent = get_text(variables, "agent"), at = get_text(variables, "at");
    std::string details;
    if (!ip.empty())
        details += " from " + ip;
    if (!agent.empty())
        details += " (" + agent + ")";
    if (at.size() >= 16)
        details += " on " + at.substr(0, 10) + " at " + at.substr(11, 5) + " UTC";
    return details.empty() ? std::string() : "The request came" + details + ".";
}

/// Of an account that may have been made by another person: when, with what, and what the link does.
std::string describe_unproved(const json::object& variables, const char* choice)
{
    auto at = get_text(variables, "made_at"), agent = get_text(variables, "made_with");
    if (at.size() < 16)
        return {};
    return "An account with this address was made on " + at.substr(0, 10) + " at " + at.substr(11, 5) +
           " UTC" + (agent.empty() ? "" : " with " + agent) +
           ", and its maker has not yet proved to be the owner of the address. " + choice +
           ": you get a new account, and the other one loses this address.";
}

std::string unproved_account(const json::object& variables)
{
    return describe_unproved(variables, "If it was you, enter the account's present password as well. If it "
                                        "was not, leave it out");
}

std::string unproved_invitee(const json::object& variables)
{
    return describe_unproved(variables, "If it was you, enter the account's password to join with it. If it "
                                        "was not, choose a new password");
}

/// "“nightly” (tnx_a1b2c3d4_…)"
std::string key_name(const json::object& variables)
{
    auto name = get_text(variables, "name"), prefix = "tnx_" + get_text(variables, "prefix") + "_…";
    return name.empty() ? prefix : "“" + without_links(name) + "” (" + prefix + ")";
}

/// "Grace Hopper (grace@example.org)"
std::string person(const json::object& variables)
{
    auto name = without_links(get_text(variables, "person")), address = get_text(variables, "person_email");
    if (name.empty())
        return address.empty() ? "Someone" : address;
    return address.empty() ? name : name + " (" + address + ")";
}

std::string workspace(const json::object& variables)
{
    auto name = without_links(get_text(variables, "workspace"));
    return name.empty() ? "a workspace" : "“" + name + "”";
}

std::string provider(const json::object& variables)
{
    auto name = without_links(get_text(variables, "provider"));
    return name.empty() ? "an OpenID provider" : name;
}

std::string new_email(const json::object& variables)
{
    auto address = get_text(variables, "new_email");
    return address.empty() ? "another address" : address;
}

// ---- rendering

std::string value_of(std::string_view placeholder, const json::object& variables, const branding& site)
{
    if (placeholder == "site")
        return site.name;
    constexpr std::pair<std::string_view, std::string (*)(const json::object&)> values[] = {
        {"expiry", &expiry},
        {"origin", &origin},
        {"key", &key_name},
        {"person", &person},
        {"workspace", &workspace},
        {"provider", &provider},
        {"new_email", &new_email},
        {"unproved_account", &unproved_account},
        {"unproved_invitee", &unproved_invitee},
    };
    for (auto& [name, make] : values)
        if (name == placeholder)
            return make(variables);
    return {};
}

/// Replace the placeholders of a text in one pass: values are never expanded themselves.
std::string expand(std::string_view text, const json::object& variables, const branding& site)
{
    std::string out;
    for (;;) {
        auto open = text.find('{');
        out += text.substr(0, open);
        if (open == std::string_view::npos)
            break;
        auto close = text.find('}', open);
        out += value_of(text.substr(open + 1, close - open - 1), variables, site);
        text.remove_prefix(close + 1);
    }
    while (out.ends_with(' ')) // before a placeholder without a value
        out.pop_back();
    return out;
}

const email_template& find_template(kind which, const json::object& variables)
{
    if (which == kind::email_change_notice && get_flag(variables, "done"))
        return email_changed;
    return templates[static_cast<std::size_t>(which)];
}

/// List the API keys that outlive a change of the password.
void add_live_keys(email& out, const json::object& variables)
{
    auto keys = variables.if_contains("keys");
    if (keys && keys->is_array())
        for (auto& key : keys->get_array())
            if (key.is_object())
                out.list.push_back("API key " + key_name(key.get_object()));
    auto others = get_number(variables, "key_count") - static_cast<std::int64_t>(out.list.size());
    if (others > 0)
        out.list.push_back("and " + plural(others, "other key"));
    if (!out.list.empty())
        out.paragraphs.insert(out.paragraphs.begin() + 1,
                              "These API keys still work. Revoke those that you do not recognize.");
}

} // namespace

branding to_branding(const handlers::settings& settings)
{
    auto url = boost::urls::parse_absolute_uri(settings.public_url);
    branding out;
    out.public_url = settings.public_url;
    out.name = url ? std::string(url->host()) : settings.public_url;
    auto& own = settings.brand;
    if (own.name != handlers::brand().name) {
        out.heading = own.name;
        out.name = own.name + " (" + out.name + ")";
    }
    if (!own.accent.empty()) {
        out.accent = own.accent;
        out.on_accent = handlers::pages::text_on(own.accent);
    }
    return out;
}

email render_email(kind which, const json::object& variables, const branding& site, std::string_view token)
{
    auto& source = find_template(which, variables);
    email out;
    out.subject = expand(source.subject, variables, site);
    for (auto paragraph : source.paragraphs)
        if (!paragraph.empty())
            out.paragraphs.push_back(expand(paragraph, variables, site));
    if (which == kind::password_changed)
        add_live_keys(out, variables);
    if (!source.page.empty()) {
        out.link.append(site.public_url).append("/").append(source.page).append("#token=").append(token);
        out.link_label = source.link_label;
    }
    out.footer = expand(source.footer, variables, site);
    return out;
}

// ---- layout

namespace {

constexpr std::string_view unsubscribe_label = "Unsubscribe from emails of this kind";

std::string greeting(const std::optional<std::string>& name)
{
    return name ? "Hello " + without_links(*name) + "," : std::string("Hello,");
}

std::string escape(std::string_view text)
{
    std::string out;
    for (char c : text) {
        switch (c) {
        case '&':
            out += "&amp;";
            break;
        case '<':
            out += "&lt;";
            break;
        case '>':
            out += "&gt;";
            break;
        case '"':
            out += "&quot;";
            break;
        default:
            out += c;
        }
    }
    return out;
}

std::string element(std::string_view name, std::string_view content, std::string_view attributes = {})
{
    std::string out = "<";
    out.append(name).append(attributes).append(">");
    out.append(content);
    return out.append("</").append(name).append(">\n");
}

} // namespace

std::string to_plain_text(const email& content, const std::optional<std::string>& recipient_name,
                          std::string_view unsubscribe_link)
{
    std::string out = greeting(recipient_name) + "\n\n";
    for (std::size_t i = 0; i < content.paragraphs.size(); ++i) {
        out += content.paragraphs[i] + "\n\n";
        if (i > 0 || content.list.empty())
            continue;
        for (auto& item : content.list)
            out += "- " + item + "\n";
        out += "\n";
    }
    if (!content.link.empty())
        out += content.link_label + ":\n" + content.link + "\n\n";
    if (!content.footer.empty())
        out += content.footer + "\n";
    if (!unsubscribe_link.empty())
        out.append("\n").append(unsubscribe_label).append(": ").append(unsubscribe_link).append("\n");
    return out;
}

std::string to_html(const email& content, const branding& site,
                    const std::optional<std::string>& recipient_name, std::string_view unsubscribe_link)
{
    std::string body;
    if (!site.heading.empty())
        body += element("p", escape(site.heading), " style=\"font-size:1.25em;font-weight:bold\"");
    body += element("p", escape(greeting(recipient_name)));
    for (std::size_t i = 0; i < content.paragraphs.size(); ++i) {
        body += element("p", escape(content.paragraphs[i]));
        if (i > 0 || content.list.empty())
            continue;
        std::string items;
        for (auto& item : content.list)
            items += element("li", escape(item));
        body += element("ul", "\n" + items);
    }
    // The link as a button, and written out for mail clients that show no links.
    if (!content.link.empty()) {
        auto href = " href=\"" + escape(content.link) + "\"";
        auto button =
            " style=\"display:inline-block;padding:.6em 1.2em;border-radius:.3em;background:" + site.accent +
            ";color:" + site.on_accent + ";text-decoration:none\"";
        body += element("p", element("a", escape(content.link_label), href + button));
        body +=
            element("p", "Or open " + element("a", escape(content.link), href), " style=\"font-size:.9em\"");
    }
    constexpr std::string_view small = " style=\"font-size:.9em;color:#555\"";
    if (!content.footer.empty())
        body += element("p", escape(content.footer), small);
    if (!unsubscribe_link.empty()) {
        auto href = " href=\"" + escape(unsubscribe_link) + "\"";
        body += element("p", element("a", unsubscribe_label, href), small);
    }
    return "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n" +
           element("title", escape(content.subject)) +
           "<body style=\"font:16px/1.5 sans-serif;max-width:36em;margin:1em auto;padding:0 1em\">\n" + body +
           "</body>\n</html>\n";
}

} // namespace server
