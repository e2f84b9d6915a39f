#include "handlers/oidc/https_client.hpp"

#include "handlers/access/text.hpp"
#include "handlers/http/message.hpp"
#include "handlers/oidc/system_authorities.hpp"

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

/// The parts of a URL.
struct target_url {
    bool encrypted;
    /// A name or an address, without brackets.
    std::string host;
    std::uint16_t port;
    /// As in the Host header.
    std::string authority;
    /// With the query; may contain secrets.
    std::string path;

    std::string origin() const { return (encrypted ? "https://" : "http://") + authority; }
};

bool is_plain_host(std::string_view host)
{
    return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '.';
    });
}

std::optional<target_url> parse_target(std::string_view text)
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

    target_url out;
    out.encrypted = url.scheme_id() == urls::scheme::https;
    out.host = url.host_address();
    out.port = out.encrypted ? 443 : 80;
    if (is_name && !is_plain_host(std::string_view(url.encoded_host()))) // an escape could hide another name
        return std::nullopt;
    if (!url.port().empty()) {
        out.port = url.port_number();
        if (out.port == 0) // also the value of one out of range
            return std::nullopt;
    }
    out.authority = std::string(url.encoded_host_and_port());
    out.path = std::string(url.encoded_path());
    if (out.path.empty())
        out.path = "/";
    if (!out.path.starts_with('/')) // the parser accepts "https://host:x/" with the path "x/"
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
        auto [end, error] = std::from_chars(directive.data(), directive.data() + directive.size(), seconds);
        if (error == std::errc() && end == directive.data() + directive.size())
            out = std::chrono::seconds(seconds);
    }
    return out;
}

/// One request and its response. A body without a length ends with the connection; over TLS this requires
/// close_notify (RFC 9112, section 9.8), else reading fails.
template <class Stream>
db::awaitable<http_response> exchange(Stream& stream, const message& request,
                                      const https_client::config& limits)
{
    co_await http::async_write(stream, request, db::use_awaitable);
    beast::flat_buffer buffer(limits.header_limit + limits.body_limit);
    http::response_parser<http::string_body> parser;
    parser.header_limit(static_cast<std::uint32_t>(limits.header_limit));
    parser.body_limit(limits.body_limit);
    co_await http::async_read(stream, buffer, parser, db::use_awaitable);
    auto& response = parser.get();
    if (response.result_int() < 200)
        throw std::runtime_error("an interim response instead of a final one");
    http_response out;
    out.status = response.result_int();
    out.max_age = max_age_of(response[http::field::cache_control]);
    out.body = std::move(response.body());
    co_return out;
}

void set_host_name(tls_stream& stream, const std::string& host)
{
    boost::system::error_code no_address;
    asio::ip::make_address(host, no_address);
    // Server Name Indication is for names alone (RFC 6066, section 3).
    if (no_address && SSL_set_tlsext_host_name(stream.native_handle(), host.c_str()) != 1)
        throw std::runtime_error("no memory for TLS");
    stream.set_verify_callback(ssl::host_name_verification(host));
}

db::awaitable<void> start_tls(tls_stream& stream)
{
    try {
        co_await stream.async_handshake(ssl::stream_base::client, db::use_awaitable);
    } catch (const boost::system::system_error& e) {
        if (e.code().category() != asio::error::get_ssl_category())
            throw;
        auto status = SSL_get_verify_result(stream.native_handle());
        if (status == X509_V_OK)
            throw;
        throw std::runtime_error(e.code().message() + ": " + X509_verify_cert_error_string(status));
    }
}

ssl::context make_tls_context(const std::string& ca_file)
{
    ssl::context out(ssl::context::tls_client);
    SSL_CTX_set_min_proto_version(out.native_handle(), TLS1_2_VERSION);
    out.set_verify_mode(ssl::verify_peer);
    if (ca_file.empty())
        trust_system_authorities(out.native_handle());
    else
        out.load_verify_file(ca_file);
    return out;
}

} // namespace

struct https_client::shared {
    shared(db::executor on, config with)
        : executor(on), settings(std::move(with)), tls(make_tls_context(settings.ca_file))
    {}

    const db::executor executor;
    const config settings;
    ssl::context tls;
    /// Null once the client is destroyed.
    std::unique_ptr<db::dns_resolver> resolver;
    std::size_t in_flight = 0;
};

struct https_client::request_data {
    http::verb method;
    std::string body, authorization;

    request_data(http::verb verb, std::string form, std::string credential)
        : method(verb), body(std::move(form)), authorization(std::move(credential))
    {}
};

https_client::https_client(db::executor executor, config settings)
    : shared_(std::make_shared<shared>(executor, std::move(settings)))
{
    auto& config = shared_->settings;
    db::dns_resolver::config names;
    names.resolve = config.resolve;
    names.max_names = config.max_calls;
    shared_->resolver = std::make_unique<db::dns_resolver>(std::move(names));
}

https_client::~https_client()
{
    shared_->resolver.reset();
}

db::awaitable<http_response> https_client::call(std::shared_ptr<shared> state, std::string url,
                                                request_data data)
{
    // Check the URL and the number of calls.
    auto target = parse_target(url);
    if (!target)
        throw https_failure("not the URL of an HTTP server");
    auto failure = [&target](std::string_view why) {
        return https_failure(target->origin() + ": " + std::string(why));
    };
    if (!target->encrypted && !is_loopback_host(target->host))
        throw failure("only loopback may be called without TLS");
    if (state->in_flight == state->settings.max_calls || !state->resolver)
        throw failure("too many calls in flight");

    ++state->in_flight;
    auto end_call = [](shared* from) { --from->in_flight; };
    const std::unique_ptr<shared, decltype(end_call)> counted(state.get(), end_call);
    auto deadline = steady_clock::now() + state->settings.deadline;
    try {
        // Resolve the name.
        auto addresses = co_await state->resolver->resolve(target->host, deadline);
        if (!target->encrypted)
            std::erase_if(addresses, [](const asio::ip::address& each) { return !each.is_loopback(); });
        std::vector<tcp::endpoint> endpoints;
        endpoints.reserve(addresses.size());
        for (auto& address : addresses)
            endpoints.emplace_back(address, target->port);

        // Build the request.
        message request(data.method, target->path, 11, std::move(data.body));
        request.set(http::field::host, target->authority);
        request.set(http::field::user_agent, "latchkey");
        request.set(http::field::accept, "application/json");
        request.set(http::field::connection, "close");
        if (!data.authorization.empty())
            request.set(http::field::authorization, data.authorization);
        if (data.method == http::verb::post) {
            request.set(http::field::content_type, "application/x-www-form-urlencoded");
            request.prepare_payload();
        }

        // Connect, and exchange it for the response.
        tls_stream stream(tcp_stream(state->executor), state->tls);
        auto& socket = stream.next_layer();
        socket.expires_at(deadline); // of every operation below, TLS included
        co_await socket.async_connect(endpoints, db::use_awaitable);
        socket.socket().set_option(tcp::no_delay(true));
        if (target->encrypted) {
            set_host_name(stream, target->host);
            co_await start_tls(stream);
            co_return co_await exchange(stream, request, state->settings);
        }
        co_return co_await exchange(socket, request, state->settings);
    } catch (const boost::system::system_error& e) {
        throw failure(e.code() == beast::error::timeout ? "timed out" : e.code().message());
    } catch (const std::exception& e) {
        throw failure(e.what());
    }
}

db::awaitable<http_response> https_client::get(std::string url)
{
    return call(shared_, std::move(url), request_data(http::verb::get, {}, {}));
}

db::awaitable<http_response> https_client::post_form(std::string url, form_fields form,
                                                     std::string authorization)
{
    return call(shared_, std::move(url),
                request_data(http::verb::post, encode_form(form), std::move(authorization)));
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
    auto target = parse_target(url);
    if (!target)
        return std::nullopt;
    bool is_loopback = is_loopback_host(target->host);
    if (!target->encrypted && !is_loopback)
        return std::nullopt;
    return is_loopback;
}

} // namespace handlers
