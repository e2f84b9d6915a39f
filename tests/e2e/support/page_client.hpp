// A browser without scripts at the site's pages: cookies, forms, and what a person would read.
#pragma once

#include "tests/e2e/support/response_helpers.hpp"
#include "tests/support/http.hpp"

#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace e2e {

using form_fields = std::vector<std::pair<std::string, std::string>>;

inline std::string encode_fields(const form_fields& fields)
{
    std::string out;
    for (auto& [name, value] : fields)
        out.append(out.empty() ? "" : "&")
            .append(name)
            .append("=")
            .append(boost::urls::encode(value, boost::urls::unreserved_chars));
    return out;
}

class page_client {
public:
    explicit page_client(std::uint16_t port) : client_(port)
    {
        client_.set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    }

    /// @param site of the page with the link, as Sec-Fetch-Site says it; by default there is none
    support::response get(const std::string& path, const std::string& site = "none")
    {
        client_.set("Sec-Fetch-Site", site);
        return send(support::http::request<support::http::string_body>(support::http::verb::get, path, 11));
    }

    /// @param site of the page with the form, as Sec-Fetch-Site says it
    support::response submit(const std::string& path, const form_fields& fields,
                             const std::string& site = "same-origin")
    {
        return submit_raw(path, encode_fields(fields), "application/x-www-form-urlencoded", site);
    }

    support::response submit_raw(const std::string& path, std::string body, const std::string& type,
                                 const std::string& site = "same-origin")
    {
        client_.set("Sec-Fetch-Site", site);
        support::http::request<support::http::string_body> message(support::http::verb::post, path, 11);
        if (!type.empty())
            message.set(support::http::field::content_type, type);
        message.body() = std::move(body);
        return send(std::move(message));
    }

    void set(const std::string& header, const std::string& value) { client_.set(header, value); }

    bool is_signed_in() const { return cookies_.contains("latchkey"); }
    /// Those with such a name.
    std::size_t cookie_count(std::string_view prefix) const
    {
        return static_cast<std::size_t>(std::ranges::count_if(
            cookies_, [prefix](auto& each) { return std::string_view(each.first).starts_with(prefix); }));
    }

    const std::string& session_cookie() const { return cookies_.at("latchkey"); }

private:
    support::response send(support::http::request<support::http::string_body> message)
    {
        std::string header;
        for (auto& [name, value] : cookies_)
            header.append(header.empty() ? "" : "; ").append(name).append("=").append(value);
        client_.set("Cookie", header);
        auto answer = client_.send(std::move(message));
        for (auto& line : answer.headers) {
            if (line.name() != support::http::field::set_cookie)
                continue;
            std::string text(line.value());
            auto equals = text.find('=');
            auto name = text.substr(0, equals);
            auto value = text.substr(equals + 1, text.find(';') - equals - 1);
            if (value.empty())
                cookies_.erase(name);
            else
                cookies_[name] = value;
        }
        return answer;
    }

    support::http_client client_;
    std::map<std::string, std::string> cookies_;
};

inline bool has(const support::response& page, std::string_view text)
{
    return page.body.find(text) != std::string::npos;
}

/// The start tag of the input with a name; empty if there is none.
inline std::string input_of(const support::response& page, const std::string& name)
{
    auto at = page.body.find(" name=\"" + name + "\"");
    if (at == std::string::npos)
        return {};
    auto begin = page.body.rfind('<', at);
    return page.body.substr(begin, page.body.find('>', at) - begin);
}

/// The text of the error at a field, if the field refers to it and is marked as invalid; else empty.
inline std::string error_at(const support::response& page, const std::string& name)
{
    auto input = input_of(page, name);
    auto id = name + "-error";
    if (input.find("aria-invalid=\"true\"") == std::string::npos || input.find(id) == std::string::npos)
        return {};
    auto at = page.body.find("id=\"" + id + "\">");
    if (at == std::string::npos)
        return {};
    at = page.body.find('>', at) + 1;
    return page.body.substr(at, page.body.find('<', at) - at);
}

} // namespace e2e
