// JSON text in and out, below any schema: the strict reader and the append-only writer.
#pragma once

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace schemas {

/** A JSON text read strictly (RFC 8259, and I-JSON's rule of unique names, RFC 7493).
    Refused: an empty text, anything after the value, comments, trailing commas, bad UTF-8, lone surrogates,
    nesting deeper than 32, and a member name given twice in one object, at any depth.
    The values live in this object's own memory: small bodies need no allocation at all. */
class document {
public:
    static constexpr std::size_t max_depth = 32;

    explicit document(std::string_view text);
    document(const document&) = delete;
    document& operator=(const document&) = delete;

    /** @return the value, or null if the text was refused */
    const boost::json::value* root() const { return root_ ? &*root_ : nullptr; }

private:
    std::array<unsigned char, 4096> buffer_;
    boost::json::monotonic_resource memory_;
    std::optional<boost::json::value> root_;
};

/** Append `text` as a JSON string. Escapes what JSON must have escaped, and U+2028 and U+2029, so that the
    text may stand in a script; `text` must be UTF-8 and is otherwise copied in runs. */
void write_string(std::string& out, std::string_view text);
void write_integer(std::string& out, std::int64_t number);

} // namespace schemas
