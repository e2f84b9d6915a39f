#include "handlers/http/input.hpp"

#include "handlers/access/text.hpp"
#include "schemas/engine/utf8.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/url/pct_string_view.hpp>

namespace handlers {

namespace {

/// Whether `text` is UTF-8 without control characters, which PostgreSQL's text cannot hold either.
bool is_clean(std::string_view text)
{
    return schemas::sanitize_text(text, text.size()) == text;
}

/// Percent-decodes. @return nothing if the encoding is invalid or the result does not pass the check
std::optional<std::string> decode(std::string_view text, bool plus_is_space, text_check check)
{
    auto encoded = boost::urls::make_pct_string_view(text);
    if (!encoded)
        return std::nullopt;
    boost::urls::encoding_opts opts;
    opts.space_as_plus = plus_is_space;
    auto out = encoded->decode(opts);
    if (check == text_check::enforced && !is_clean(out))
        return std::nullopt;
    return out;
}

bool is_type(std::string_view content_type, std::string_view wanted)
{
    return boost::beast::iequals(trim(content_type.substr(0, content_type.find(';'))), wanted);
}

} // namespace

bool is_json(std::string_view content_type)
{
    return is_type(content_type, "application/json");
}

bool is_form(std::string_view content_type)
{
    return is_type(content_type, "application/x-www-form-urlencoded");
}

std::optional<decoded_pairs> decode_query(std::string_view query, text_check check)
{
    decoded_pairs out;
    while (!query.empty()) {
        auto end = query.find('&');
        auto pair = query.substr(0, end);
        query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
        auto equals = pair.find('=');
        auto name = decode(pair.substr(0, equals), true, check);
        auto rest = equals == std::string_view::npos ? std::string_view() : pair.substr(equals + 1);
        auto value = decode(rest, true, check);
        if (!name || !value)
            return std::nullopt;
        out.emplace_back(std::move(*name), std::move(*value));
    }
    return out;
}

std::optional<std::string> decode_segment(std::string_view segment)
{
    return decode(segment, false, text_check::enforced);
}

} // namespace handlers
