// A request as the HTTP server hands it to the handlers, made of parts.
#pragma once

#include "handlers/http/message.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handlers::test {

/// Owns the bytes of a head and a body.
class request_message {
public:
    request_message() { build(); }
    request_message(const request_message&) = delete;
    request_message& operator=(const request_message&) = delete;

    const request_head& head() const { return head_; }
    std::string& body() { return body_; }

    void method(http::verb method)
    {
        method_ = method;
        build();
    }

    /// Add a header line. White space around the value is removed, as by the parser.
    void insert(http::field name, std::string_view value)
    {
        auto begin = value.find_first_not_of(" \t");
        auto size = begin == value.npos ? 0 : value.find_last_not_of(" \t") + 1 - begin;
        lines_.emplace_back(name, value.substr(std::min(begin, value.size()), size));
        build();
    }

    void erase(http::field name)
    {
        std::erase_if(lines_, [name](const auto& line) { return line.first == name; });
        build();
    }

    /// Add a header line in place of those with this name.
    void set(http::field name, std::string_view value)
    {
        erase(name);
        insert(name, value);
    }

private:
    void build()
    {
        bytes_ = "/";
        for (auto& [name, value] : lines_)
            bytes_.append(http::to_string(name)).append(value);
        head_.clear();
        head_.rebase(bytes_.data());
        std::string_view rest = bytes_;
        auto take = [&rest](std::size_t size) {
            auto out = rest.substr(0, size);
            rest.remove_prefix(size);
            return out;
        };
        head_.set_request_line(method_, take(1), 11);
        for (auto& [name, value] : lines_) {
            auto text = take(http::to_string(name).size());
            head_.add(name, text, take(value.size()));
        }
    }

    http::verb method_ = http::verb::get;
    std::vector<std::pair<http::field, std::string>> lines_;
    std::string bytes_, body_;
    request_head head_;
};

} // namespace handlers::test
