#include "tests/support/third_party.hpp"

#include "tests/support/eventually.hpp"
#include "tests/support/http.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_from.hpp>
#include <boost/json/value_to.hpp>

#include <unistd.h>

#include <algorithm>
#include <stdexcept>

namespace support {

namespace json = boost::json;

namespace {

template <class T>
T member(const json::object& object, std::string_view name)
{
    return json::value_to<T>(object.at(name));
}

/** Where the third_party_server says null, an empty text. */
std::string text(const json::object& object, std::string_view name)
{
    return object.at(name).is_null() ? "" : member<std::string>(object, name);
}

json::object describe(const mail_server_options& options)
{
    json::object out{{"implicit", options.implicit_tls},
                     {"refuse", json::value_from(options.refuse)},
                     {"grey", json::value_from(options.grey)},
                     {"reject", options.reject},
                     {"stall", options.stall},
                     {"delay_ms", options.delay.count()},
                     {"latency_ms", options.latency.count()},
                     {"idle_ms", options.idle.count()}};
    if (options.tls) {
        out["key"] = options.tls->key();
        out["cert"] = options.tls->cert();
    }
    if (!options.user.empty()) {
        out["user"] = options.user;
        out["password"] = options.password;
    }
    return out;
}

name_and_address mailbox_in(const json::object& event, std::string_view name)
{
    auto& found = event.at(name).as_object();
    return {member<std::string>(found, "name"), member<std::string>(found, "address")};
}

received_email read_email(const json::object& event)
{
    received_email out;
    out.headers = member<std::map<std::string, std::string>>(event, "headers");
    out.to = out.headers["to"];
    out.sender = mailbox_in(event, "sender");
    out.reader = mailbox_in(event, "reader");
    out.connection = member<std::string>(event, "connection");
    out.subject = text(event, "subject");
    out.text = text(event, "text");
    out.html = text(event, "html");
    out.tls = member<bool>(event, "tls");
    if (!event.at("user").is_null())
        out.user = member<std::string>(event, "user");
    out.from = member<std::string>(event, "from");
    out.recipients = member<std::vector<std::string>>(event, "to");
    out.raw = member<std::string>(event, "raw");
    out.at = std::chrono::system_clock::time_point(
        std::chrono::milliseconds(member<std::int64_t>(event, "at_ms")));
    return out;
}

/// A request to the control server. @throw runtime_error with its error message
std::string call_control(std::uint16_t port, http::verb method, std::string_view path, std::string body)
{
    auto answer = http_client(port).send(method, path, std::move(body), {});
    if (answer.status != 200)
        throw std::runtime_error(std::string(path) + ": " + answer.body);
    return answer.body;
}

} // namespace

third_party_server::third_party_server(const std::string& name, const json::object& options)
    : process_({LATCHKEY_SOURCE_DIR "/scripts/test-server", name, json::serialize(options)}, {},
               STDOUT_FILENO)
{
    // Long enough to fetch the packages first.
    eventually(std::chrono::seconds(120), [this] { return !events().empty() || !process_.is_running(); });
    auto all = events();
    if (all.empty())
        throw std::runtime_error("the third-party server does not start: " + name);
    start_ = all.front();
}

std::vector<json::object> third_party_server::events() const
{
    std::vector<json::object> out;
    auto output = process_.output();
    std::string_view rest = output;
    for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
        out.push_back(json::parse(rest.substr(0, end)).as_object());
        rest.remove_prefix(end + 1);
    }
    return out;
}

mail_server::mail_server(const mail_server_options& options) : process_("smtp", describe(options)) {}

std::uint16_t mail_server::port() const
{
    return member<std::uint16_t>(process_.start(), "port");
}

std::vector<received_email> mail_server::emails() const
{
    std::vector<received_email> out;
    for (auto& event : process_.events())
        if (auto received = event.if_contains("mail"))
            out.push_back(read_email(received->as_object()));
    return out;
}

received_email mail_server::wait_for(const std::function<bool(const received_email&)>& is_meant,
                                     std::chrono::milliseconds limit)
{
    std::optional<received_email> out;
    eventually(limit, [&] {
        auto all = emails();
        returned_.resize(all.size());
        for (std::size_t i = 0; i < all.size(); ++i)
            if (!returned_[i] && is_meant(all[i])) {
                returned_[i] = true;
                out = std::move(all[i]);
                return true;
            }
        return false;
    });
    if (!out)
        throw std::runtime_error("no such email arrived, of " + std::to_string(count()));
    return std::move(*out);
}

received_email mail_server::wait_for(std::string_view recipient, std::string_view subject,
                                     std::chrono::milliseconds limit)
{
    auto is_meant = [&](const received_email& one) {
        return std::ranges::find(one.recipients, recipient) != one.recipients.end() &&
               one.subject.find(subject) != one.subject.npos;
    };
    return wait_for(is_meant, limit);
}

oidc_issuer::oidc_issuer(const certificate& tls)
    : process_("oidc", {{"key", tls.key()}, {"cert", tls.cert()}}),
      issuer_(member<std::string>(process_.start(), "issuer")),
      control_(member<std::uint16_t>(process_.start(), "control"))
{}

void oidc_issuer::set(const json::object& settings) const
{
    call_control(control_, http::verb::post, "/set", json::serialize(settings));
}

void oidc_issuer::reset() const
{
    call_control(control_, http::verb::post, "/reset", {});
}

json::object oidc_issuer::log() const
{
    return json::parse(call_control(control_, http::verb::get, "/log", {})).as_object();
}

std::int64_t oidc_issuer::hits(std::string_view endpoint) const
{
    return member<std::int64_t>(log().at("hits").as_object(), endpoint);
}

} // namespace support
