// Text of header fields.
#pragma once

#include <boost/url/grammar/charset.hpp>

#include <string_view>

namespace handlers {

/// Without surrounding white space (OWS of RFC 9110, section 5.6.3).
inline std::string_view trim(std::string_view text)
{
    auto from = text.find_first_not_of(" \t");
    if (from == std::string_view::npos)
        return {};
    return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

/// Whether a text has only characters of a set, as those of boost::urls::grammar.
template <class CharSet>
bool is_only_of(std::string_view text, const CharSet& allowed)
{
    return boost::urls::grammar::find_if_not(text.begin(), text.end(), allowed) == text.end();
}

} // namespace handlers
