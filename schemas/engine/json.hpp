// JSON text: a strict parser and an append-only writer.
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

/** A strictly parsed JSON text (RFC 8259, and the unique names of I-JSON, RFC 7493). Rejects empty texts,
    trailing data, comments, trailing commas, malformed UTF-8, lone surrogates, nesting deeper than 32, and
    duplicate names within one object, at any depth. Values live in a buffer inside this object: small bodies
    allocate nothing. */
class json_document {
public:
    static constexpr std::size_t max_depth = 32;

    explicit json_document(std::string_view text);
    json_document(const json_document&) = delete;
    json_document& operator=(const json_document&) = delete;

    /// @return the value, or null if the text was rejected
    const boost::json::value* root() const { return root_ ? &*root_ : nullptr; }

private:
    std::array<unsigned char, 4096> buffer_;
    boost::json::monotonic_resource memory_;
    std::optional<boost::json::value> root_;
};

/** Append `text` as a JSON string. Escapes the required characters, and U+2028 and U+2029, so that the output
    is safe inside a script. `text` must be UTF-8; unescaped runs are copied at once. */
void write_string(std::string& out, std::string_view text);
void write_integer(std::string& out, std::int64_t number);

} // namespace schemas
