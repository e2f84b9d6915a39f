#include "handlers/pages/form_data.hpp"

#include "handlers/access/text.hpp"

#include <boost/beast/core/string.hpp>

#include <algorithm>

namespace handlers::pages {

namespace {

constexpr std::string_view media_type = "application/x-www-form-urlencoded";

/// Whether the parameters of a content type name no charset but UTF-8.
bool is_utf8(std::string_view content_type)
{
    constexpr std::string_view name = "charset=";
    auto rest = content_type;
    for (auto semicolon = rest.find(';'); semicolon != rest.npos; semicolon = rest.find(';')) {
        rest.remove_prefix(semicolon + 1);
        auto parameter = trim(rest.substr(0, rest.find(';')));
        if (!boost::beast::iequals(parameter.substr(0, name.size()), name))
            continue;
        auto charset = trim(parameter.substr(name.size()));
        if (charset.size() > 1 && charset.front() == '"' && charset.back() == '"')
            charset = charset.substr(1, charset.size() - 2);
        if (!boost::beast::iequals(charset, "utf-8") && !boost::beast::iequals(charset, "utf8"))
            return false;
    }
    return true;
}

bool has_repeated_name(const decoded_pairs& pairs)
{
    for (auto one = pairs.begin(); one != pairs.end(); ++one)
        if (std::any_of(pairs.begin(), one, [&](auto& earlier) { return earlier.first == one->first; }))
            return true;
    return false;
}

/// More fields than any form of ours has.
constexpr std::size_t max_fields = 32;

} // namespace

result<form_data> form_data::read(const request& req)
{
    auto content_type = req.header(http::field::content_type);
    if (!is_form(content_type) || !is_utf8(content_type))
        return problem::unsupported_media_type(media_type);
    auto separators = std::ranges::count(req.body(), '&');
    auto pairs = separators < static_cast<std::ptrdiff_t>(max_fields)
                     ? decode_query(req.body(), text_check::none) // the schema names the field
                     : std::nullopt;
    if (!pairs || has_repeated_name(*pairs))
        return problem::of(codes::bad_request, "The form is not well-formed.");
    std::erase_if(*pairs, [](auto& pair) { return pair.second.empty(); });
    form_data out;
    out.pairs_ = std::move(*pairs);
    return out;
}

form_data form_data::of_query(const request& req)
{
    form_data out;
    if (auto pairs = decode_query(req.query))
        out.pairs_ = std::move(*pairs);
    return out;
}

std::string_view form_data::operator[](std::string_view name) const
{
    auto found = std::ranges::find(pairs_, name, &decoded_pairs::value_type::first);
    return found == pairs_.end() ? std::string_view() : std::string_view(found->second);
}

void form_data::set(std::string_view name, std::string value)
{
    std::erase_if(pairs_, [name](auto& pair) { return pair.first == name; });
    if (!value.empty())
        pairs_.emplace_back(name, std::move(value));
}

} // namespace handlers::pages
