#include "handlers/html/html.hpp"

#include <boost/url/parse.hpp>

#include <algorithm>
#include <stdexcept>

namespace handlers::html {

/// The only maker of fragments.
class markup_access {
public:
    static fragment make(std::string markup) { return fragment(std::move(markup)); }
    static const std::string& markup_of(const attribute& one) { return one.markup_; }
};

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";

/// The size in bytes of the UTF-8 character at the front; 0 if it is not well-formed (Unicode, table 3-7).
std::size_t character_size(std::string_view text)
{
    auto byte = [&text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    auto first = byte(0);
    if (first < 0x80)
        return 1;
    std::size_t size = first >= 0xc2 && first <= 0xdf   ? 2
                       : (first & 0xf0) == 0xe0         ? 3
                       : first >= 0xf0 && first <= 0xf4 ? 4
                                                        : 0;
    if (size == 0 || text.size() < size)
        return 0;
    unsigned char least = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char greatest = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;
    if (byte(1) < least || byte(1) > greatest)
        return 0;
    for (std::size_t i = 2; i < size; ++i)
        if ((byte(i) & 0xc0) != 0x80)
            return 0;
    return size;
}

void append_ascii(std::string& out, char c)
{
    switch (c) {
    case '&':
        out += "&amp;";
        return;
    case '<':
        out += "&lt;";
        return;
    case '>':
        out += "&gt;";
        return;
    case '"':
        out += "&quot;";
        return;
    case '\'':
        out += "&#39;";
        return;
    case '`': // ends an unquoted value in old browsers
        out += "&#96;";
        return;
    case '\t':
    case '\n':
    case '\r':
        out += c;
        return;
    default:
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            out += replacement;
        else
            out += c;
    }
}

void append_escaped(std::string& out, std::string_view text)
{
    out.reserve(out.size() + text.size());
    while (!text.empty()) {
        auto size = character_size(text);
        if (size == 0)
            out += replacement;
        else if (size == 1)
            append_ascii(out, text[0]);
        else if (size == 2 && text[0] == '\xc2' && static_cast<unsigned char>(text[1]) < 0xa0)
            out += replacement; // C1 controls
        else
            out.append(text.substr(0, size));
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
}

std::string named_value(std::string_view name, std::string_view value)
{
    std::string out(" ");
    out.append(name).append("=\"");
    append_escaped(out, value);
    out += '"';
    return out;
}

/// Elements without content and end tag (HTML, section 13.1.2).
bool is_void(std::string_view name)
{
    return detail::is_one_of(
        name, {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"});
}

bool is_url_character(char c)
{
    return c > 0x20 && c < 0x7f && c != '\\' && c != '"' && c != '\'' && c != '<' && c != '>' && c != '`';
}

} // namespace

fragment text(std::string_view content)
{
    std::string out;
    append_escaped(out, content);
    return markup_access::make(std::move(out));
}

std::optional<url> url::parse_site(std::string_view path)
{
    bool is_path = path.starts_with('/') && !path.starts_with("//");
    bool is_fragment = path.starts_with('#');
    if ((!is_path && !is_fragment) || !std::ranges::all_of(path, is_url_character))
        return std::nullopt;
    return url(std::string(path));
}

url url::site(std::string_view path)
{
    auto out = parse_site(path);
    if (!out)
        throw std::invalid_argument("not a path of this site");
    return std::move(*out);
}

std::optional<url> url::parse_https(std::string_view absolute)
{
    if (!absolute.starts_with("https://") || !std::ranges::all_of(absolute, is_url_character))
        return std::nullopt;
    auto parsed = boost::urls::parse_absolute_uri(absolute.substr(0, absolute.find('#')));
    if (!parsed || parsed->host().empty() || parsed->has_userinfo())
        return std::nullopt;
    return url(std::string(absolute));
}

attribute::attribute(text_attribute name, std::string_view value) : markup_(named_value(name.name(), value))
{}

attribute::attribute(text_attribute name, unless_empty value)
    : markup_(value.value.empty() ? std::string() : named_value(name.name(), value.value))
{}

attribute::attribute(url_attribute name, const url& value) : markup_(named_value(name.name(), value.text()))
{}

attribute::attribute(text_attribute name, flag is_present)
{
    if (is_present == flag::present)
        markup_.append(" ").append(name.name());
}

fragment detail::make_element(tag name, std::span<const attribute> with, const fragment& content)
{
    std::string out("<");
    out.append(name.name());
    for (auto& one : with)
        out.append(markup_access::markup_of(one));
    out += '>';
    if (!is_void(name.name()))
        out.append(content.markup()).append("</").append(name.name()).append(">");
    return markup_access::make(std::move(out));
}

fragment script_file(const url& source)
{
    return markup_access::make("<script type=\"module\"" + named_value("src", source.text()) + "></script>");
}

fragment classic_script_file(const url& source)
{
    return markup_access::make("<script defer" + named_value("src", source.text()) + "></script>");
}

fragment stylesheet(const url& source)
{
    return markup_access::make("<link rel=\"stylesheet\"" + named_value("href", source.text()) + ">");
}

fragment refresh(unsigned seconds, const url& target)
{
    return markup_access::make("<meta http-equiv=\"refresh\"" +
                               named_value("content", std::to_string(seconds) + ";url=" + target.text()) +
                               ">");
}

fragment meta(std::string_view name, std::string_view content)
{
    return markup_access::make("<meta" + named_value("name", name) + named_value("content", content) + ">");
}

fragment sentence(std::string_view format, std::initializer_list<fragment> parts)
{
    fragment out;
    for (;;) {
        auto open = format.find('{');
        bool is_placeholder = open != format.npos && open + 2 < format.size() && format[open + 2] == '}' &&
                              format[open + 1] >= '0' && format[open + 1] <= '9';
        auto index = is_placeholder ? static_cast<std::size_t>(format[open + 1] - '0') : parts.size();
        if (index < parts.size()) {
            out += text(format.substr(0, open));
            out += parts.begin()[index];
            format.remove_prefix(open + 3);
        } else if (open != format.npos) {
            out += text(format.substr(0, open + 1));
            format.remove_prefix(open + 1);
        } else {
            out += text(format);
            return out;
        }
    }
}

std::string document(std::string_view language, const fragment& head, const fragment& body)
{
    std::string out =
        "<!doctype html>\n<html" + named_value("lang", language) + ">\n<head><meta charset=\"utf-8\">";
    out.append(head.markup())
        .append("</head>\n<body>\n")
        .append(body.markup())
        .append("\n</body>\n</html>\n");
    return out;
}

} // namespace handlers::html
