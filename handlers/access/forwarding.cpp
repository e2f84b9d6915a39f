#include "handlers/access/forwarding.hpp"

#include "handlers/access/text.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <utility>

namespace handlers {

namespace ip = boost::asio::ip;

namespace {

/// A port number, or an obfuscated one (RFC 7239, section 6).
bool is_port(std::string_view text)
{
    auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (!text.starts_with('_'))
        return !text.empty() && text.size() <= 5 && std::ranges::all_of(text, is_digit);
    return text.size() > 1 && std::ranges::all_of(text, [&](char c) {
               return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' ||
                      c == '_' || c == '-';
           });
}

/// Whether the quotation mark at `at` is escaped by a backslash.
bool is_escaped(std::string_view text, std::size_t at)
{
    std::size_t backslashes = 0;
    while (backslashes < at && text[at - backslashes - 1] == '\\')
        ++backslashes;
    return backslashes % 2 == 1;
}

/** Split the last of several parts off a text; quoted strings may contain the separator.
    @return nothing if a quoted string at the end has no beginning; the text is then empty */
std::optional<std::string_view> split_last(std::string_view& text, char separator)
{
    auto end = text.size();
    for (auto at = end; at > 0; --at) {
        if (text[at - 1] == separator) {
            auto part = text.substr(at);
            text = text.substr(0, at - 1);
            return part;
        }
        if (text[at - 1] != '"')
            continue;
        auto open = at - 1;
        do {
            open = open == 0 ? std::string_view::npos : text.rfind('"', open - 1);
        } while (open != std::string_view::npos && is_escaped(text, open));
        if (open == std::string_view::npos) {
            text = {};
            return std::nullopt;
        }
        at = open + 1;
    }
    return std::exchange(text, {});
}

/// The value of a parameter: a token, or a quoted string without its quotes and escapes.
std::optional<std::string> parse_value(std::string_view text)
{
    if (!text.starts_with('"'))
        return text.find_first_of(" \t\"\\") == std::string_view::npos ? std::optional<std::string>(text)
                                                                       : std::nullopt;
    std::string out;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"')
            return i + 1 == text.size() ? std::optional(std::move(out)) : std::nullopt;
        if (text[i] == '\\' && ++i == text.size())
            break;
        out.push_back(text[i]);
    }
    return std::nullopt;
}

/// The address of the `for` parameter of one element of `Forwarded`.
std::optional<ip::address> parse_forwarded_element(std::string_view element)
{
    std::optional<std::string> node;
    while (!element.empty()) {
        auto pair = split_last(element, ';');
        auto equals = pair ? pair->find('=') : std::string_view::npos;
        if (equals == std::string_view::npos)
            return std::nullopt;
        if (!boost::beast::iequals(trim(pair->substr(0, equals)), "for"))
            continue;
        if (node) // may occur once
            return std::nullopt;
        node = parse_value(trim(pair->substr(equals + 1)));
        if (!node)
            return std::nullopt;
    }
    return node ? parse_node(*node) : std::nullopt;
}

/// Reads the last element of a header and removes it.
using element_reader = std::optional<ip::address> (*)(std::string_view& header);

std::optional<ip::address> read_x_forwarded_for(std::string_view& header)
{
    auto comma = header.rfind(',');
    auto last = comma == std::string_view::npos ? header : header.substr(comma + 1);
    header = comma == std::string_view::npos ? std::string_view() : header.substr(0, comma);
    return parse_node(trim(last));
}

std::optional<ip::address> read_forwarded(std::string_view& header)
{
    auto last = split_last(header, ',');
    return last ? parse_forwarded_element(*last) : std::nullopt;
}

/// Follow a header from the right while its elements are trusted proxies.
located_client follow(const ip::address& peer, std::string_view header,
                      std::span<const address_range> trusted, element_reader read_last)
{
    located_client out{peer};
    while (!header.empty() && is_in(trusted, out.address)) {
        auto next = read_last(header);
        if (!next) {
            out.fault = forwarding_fault::unreadable;
            break;
        }
        out.address = *next;
    }
    return out;
}

} // namespace

std::optional<ip::address> parse_node(std::string_view text)
{
    std::string_view host = text;
    bool has_brackets = text.starts_with('[');
    if (has_brackets) {
        auto close = text.find(']');
        if (close == std::string_view::npos)
            return std::nullopt;
        host = text.substr(1, close - 1);
        text.remove_prefix(close + 1);
        if (!text.empty() && !(text.starts_with(':') && is_port(text.substr(1))))
            return std::nullopt;
    } else if (auto colon = text.find(':');
               colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos) {
        // One colon separates a port: an IPv6 address has two at least.
        host = text.substr(0, colon);
        if (!is_port(text.substr(colon + 1)))
            return std::nullopt;
    }
    if (host.find('%') != std::string_view::npos)
        return std::nullopt;
    boost::system::error_code error;
    auto address = ip::make_address(std::string(host), error);
    if (error || (has_brackets && address.is_v4()))
        return std::nullopt;
    return plain(address);
}

located_client locate_client(const ip::address& peer, const forwarding_headers& headers,
                             std::span<const address_range> trusted)
{
    auto client = plain(peer);
    if (headers.x_forwarded_for.empty() && headers.forwarded.empty())
        return {client};
    if (!is_in(trusted, client))
        return {client, forwarding_fault::untrusted_peer};
    if (headers.x_forwarded_for.empty())
        return follow(client, headers.forwarded, trusted, &read_forwarded);
    auto out = follow(client, headers.x_forwarded_for, trusted, &read_x_forwarded_for);
    if (out.fault == forwarding_fault::none && !headers.forwarded.empty()) {
        auto other = follow(client, headers.forwarded, trusted, &read_forwarded);
        if (other.address != out.address)
            return {client, forwarding_fault::contradiction};
    }
    return out;
}

} // namespace handlers
