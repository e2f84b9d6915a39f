// UTF-8 decoding, and the few Unicode character classes that validation needs.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace schemas {

/** Remove and return the first code point of `rest`, which must not be empty.
    @return nothing, with `rest` one byte shorter, unless it starts with well-formed UTF-8 (Unicode 15, table
    3-7: no overlong forms, no surrogates, nothing beyond U+10FFFF) */
std::optional<char32_t> take_code_point(std::string_view& rest);

/// The number of code points; an approximation if the text is not UTF-8.
std::size_t count_code_points(std::string_view utf8);

/// Control characters (C0, DEL, C1) and the line separators U+2028 and U+2029.
bool is_control(char32_t c);

/// Invisible characters: white space, zero-width characters, fillers.
bool is_blank(char32_t c);

/// Without the invisible characters around it, such as those that are copied along with a key.
std::string_view trim_blanks(std::string_view text);

/// Bidirectional embeddings, overrides and isolates: they reorder the surrounding text as well.
bool is_bidi_control(char32_t c);

/** Make untrusted text, such as a header, safe to store and display: malformed UTF-8 and control characters
    become U+FFFD, and the result is truncated to `max_bytes` between code points. */
std::string sanitize_text(std::string_view in, std::size_t max_bytes);

} // namespace schemas
