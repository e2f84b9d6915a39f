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

/** Where the peer says null, an empty text. */
std::string text(const json::object& object, std::string_view name)
{
    return object.at(name).is_null() ? "" : member<std::string>(object, name);
}

json::object describe(const mail_options& options)
{
    json::object out{{"implicit", options.implicit_tls},
                     {"refuse", json::value_from(options.refuse)},
                     {"grey", json::value_from(options.grey)},
                     {"reject", options.reject},
                     {"stall", options.stall},
                     {"delay_ms", options.delay.count()},
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

name_and_address mailbox_in(const json::object& fact, std::string_view name)
{
    auto& found = fact.at(name).as_object();
    return {member<std::string>(found, "name"), member<std::string>(found, "address")};
}

mail read_mail(const json::object& fact)
{
    mail out;
    out.headers = member<std::map<std::string, std::string>>(fact, "headers");
    out.to = out.headers["to"];
    out.sender = mailbox_in(fact, "sender");
    out.reader = mailbox_in(fact, "reader");
    out.connection = member<std::string>(fact, "connection");
    out.subject = text(fact, "subject");
    out.text = text(fact, "text");
    out.html = text(fact, "html");
    out.tls = member<bool>(fact, "tls");
    if (!fact.at("user").is_null())
        out.user = member<std::string>(fact, "user");
    out.from = member<std::string>(fact, "from");
    out.recipients = member<std::vector<std::string>>(fact, "to");
    out.raw = member<std::string>(fact, "raw");
    return out;
}

/** Ask the control server, which answers 200 or says what is wrong. */
std::string ask(std::uint16_t port, http::verb method, std::string_view path, std::string body)
{
    auto answer = http_client(port).send(method, path, std::move(body), {});
    if (answer.status != 200)
        throw std::runtime_error(std::string(path) + ": " + answer.body);
    return answer.body;
}

} // namespace

peer::peer(const std::string& name, const json::object& options)
    : process_({LATCHKEY_SOURCE_DIR "/scripts/test-server", name, json::serialize(options)}, {},
               STDOUT_FILENO)
{
    // Long enough for the packages to be fetched, should nobody have done so before.
    eventually(std::chrono::seconds(120), [this] { return !facts().empty() || !process_.is_running(); });
    auto told = facts();
    if (told.empty())
        throw std::runtime_error("the peer does not start: " + name);
    start_ = told.front();
}

std::vector<json::object> peer::facts() const
{
    std::vector<json::object> out;
    auto told = process_.written();
    std::string_view rest = told;
    for (auto end = rest.find('\n'); end != rest.npos; end = rest.find('\n')) {
        out.push_back(json::parse(rest.substr(0, end)).as_object());
        rest.remove_prefix(end + 1);
    }
    return out;
}

mail_server::mail_server(const mail_options& options) : peer_("smtp", describe(options)) {}

std::uint16_t mail_server::port() const
{
    return member<std::uint16_t>(peer_.start(), "port");
}

std::vector<mail> mail_server::mails() const
{
    std::vector<mail> out;
    for (auto& fact : peer_.facts())
        if (auto told = fact.if_contains("mail"))
            out.push_back(read_mail(told->as_object()));
    return out;
}

mail mail_server::wait_for(const std::function<bool(const mail&)>& is_meant, std::chrono::milliseconds limit)
{
    std::optional<mail> out;
    eventually(limit, [&] {
        auto all = mails();
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
        throw std::runtime_error("no such mail came, of " + std::to_string(count()));
    return std::move(*out);
}

mail mail_server::wait_for(std::string_view recipient, std::string_view subject,
                           std::chrono::milliseconds limit)
{
    auto is_meant = [&](const mail& one) {
        return std::ranges::find(one.recipients, recipient) != one.recipients.end() &&
               one.subject.find(subject) != one.subject.npos;
    };
    return wait_for(is_meant, limit);
}

oidc_issuer::oidc_issuer(const certificate& tls)
    : peer_("oidc", {{"key", tls.key()}, {"cert", tls.cert()}}),
      issuer_(member<std::string>(peer_.start(), "issuer")),
      control_(member<std::uint16_t>(peer_.start(), "control"))
{}

void oidc_issuer::set(const json::object& settings) const
{
    ask(control_, http::verb::post, "/set", json::serialize(settings));
}

void oidc_issuer::reset() const
{
    ask(control_, http::verb::post, "/reset", {});
}

json::object oidc_issuer::log() const
{
    return json::parse(ask(control_, http::verb::get, "/log", {})).as_object();
}

std::int64_t oidc_issuer::hits(std::string_view endpoint) const
{
    return member<std::int64_t>(log().at("hits").as_object(), endpoint);
}

} // namespace support
