#include "bench/load/http_client.hpp"

#include "bench/load/failure.hpp"

#include <arpa/inet.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <optional>

namespace bench {

url parse_url(std::string_view text)
{
    constexpr std::string_view http = "http://", https = "https://";
    url out;
    out.uses_tls = text.starts_with(https);
    if (!out.uses_tls && !text.starts_with(http))
        throw failure("not an http:// or https:// URL: " + std::string(text));
    if (out.uses_tls)
        out.port = 443;
    auto rest = text.substr(out.uses_tls ? https.size() : http.size());
    auto slash = std::min(rest.find('/'), rest.size());
    auto authority = rest.substr(0, slash);
    if (slash < rest.size())
        out.target = rest.substr(slash);
    auto colon = authority.rfind(':');
    out.host = authority.substr(0, colon);
    if (colon != std::string_view::npos) {
        auto digits = authority.substr(colon + 1);
        auto [end, error] = std::from_chars(digits.begin(), digits.end(), out.port);
        if (error != std::errc() || end != digits.end() || out.port == 0)
            throw failure("no port number in " + std::string(text));
    }
    if (out.host.empty())
        throw failure("no host in " + std::string(text));
    return out;
}

server_address resolve(const url& where)
{
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (int rc = getaddrinfo(where.host.c_str(), std::to_string(where.port).c_str(), &hints, &found))
        throw failure("cannot find " + where.host + ": " + gai_strerror(rc));
    std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(found, freeaddrinfo);
    server_address out;
    std::memcpy(&out.bytes, list->ai_addr, list->ai_addrlen);
    out.size = list->ai_addrlen;
    out.uses_tls = where.uses_tls;
    in6_addr numeric{};
    if (inet_pton(AF_INET, where.host.c_str(), &numeric) != 1 &&
        inet_pton(AF_INET6, where.host.c_str(), &numeric) != 1)
        out.name = where.host;
    return out;
}

std::string make_request(std::string_view method, const url& where, std::span<const header> headers,
                         std::string_view body)
{
    std::string out(method);
    out.append(" ")
        .append(where.target)
        .append(" HTTP/1.1\r\nHost: ")
        .append(where.authority())
        .append("\r\n");
    bool has_type = false;
    for (auto [name, value] : headers) {
        out.append(name).append(": ").append(value).append("\r\n");
        has_type = has_type || name == "Content-Type";
    }
    if (!body.empty()) {
        if (!has_type)
            out += "Content-Type: application/json\r\n";
        out.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    } else if (method == "POST" || method == "PUT" || method == "PATCH") {
        out += "Content-Length: 0\r\n";
    }
    return out.append("\r\n").append(body);
}

namespace {

/// The value of a header line, if it has this name (given in lower case).
std::optional<std::string_view> value_of(std::string_view line, std::string_view name)
{
    if (line.size() <= name.size() || line[name.size()] != ':')
        return {};
    for (std::size_t i = 0; i < name.size(); ++i)
        if ((line[i] | 0x20) != name[i])
            return {};
    auto value = line.substr(name.size() + 1);
    while (!value.empty() && (value.front() == ' ' || value.front() == '\t'))
        value.remove_prefix(1);
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t'))
        value.remove_suffix(1);
    return value;
}

bool is_word(std::string_view value, std::string_view lower_case)
{
    return std::equal(value.begin(), value.end(), lower_case.begin(), lower_case.end(),
                      [](char a, char b) { return (a | 0x20) == b; });
}

/// The number, if the whole text is one.
std::optional<std::uint64_t> number(std::string_view text, int base = 10)
{
    std::uint64_t out = 0;
    auto [end, error] = std::from_chars(text.begin(), text.end(), out, base);
    if (error != std::errc() || end != text.end())
        return {};
    return out;
}

} // namespace

void response_reader::restart()
{
    part_ = part::head;
    head_.clear();
    line_.clear();
    remaining_ = 0;
    status_ = 0;
    keep_alive_ = true;
}

response_reader::state response_reader::feed(std::string_view bytes)
{
    constexpr std::size_t max_head = 64 * 1024;
    if (part_ != part::head)
        return read_body(bytes);
    auto pending = std::exchange(head_, {});
    if (!pending.empty())
        bytes = pending.append(bytes);
    auto end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        head_ = bytes;
        return head_.size() > max_head ? state::broken : state::more;
    }
    if (!read_head(bytes.substr(0, end + 2)))
        return state::broken;
    return read_body(bytes.substr(end + 4));
}

bool response_reader::read_head(std::string_view head)
{
    // "HTTP/1.1 200 OK"
    if (head.size() < 14 || !head.starts_with("HTTP/1."))
        return false;
    auto code = number(head.substr(9, 3));
    if (!code || *code < 100 || *code > 599)
        return false;
    status_ = static_cast<int>(*code);
    keep_alive_ = head[7] == '1';
    std::optional<std::uint64_t> length;
    bool chunked = false;
    for (auto rest = head.substr(head.find('\n') + 1); !rest.empty();) {
        auto end = rest.find("\r\n");
        if (end == std::string_view::npos)
            return false;
        auto line = rest.substr(0, end);
        rest.remove_prefix(end + 2);
        // Only three headers matter; most lines start with neither of their initials.
        char first = line.empty() ? '\0' : static_cast<char>(line.front() | 0x20);
        if (first == 'c') {
            if (auto value = value_of(line, "content-length")) {
                length = number(*value);
                if (!length)
                    return false;
            } else if (auto option = value_of(line, "connection")) {
                keep_alive_ = is_word(*option, "keep-alive") || (keep_alive_ && !is_word(*option, "close"));
            }
        } else if (first == 't') {
            if (auto value = value_of(line, "transfer-encoding"))
                chunked = is_word(*value, "chunked");
        }
    }
    bool bodiless = status_ == 204 || status_ == 304;
    remaining_ = bodiless ? 0 : length.value_or(0);
    part_ = chunked ? part::chunk_size : bodiless || length ? part::counted_body : part::until_close;
    return true;
}

response_reader::state response_reader::read_body(std::string_view bytes)
{
    switch (part_) {
    case part::counted_body:
        if (bytes.size() > remaining_)
            return state::broken;
        take_body(bytes);
        remaining_ -= bytes.size();
        return remaining_ == 0 ? state::done : state::more;
    case part::until_close:
        keep_alive_ = false;
        take_body(bytes);
        return state::more;
    default:
        return read_chunks(bytes);
    }
}

response_reader::state response_reader::read_chunks(std::string_view bytes)
{
    for (auto rest = bytes; !rest.empty();) {
        if (part_ == part::chunk_data) {
            auto piece = rest.substr(0, remaining_);
            take_body(piece);
            remaining_ -= piece.size();
            rest.remove_prefix(piece.size());
            if (remaining_ == 0)
                part_ = part::chunk_end;
            continue;
        }
        auto end = rest.find('\n');
        line_.append(rest.substr(0, end));
        if (end == std::string_view::npos)
            return state::more;
        rest.remove_prefix(end + 1);
        auto line = std::exchange(line_, {});
        if (line.empty() || line.back() != '\r')
            return state::broken;
        line.pop_back();
        if (part_ == part::chunk_end) {
            part_ = part::chunk_size;
        } else if (part_ == part::trailer) {
            if (line.empty())
                return rest.empty() ? state::done : state::broken;
        } else {
            auto size = number(std::string_view(line).substr(0, line.find(';')), 16);
            if (!size)
                return state::broken;
            remaining_ = *size;
            part_ = remaining_ ? part::chunk_data : part::trailer;
        }
    }
    return state::more;
}

void response_reader::take_body(std::string_view bytes)
{
    if (body_)
        body_->append(bytes);
}

response_reader::state response_reader::finish()
{
    return part_ == part::until_close ? state::done : state::broken;
}

bool send_all(stream& link, std::string_view bytes)
{
    while (!bytes.empty()) {
        auto sent = link.send(bytes);
        if (sent.what != stream::status::done)
            return false;
        bytes.remove_prefix(sent.bytes);
    }
    return true;
}

response_reader::state feed_from(stream& link, response_reader& reader)
{
    std::array<char, 16384> piece;
    auto got = link.receive(piece);
    return got.what == stream::status::done ? reader.feed({piece.data(), got.bytes}) : reader.finish();
}

http_client::http_client(url base) : base_(std::move(base)), address_(resolve(base_)) {}

void http_client::connect()
{
    bool is_open = link_.open(address_, stream::mode::blocking);
    timeval timeout{.tv_sec = 30, .tv_usec = 0};
    if (is_open)
        setsockopt(link_.native(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
    if (!is_open || link_.connect(tls_) != stream::status::done) {
        int why = errno;
        link_.close();
        throw failure("cannot connect to " + base_.authority() + ": " + std::strerror(why));
    }
}

response http_client::call(std::string_view method, std::string_view target, std::span<const header> headers,
                           std::string_view body)
{
    url where = base_;
    where.target = target;
    auto request = make_request(method, where, headers, body);
    bool fresh = !link_.is_open();
    if (fresh)
        connect();
    response out;
    response_reader reader;
    reader.keep_body(&out.body);
    auto progress = response_reader::state::more;
    bool sent = send_all(link_, request);
    while (sent && progress == response_reader::state::more)
        progress = feed_from(link_, reader);
    bool complete = progress == response_reader::state::done;
    out.status = reader.status();
    if (!complete || !reader.keep_alive())
        link_.close();
    if (complete)
        return out;
    // The server closed an idle connection, so it has not seen the request: retry once.
    if (!fresh && !reader.started())
        return call(method, target, headers, body);
    throw failure("no response from " + where.text());
}

} // namespace bench
