#include "tests/support/email.hpp"

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/algorithm/string/predicate.hpp>
#include <boost/algorithm/string/replace.hpp>
#include <boost/algorithm/string/trim.hpp>

#include <openssl/evp.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <iterator>
#include <regex>
#include <stdexcept>
#include <vector>

namespace support {

namespace {

using headers = std::map<std::string, std::string>;

struct part {
    headers fields;
    std::string_view body;
};

/// Remove and return the next line, without its line end.
std::string_view next_line(std::string_view& rest)
{
    auto end = rest.find('\n');
    auto line = rest.substr(0, end);
    rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    return line;
}

part split(std::string_view message)
{
    part out;
    std::string* last = nullptr;
    while (!message.empty()) {
        auto line = next_line(message);
        if (line.empty())
            break;
        if (line.front() == ' ' || line.front() == '\t') {
            if (!last)
                throw std::runtime_error("a header begins with a continuation line");
            *last += line;
            continue;
        }
        auto colon = line.find(':');
        if (colon == line.npos)
            throw std::runtime_error("not a header: " + std::string(line));
        last = &out.fields[boost::to_lower_copy(std::string(line.substr(0, colon)))];
        *last = boost::trim_copy(std::string(line.substr(colon + 1)));
    }
    out.body = message;
    return out;
}

std::string field(const part& from, const std::string& name)
{
    auto found = from.fields.find(name);
    return found == from.fields.end() ? "" : found->second;
}

std::string from_base64(std::string_view encoded)
{
    std::string clean;
    std::ranges::copy_if(encoded, std::back_inserter(clean),
                         [](char c) { return !std::isspace(static_cast<unsigned char>(c)); });
    std::string out(clean.size(), '\0');
    auto size =
        EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(clean.data()), static_cast<int>(clean.size()));
    if (size < 0)
        throw std::runtime_error("malformed base64");
    out.resize(static_cast<std::size_t>(size - std::ranges::count(clean, '=')));
    return out;
}

/// RFC 2045, 6.7, with soft line breaks.
std::string from_quoted_printable(std::string_view encoded)
{
    std::string out;
    while (!encoded.empty()) {
        char next = encoded.front();
        encoded.remove_prefix(1);
        unsigned char byte = 0;
        if (next != '=')
            out += next;
        else if (encoded.starts_with("\r\n") || encoded.starts_with("\n"))
            next_line(encoded);
        else if (encoded.size() >= 2 &&
                 std::from_chars(encoded.data(), encoded.data() + 2, byte, 16).ptr == encoded.data() + 2) {
            out += static_cast<char>(byte);
            encoded.remove_prefix(2);
        } else
            throw std::runtime_error("malformed quoted-printable");
    }
    return out;
}

/// RFC 2047: encoded words; white space between two of them is ignored.
std::string decode_words(const std::string& value)
{
    static const std::regex word(R"(=\?utf-8\?([bq])\?([^? ]*)\?=)", std::regex::icase);
    std::string out;
    auto from = value.cbegin();
    for (std::sregex_iterator each(value.begin(), value.end(), word), end; each != end; ++each) {
        std::string between(from, (*each)[0].first);
        if (from == value.cbegin() || !boost::trim_copy(between).empty())
            out += between;
        auto text = each->str(2);
        if (boost::iequals(each->str(1), "q")) {
            std::ranges::replace(text, '_', ' ');
            out += from_quoted_printable(text);
        } else
            out += from_base64(text);
        from = (*each)[0].second;
    }
    return out.append(from, value.cend());
}

/// The decoded body, with \n as line ends.
std::string decode_body(const part& from)
{
    auto encoding = boost::to_lower_copy(field(from, "content-transfer-encoding"));
    auto out = encoding == "base64"             ? from_base64(from.body)
               : encoding == "quoted-printable" ? from_quoted_printable(from.body)
                                                : std::string(from.body);
    boost::replace_all(out, "\r\n", "\n");
    return out;
}

/// The parts between the boundaries; the line end before a boundary belongs to it.
std::vector<std::string_view> parts_of(std::string_view body, const std::string& boundary)
{
    std::vector<std::string_view> out;
    const char* begin = nullptr;
    while (!body.empty()) {
        auto line = next_line(body);
        if (line != "--" + boundary && line != "--" + boundary + "--")
            continue;
        if (begin) {
            std::string_view between(begin, line.data());
            if (between.ends_with('\n'))
                between.remove_suffix(between.ends_with("\r\n") ? 2 : 1);
            out.push_back(between);
        }
        begin = body.data();
        if (line.ends_with("--") && line.size() == boundary.size() + 4)
            return out;
    }
    throw std::runtime_error("an unterminated multipart");
}

void add_texts(const part& from, email& into)
{
    static const std::regex boundary(R"x(boundary="?([^";]+)"?)x", std::regex::icase);
    auto type = field(from, "content-type");
    std::smatch found;
    if (boost::istarts_with(type, "multipart/")) {
        if (!std::regex_search(type, found, boundary))
            throw std::runtime_error("a multipart without a boundary");
        for (auto& each : parts_of(from.body, found.str(1)))
            add_texts(split(each), into);
    } else if (boost::istarts_with(type, "text/html"))
        into.html = decode_body(from);
    else if (type.empty() || boost::istarts_with(type, "text/plain"))
        into.text = decode_body(from);
}

/// The first group of the first match; empty without a match.
std::string search(const std::string& text, const char* pattern)
{
    std::smatch found;
    return std::regex_search(text, found, std::regex(pattern)) ? found.str(1) : "";
}

} // namespace

email parse_email(std::string_view message)
{
    auto whole = split(message);
    email out;
    out.to = decode_words(field(whole, "to"));
    out.subject = decode_words(field(whole, "subject"));
    add_texts(whole, out);
    out.headers = std::move(whole.fields);
    return out;
}

std::string link_in(const email& message)
{
    return search(message.text, R"((https?://[^\s<>"]*[^\s<>".,;)]))");
}

std::string token_in(const email& message)
{
    return search(link_in(message), "#token=([^&#]*)");
}

} // namespace support
