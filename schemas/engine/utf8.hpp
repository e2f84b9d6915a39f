// Just enough of Unicode to judge texts: code points, and the few groups of them that rules speak of.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace schemas {

/** Take the first code point off `rest`, which must not be empty.
    @return nothing, and `rest` one byte shorter, if it does not start with well-formed UTF-8 (Unicode 15,
    table 3-7: no overlong forms, no surrogates, nothing past U+10FFFF) */
std::optional<char32_t> take_code_point(std::string_view& rest);

/** @return how many code points `utf8` has; for text that is not UTF-8 only a rough number */
std::size_t count_code_points(std::string_view utf8);

/** Control characters (C0, DEL, C1) and the separators U+2028 and U+2029, which end a line as they do. */
bool is_control(char32_t c);

/** What leaves no ink: white space, zero-width characters, fillers. */
bool is_blank(char32_t c);

/** Embeddings, overrides and isolates: they turn round the text that follows, outside of the name too. */
bool is_bidi_control(char32_t c);

/** Text of unknown origin, such as a header, made fit to be stored and shown: what is not UTF-8 or is a
    control character becomes U+FFFD, and at most `max_bytes` are kept, cut between code points. */
std::string clean_text(std::string_view in, std::size_t max_bytes);

} // namespace schemas
