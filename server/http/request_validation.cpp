#include "server/http/request_validation.hpp"

#include "handlers/access/text.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/url/grammar/alnum_chars.hpp>
#include <boost/url/grammar/lut_chars.hpp>

#include <algorithm>
#include <ranges>

namespace server {

namespace http = boost::beast::http;
namespace urls = boost::urls;

namespace {

/** `host[:port]` without user information, in the characters that RFC 3986 allows in a reg-name or an IP
    literal. */
bool is_host(std::string_view text)
{
    static constexpr auto allowed = urls::grammar::lut_chars(urls::grammar::alnum_chars) +
                                    urls::grammar::lut_chars("-._~%!$&'()*+,;=:[]");
    return !text.empty() && handlers::is_only_of(text, allowed);
}

/// The authority of an absolute-form target, or nothing if the target has another form.
std::optional<std::string_view> authority_of(std::string_view text)
{
    for (std::string_view scheme : {"http://", "https://"}) {
        if (text.size() < scheme.size() || !boost::beast::iequals(text.substr(0, scheme.size()), scheme))
            continue;
        text.remove_prefix(scheme.size());
        return text.substr(0, text.find_first_of("/?"));
    }
    return std::nullopt;
}

std::optional<std::string_view> validate_target(const handlers::request_head& head, std::string_view host)
{
    auto text = head.target();
    if (text.find('#') != std::string_view::npos)
        return "A request target must not have a fragment.";
    if (text.starts_with('/'))
        return std::nullopt;
    if (text == "*" && head.method() == http::verb::options)
        return std::nullopt;
    auto authority = authority_of(text);
    if (!authority)
        return "The request target must be a path or an http URL.";
    if (!boost::beast::iequals(*authority, host))
        return "The request target and the Host header name different hosts.";
    return std::nullopt;
}

} // namespace

std::optional<std::string_view> validate_header(const request_parser& parsed)
{
    if (parsed.has_folded_line())
        return "Header lines must not be folded.";

    auto& head = parsed.head();
    auto hosts = head.lines(http::field::host);
    auto count = std::ranges::distance(hosts);
    if (count > 1 || (count == 0 && head.version() == 11))
        return "There must be exactly one Host header.";
    auto host = count == 1 ? hosts.front() : std::string_view();
    if (count == 1 && !is_host(host))
        return "The Host header is malformed.";

    auto codings = head.lines(http::field::transfer_encoding);
    if (!codings.empty()) {
        if (head.version() != 11)
            return "Transfer-Encoding needs HTTP/1.1.";
        if (std::ranges::distance(codings) != 1 || !boost::beast::iequals(codings.front(), "chunked"))
            return "The only supported Transfer-Encoding is chunked.";
    }
    return validate_target(head, host);
}

target split_target(std::string_view text)
{
    if (auto authority = authority_of(text))
        text.remove_prefix(static_cast<std::size_t>(authority->data() + authority->size() - text.data()));
    auto mark = text.find('?');
    target out{text.substr(0, mark), {}};
    if (mark != std::string_view::npos)
        out.query = text.substr(mark + 1);
    if (out.path.empty())
        out.path = "/";
    return out;
}

} // namespace server
