#include "server/mail/templates.hpp"

namespace server {

namespace {

using db::outbox::kind;
namespace json = boost::json;

std::string text_in(const json::object& facts, std::string_view name)
{
    auto found = facts.if_contains(name);
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::int64_t number_in(const json::object& facts, std::string_view name)
{
    auto found = facts.if_contains(name);
    return found && found->is_number() ? found->to_number<std::int64_t>() : 0;
}

/** A name that somebody chose, so that no mail program makes a link of it: what looks like one is cut by a
   character that is not seen (U+2060, WORD JOINER). */
std::string unlinked(std::string_view name)
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

std::string count_of(std::int64_t number, const std::string& unit)
{
    return std::to_string(number) + " " + unit + (number == 1 ? "" : "s");
}

std::string duration(std::int64_t seconds)
{
    constexpr std::int64_t minute = 60, hour = 60 * minute, day = 24 * hour;
    if (seconds >= 2 * day)
        return count_of(seconds / day, "day");
    if (seconds >= 2 * hour)
        return count_of(seconds / hour, "hour");
    if (seconds >= minute)
        return count_of(seconds / minute, "minute");
    return count_of(seconds, "second");
}

/** "The link is good for 24 hours and can be used once." */
std::string validity(const json::object& facts)
{
    auto lives = number_in(facts, "lives");
    return "The link can be used once" + (lives > 0 ? ", within " + duration(lives) : "") + ".";
}

/** "It came from 192.0.2.1 (Firefox on Linux) on 2026-11-24 at 19:40 UTC." */
std::string origin(const json::object& facts)
{
    auto ip = text_in(facts, "ip"), agent = text_in(facts, "agent"), at = text_in(facts, "at");
    std::string out = "It came";
    if (!ip.empty())
        out += " from " + ip;
    if (!agent.empty())
        out += " (" + agent + ")";
    if (at.size() >= 16)
        out += " on " + at.substr(0, 10) + " at " + at.substr(11, 5) + " UTC";
    return out + ".";
}

std::string key_name(const json::object& facts)
{
    auto name = text_in(facts, "name");
    return "“" + (name.empty() ? "without a name" : unlinked(name)) + "” (tnx_" + text_in(facts, "prefix") +
           "_…)";
}

constexpr std::string_view not_me = "If it was not you, reset your password at once and look through your "
                                    "sessions and API keys.";
constexpr std::string_view ignore = "If you did not ask for this, you can ignore this mail: nothing happens "
                                    "without the link.";

std::string link_to(const site& here, std::string_view page, std::string_view token)
{
    return here.public_url + "/" + std::string(page) + "?token=" + std::string(token);
}

/** Who is told of in a letter about a workspace: "Grace Hopper", or the address. */
std::string person_in(const json::object& facts)
{
    auto name = unlinked(text_in(facts, "person")), email = text_in(facts, "person_email");
    if (name.empty())
        return email.empty() ? "Somebody" : email;
    return email.empty() ? name : name + " (" + email + ")";
}

std::string workspace_in(const json::object& facts)
{
    auto name = unlinked(text_in(facts, "workspace"));
    return name.empty() ? "a workspace" : "“" + name + "”";
}

letter password_changed(const json::object& facts, const site& here)
{
    letter out;
    out.subject = "Your password was changed";
    out.paragraphs = {"The password of your account at " + here.name + " was changed. " + origin(facts)};
    auto keys = facts.if_contains("keys");
    if (keys && keys->is_array())
        for (auto& key : keys->get_array())
            if (key.is_object())
                out.list.push_back("API key " + key_name(key.get_object()));
    auto others = number_in(facts, "keys_in_all") - static_cast<std::int64_t>(out.list.size());
    if (others > 0)
        out.list.push_back("and " + count_of(others, "other key"));
    if (!out.list.empty())
        out.paragraphs.emplace_back("These API keys go on working; revoke those that you do not know.");
    out.paragraphs.emplace_back(not_me);
    return out;
}

letter address_changed(const json::object& facts, const site& here)
{
    letter out;
    auto done = facts.if_contains("done");
    auto to = text_in(facts, "new_email");
    if (done && done->is_bool() && done->get_bool()) {
        out.subject = "Your e-mail address was changed";
        out.paragraphs = {"Your account at " + here.name + " now has the address " + to + ". " +
                          origin(facts)};
    } else {
        out.subject = "Your e-mail address is about to change";
        out.paragraphs = {"Somebody who is signed in to your account at " + here.name +
                          " wants to change its address to " + to + ". " + origin(facts)};
    }
    out.paragraphs.emplace_back(not_me);
    return out;
}

} // namespace

letter write_letter(kind what, const json::object& facts, const site& here, std::string_view token)
{
    letter out;
    switch (what) {
    case kind::verify:
        out.subject = "Confirm your e-mail address";
        out.paragraphs = {"Please confirm that this address is yours, to use it at " + here.name + "."};
        out.link = link_to(here, "verify", token);
        out.link_label = "Confirm the address";
        out.ending = validity(facts) + " " + std::string(ignore);
        break;
    case kind::reset:
        out.subject = "Reset your password";
        out.paragraphs = {"Somebody, hopefully you, asked for a new password for your account at " +
                          here.name + "."};
        out.link = link_to(here, "reset", token);
        out.link_label = "Choose a new password";
        out.ending = validity(facts) + " " + std::string(ignore);
        break;
    case kind::address_taken:
        out.subject = "You already have an account";
        out.paragraphs = {
            "Somebody tried to use this address for an account at " + here.name +
                ", but you have one already. " + origin(facts),
            "If it was you, sign in, or reset your password should you have forgotten it. If it was "
            "not, there is nothing to do: whoever it was has not been told that this address is "
            "known."};
        break;
    case kind::email_change:
        out.subject = "Confirm your new e-mail address";
        out.paragraphs = {"Please confirm that you want to use this address for your account at " +
                          here.name + "."};
        out.link = link_to(here, "email-change", token);
        out.link_label = "Use this address";
        out.ending = validity(facts) + " " + std::string(ignore);
        break;
    case kind::email_change_notice:
        return address_changed(facts, here);
    case kind::password_changed:
        return password_changed(facts, here);
    case kind::new_sign_in:
        out.subject = "New sign-in to your account";
        out.paragraphs = {"There was a sign-in to your account at " + here.name +
                              " from a device that we have not seen before. " + origin(facts),
                          std::string(not_me)};
        break;
    case kind::key_minted:
        out.subject = "A new API key was made";
        out.paragraphs = {"The API key " + key_name(facts) + " was made with your account at " + here.name +
                              ". " + origin(facts),
                          std::string(not_me)};
        break;
    case kind::key_reported:
        out.subject = "An API key of yours was revoked";
        out.paragraphs = {"Somebody found the API key " + key_name(facts) + " of your account at " +
                              here.name + " and reported it as leaked, so it has been revoked. " +
                              origin(facts),
                          "Make a new one for what used it, and look for how it came out."};
        break;
    case kind::invite:
    case kind::invite_again:
        out.subject = what == kind::invite ? "You are invited to " + workspace_in(facts)
                                           : "Reminder: you are invited to " + workspace_in(facts);
        out.paragraphs = {person_in(facts) + " invites you to join " + workspace_in(facts) + " at " +
                          here.name + "."};
        out.link = link_to(here, "invite", token);
        out.link_label = "See the invitation";
        out.ending = validity(facts) + " " +
                     (what == kind::invite ? std::string(ignore)
                                           : std::string("It takes the place of the one you got before."));
        break;
    case kind::approval_asked:
        out.subject = person_in(facts) + " asks to join " + workspace_in(facts);
        out.paragraphs = {person_in(facts) + " has signed up and asks to join " + workspace_in(facts) +
                          " at " + here.name + ". An admin can approve or refuse it."};
        break;
    case kind::approval_given:
        out.subject = "Welcome to " + workspace_in(facts);
        out.paragraphs = {"You are now a member of " + workspace_in(facts) + " at " + here.name + "."};
        break;
    case kind::approval_refused:
        out.subject = "Your request to join " + workspace_in(facts);
        out.paragraphs = {"An admin of " + workspace_in(facts) + " at " + here.name +
                          " has not accepted your request to join."};
        break;
    }
    return out;
}

namespace {

std::string greeting(const std::optional<std::string>& name)
{
    return name ? "Hello " + unlinked(*name) + "," : std::string("Hello,");
}

constexpr std::string_view stop_text = "No more mails of this kind: ";

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
    return out.append(name)
        .append(attributes)
        .append(">")
        .append(content)
        .append("</")
        .append(name)
        .append(">\n");
}

} // namespace

std::string as_text(const letter& what, const std::optional<std::string>& name, std::string_view to_stop)
{
    std::string out = greeting(name) + "\n\n";
    for (std::size_t i = 0; i < what.paragraphs.size(); ++i) {
        out += what.paragraphs[i] + "\n\n";
        if (i > 0 || what.list.empty())
            continue;
        for (auto& item : what.list)
            out += "- " + item + "\n";
        out += "\n";
    }
    if (!what.link.empty())
        out += what.link_label + ":\n" + what.link + "\n\n";
    if (!what.ending.empty())
        out += what.ending + "\n";
    if (!to_stop.empty())
        out.append("\n").append(stop_text).append(to_stop).append("\n");
    return out;
}

std::string as_html(const letter& what, const std::optional<std::string>& name, std::string_view to_stop)
{
    auto body = element("p", escape(greeting(name)));
    for (std::size_t i = 0; i < what.paragraphs.size(); ++i) {
        body += element("p", escape(what.paragraphs[i]));
        if (i > 0 || what.list.empty())
            continue;
        std::string items;
        for (auto& item : what.list)
            items += element("li", escape(item));
        body += element("ul", "\n" + items);
    }
    if (!what.link.empty()) {
        auto href = " href=\"" + escape(what.link) + "\"";
        constexpr std::string_view button =
            " style=\"display:inline-block;padding:.6em 1.2em;border-radius:.3em;"
            "background:#1a4d8f;color:#fff;text-decoration:none\"";
        body += element("p", element("a", escape(what.link_label), href + std::string(button)));
        body += element("p", "Or open " + element("a", escape(what.link), href), " style=\"font-size:.9em\"");
    }
    constexpr std::string_view small = " style=\"font-size:.9em;color:#555\"";
    if (!what.ending.empty())
        body += element("p", escape(what.ending), small);
    if (!to_stop.empty())
        body += element("p", element("a", "No more mails of this kind", " href=\"" + escape(to_stop) + "\""),
                        small);
    return "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n" +
           element("title", escape(what.subject)) +
           "<body style=\"font:16px/1.5 sans-serif;max-width:36em;margin:1em auto;padding:0 1em\">\n" + body +
           "</body>\n</html>\n";
}

} // namespace server
