#include "handlers/body.hpp"

#include "schemas/utf8.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/url/parse_query.hpp>
#include <boost/url/pct_string_view.hpp>

namespace handlers {

namespace {

std::string_view trim(std::string_view s)
{
    auto from = s.find_first_not_of(" \t");
    if (from == std::string_view::npos)
        return {};
    return s.substr(from, s.find_last_not_of(" \t") - from + 1);
}

/** Whether `text` is UTF-8 without control characters. Nothing that a path or a query names has any, and
    PostgreSQL's text could not hold them. */
bool is_clean(std::string_view text)
{
    return schemas::clean_text(text, text.size()) == text;
}

} // namespace

bool is_json(std::string_view content_type)
{
    return boost::beast::iequals(trim(content_type.substr(0, content_type.find(';'))), "application/json");
}

std::optional<std::vector<std::pair<std::string, std::string>>> decode_query(std::string_view query)
{
    std::vector<std::pair<std::string, std::string>> out;
    if (query.empty())
        return out;
    auto parsed = boost::urls::parse_query(query);
    if (!parsed)
        return std::nullopt;
    boost::urls::encoding_opts form;
    form.space_as_plus = true;
    for (auto param : *parsed) {
        auto& [name, value] = out.emplace_back(param.key.decode(form), param.value.decode(form));
        if (!is_clean(name) || !is_clean(value))
            return std::nullopt;
    }
    return out;
}

std::optional<std::string> decode_segment(std::string_view segment)
{
    if (segment.find('%') == std::string_view::npos && is_clean(segment))
        return std::string(segment);
    auto encoded = boost::urls::make_pct_string_view(segment);
    if (!encoded)
        return std::nullopt;
    auto out = encoded->decode();
    if (!is_clean(out))
        return std::nullopt;
    return out;
}

} // namespace handlers
