#include "server/http/request_validation.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <cstring>
#include <iterator>

namespace server {

namespace http = boost::beast::http;

namespace {

/** Whether a line continues the one before it (obs-fold): deprecated, and interpreted differently by many
    servers. */
bool has_folded_line(std::string_view raw)
{
    for (auto at = raw.find('\n'); at != std::string_view::npos && at + 1 < raw.size();
         at = raw.find('\n', at + 1))
        if (raw[at + 1] == ' ' || raw[at + 1] == '\t')
            return true;
    return false;
}

/** `host[:port]` without user information, in the characters that RFC 3986 allows in a reg-name or an IP
    literal. */
bool is_host(std::string_view text)
{
    constexpr std::string_view punctuation = "-._~%!$&'()*+,;=:[]";
    return !text.empty() && std::ranges::all_of(text, [&](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               punctuation.find(c) != std::string_view::npos;
    });
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

std::optional<std::string_view> validate_target(const http::request_header<>& header, std::string_view host)
{
    std::string_view text = header.target();
    if (text.find('#') != std::string_view::npos)
        return "A request target must not have a fragment.";
    if (text.starts_with('/'))
        return std::nullopt;
    if (text == "*" && header.method() == http::verb::options)
        return std::nullopt;
    auto authority = authority_of(text);
    if (!authority)
        return "The request target must be a path or an http URL.";
    if (!boost::beast::iequals(*authority, host))
        return "The request target and the Host header name different hosts.";
    return std::nullopt;
}

} // namespace

std::optional<std::string_view> validate_header(const http::request_header<>& header, std::string_view raw)
{
    if (has_folded_line(raw))
        return "Header lines must not be folded.";

    auto [first, last] = header.equal_range(http::field::host);
    auto hosts = std::distance(first, last);
    if (hosts > 1 || (hosts == 0 && header.version() == 11))
        return "There must be exactly one Host header.";
    std::string_view host = hosts == 1 ? std::string_view(first->value()) : std::string_view();
    if (hosts == 1 && !is_host(host))
        return "The Host header is malformed.";

    auto [coding, end] = header.equal_range(http::field::transfer_encoding);
    if (coding != end) {
        if (header.version() != 11)
            return "Transfer-Encoding needs HTTP/1.1.";
        if (std::next(coding) != end || !boost::beast::iequals(coding->value(), "chunked"))
            return "The only supported Transfer-Encoding is chunked.";
    }
    return validate_target(header, host);
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
