#include "handlers/oidc/https_client.hpp"

#include "handlers/http/message.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/ssl/host_name_verification.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/error.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>
#include <boost/url/url_view.hpp>

#include <openssl/ssl.h>

#include <algorithm>
#include <charconv>

namespace handlers {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace ssl = asio::ssl;
namespace urls = boost::urls;
using asio::ip::tcp;
using std::chrono::steady_clock;

namespace {

using tcp_stream = beast::basic_stream<tcp, db::executor>;
using tls_stream = ssl::stream<tcp_stream>;
using message = http::request<http::string_body>;

/** Where a URL leads to. */
struct place {
    bool encrypted;
    std::string host; // a name or an address, without brackets
    std::uint16_t port;
    std::string authority; // as the Host header has it
    std::string path;      // with the query; has secrets, perhaps

    std::string origin() const { return (encrypted ? "https://" : "http://") + authority; }
};

bool is_plain_host(std::string_view host)
{
    return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '.';
    });
}

std::optional<place> parse_place(std::string_view text)
{
    auto parsed = urls::parse_uri(text);
    if (!parsed)
        return std::nullopt;
    auto& url = *parsed;
    bool is_known = url.scheme_id() == urls::scheme::https || url.scheme_id() == urls::scheme::http;
    bool is_name = url.host_type() == urls::host_type::name || url.host_type() == urls::host_type::ipv4;
    bool is_address = url.host_type() == urls::host_type::ipv6;
    if (!is_known || url.has_userinfo() || url.has_fragment() || !(is_name || is_address))
        return std::nullopt;

    place out;
    out.encrypted = url.scheme_id() == urls::scheme::https;
    out.host = url.host_address();
    out.port = out.encrypted ? 443 : 80;
    if (is_name && !is_plain_host(std::string_view(url.encoded_host()))) // an escape would hide another name
        return std::nullopt;
    if (!url.port().empty()) {
        out.port = url.port_number();
        if (out.port == 0) // as one that is too large is told
            return std::nullopt;
    }
    out.authority = std::string(url.encoded_host_and_port());
    out.path = std::string(url.encoded_path());
    if (out.path.empty())
        out.path = "/";
    if (!out.path.starts_with('/')) // the parser lets "https://host:x/" through, with the path "x/"
        return std::nullopt;
    if (url.has_query())
        out.path.append("?").append(url.encoded_query());
    return out;
}

std::optional<std::chrono::seconds> max_age_of(std::string_view cache_control)
{
    constexpr std::string_view name = "max-age=";
    std::optional<std::chrono::seconds> out;
    while (!cache_control.empty()) {
        auto directive = trim(cache_control.substr(0, cache_control.find(',')));
        cache_control.remove_prefix(std::min(cache_control.size(), cache_control.find(',')));
        cache_control.remove_prefix(cache_control.empty() ? 0 : 1);
        if (beast::iequals(directive, "no-store") || beast::iequals(directive, "no-cache"))
            return std::chrono::seconds(0);
        if (!beast::iequals(directive.substr(0, name.size()), name))
            continue;
        directive.remove_prefix(name.size());
        std::uint32_t seconds = 0;
        auto [end, fault] = std::from_chars(directive.data(), directive.data() + directive.size(), seconds);
        if (fault == std::errc() && end == directive.data() + directive.size())
            out = std::chrono::seconds(seconds);
    }
    return out;
}

/** One request and its answer. A body without a length ends with the connection: over TLS only if the server
    said so (RFC 9112, section 9.8), else the reading fails. */
template <class Stream>
db::awaitable<http_answer> exchange(Stream& stream, const message& request,
                                    const https_client::config& limits)
{
    co_await http::async_write(stream, request, db::use_awaitable);
    beast::flat_buffer buffer(limits.header_limit + limits.body_limit);
    http::response_parser<http::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(limits.header_limit));
    parser.body_limit(limits.body_limit);
    co_await http::async_read(stream, buffer, parser, db::use_awaitable);
    auto& heard = parser.get();
    if (heard.result_int() < 200)
        throw std::runtime_error("an interim answer instead of an answer");
    http_answer out;
    out.status = heard.result_int();
    out.max_age = max_age_of(heard[http::field::cache_control]);
    out.body = std::move(heard.body());
    co_return out;
}

void prepare(tls_stream& stream, const std::string& host)
{
    boost::system::error_code no_address;
    asio::ip::make_address(host, no_address);
    // Server Name Indication is for names alone (RFC 6066, section 3).
    if (no_address && SSL_set_tlsext_host_name(stream.native_handle(), host.c_str()) != 1)
        throw std::runtime_error("no memory for TLS");
    stream.set_verify_callback(ssl::host_name_verification(host));
}

db::awaitable<void> shake_hands(tls_stream& stream)
{
    try {
        co_await stream.async_handshake(ssl::stream_base::client, db::use_awaitable);
    } catch (const boost::system::system_error& e) {
        if (e.code().category() != asio::error::get_ssl_category())
            throw;
        auto verdict = SSL_get_verify_result(stream.native_handle());
        if (verdict == X509_V_OK)
            throw;
        throw std::runtime_error(e.code().message() + ": " + X509_verify_cert_error_string(verdict));
    }
}

ssl::context make_tls(const std::string& ca_file)
{
    ssl::context out(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(out.native_handle(), TLS1_2_VERSION);
    out.set_verify_mode(ssl::verify_peer);
    if (ca_file.empty())
        out.set_default_verify_paths();
    else
        out.load_verify_file(ca_file);
    return out;
}

} // namespace

struct https_client::shared {
    shared(db::executor place, config with)
        : where(place), settings(std::move(with)), tls(make_tls(settings.ca_file))
    {}

    const db::executor where;
    const config settings;
    ssl::context tls;
    std::unique_ptr<name_lookup> names; // null once the client is gone
    std::size_t under_way = 0;
};

struct https_client::outgoing {
    http::verb method;
    std::string body, authorization;

    outgoing(http::verb verb, std::string form, std::string credential)
        : method(verb), body(std::move(form)), authorization(std::move(credential))
    {}
};

https_client::https_client(db::executor where, config settings)
    : shared_(std::make_shared<shared>(where, std::move(settings)))
{
    auto& with = shared_->settings;
    shared_->names = std::make_unique<name_lookup>(where, with.resolve, with.calls);
}

https_client::~https_client()
{
    shared_->names.reset();
}

db::awaitable<http_answer> https_client::call(std::shared_ptr<shared> all, std::string url, outgoing what)
{
    auto to = parse_place(url);
    if (!to)
        throw https_failure("not the URL of a server that can be called");
    auto refuse = [&to](std::string_view why) {
        return https_failure(to->origin() + ": " + std::string(why));
    };
    bool at_home = is_loopback_host(to->host);
    if (!to->encrypted && !at_home)
        throw refuse("without TLS only this machine itself is called");
    if (all->under_way == all->settings.calls || !all->names)
        throw refuse("too many calls are under way");

    ++all->under_way;
    auto leave = [](shared* from) { --from->under_way; };
    const std::unique_ptr<shared, decltype(leave)> entered(all.get(), leave);
    auto until = steady_clock::now() + all->settings.deadline;
    try {
        auto found = co_await all->names->find(to->host, until);
        if (!to->encrypted)
            std::erase_if(found, [](const asio::ip::address& each) { return !each.is_loopback(); });
        std::vector<tcp::endpoint> places;
        places.reserve(found.size());
        for (auto& each : found)
            places.emplace_back(each, to->port);

        message request(what.method, to->path, 11, std::move(what.body));
        request.set(http::field::host, to->authority);
        request.set(http::field::user_agent, "latchkey");
        request.set(http::field::accept, "application/json");
        request.set(http::field::connection, "close");
        if (!what.authorization.empty())
            request.set(http::field::authorization, what.authorization);
        if (what.method == http::verb::post) {
            request.set(http::field::content_type, "application/x-www-form-urlencoded");
            request.prepare_payload();
        }

        tls_stream stream(tcp_stream(all->where), all->tls);
        auto& bottom = stream.next_layer();
        bottom.expires_at(until); // for each operation from here on, TLS's own included
        co_await bottom.async_connect(places, db::use_awaitable);
        bottom.socket().set_option(tcp::no_delay(true));
        if (to->encrypted) {
            prepare(stream, to->host);
            co_await shake_hands(stream);
            co_return co_await exchange(stream, request, all->settings);
        }
        co_return co_await exchange(bottom, request, all->settings);
    } catch (const boost::system::system_error& e) {
        throw refuse(e.code() == beast::error::timeout ? "no whole answer in time" : e.code().message());
    } catch (const std::exception& e) {
        throw refuse(e.what());
    }
}

db::awaitable<http_answer> https_client::get(std::string url)
{
    return call(shared_, std::move(url), outgoing(http::verb::get, {}, {}));
}

db::awaitable<http_answer> https_client::post_form(std::string url, form_fields form,
                                                   std::string authorization)
{
    return call(shared_, std::move(url),
                outgoing(http::verb::post, encode_form(form), std::move(authorization)));
}

std::string encode_form(std::string_view text)
{
    return urls::encode(text, urls::unreserved_chars);
}

std::string encode_form(const form_fields& fields)
{
    std::string out;
    for (auto& [name, value] : fields) {
        if (!out.empty())
            out += '&';
        out.append(encode_form(name)).append("=").append(encode_form(value));
    }
    return out;
}

bool is_loopback_host(std::string_view host)
{
    boost::system::error_code error;
    auto address = asio::ip::make_address(std::string(host), error);
    return error ? beast::iequals(host, "localhost") : address.is_loopback();
}

std::optional<bool> is_loopback_url(std::string_view url)
{
    auto where = parse_place(url);
    if (!where)
        return std::nullopt;
    bool at_home = is_loopback_host(where->host);
    if (!where->encrypted && !at_home)
        return std::nullopt;
    return at_home;
}

} // namespace handlers
