#include "schemas/engine/json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value_stack.hpp>

#include <charconv>

namespace schemas {

namespace json = boost::json;

namespace {

/// Builds the value as Boost.JSON's own parser does, and counts the members it receives.
struct handler {
    static constexpr std::size_t max_object_size = json::object::max_size();
    static constexpr std::size_t max_array_size = json::array::max_size();
    static constexpr std::size_t max_key_size = json::string::max_size();
    static constexpr std::size_t max_string_size = json::string::max_size();

    json::value_stack stack;
    std::size_t members = 0;

    using error = boost::system::error_code;

    explicit handler(json::storage_ptr memory) : stack(memory) { stack.reset(memory); }

    bool on_document_begin(error&) { return true; }
    bool on_document_end(error&) { return true; }
    bool on_object_begin(error&) { return true; }
    bool on_array_begin(error&) { return true; }
    bool on_number_part(json::string_view, error&) { return true; }
    bool on_comment_part(json::string_view, error&) { return true; }
    bool on_comment(json::string_view, error&) { return true; }

    bool on_object_end(std::size_t n, error&)
    {
        members += n;
        stack.push_object(n);
        return true;
    }
    bool on_array_end(std::size_t n, error&)
    {
        stack.push_array(n);
        return true;
    }
    bool on_key_part(json::string_view part, std::size_t, error&)
    {
        stack.push_chars(part);
        return true;
    }
    bool on_key(json::string_view last, std::size_t, error&)
    {
        stack.push_key(last);
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t, error&)
    {
        stack.push_chars(part);
        return true;
    }
    bool on_string(json::string_view last, std::size_t, error&)
    {
        stack.push_string(last);
        return true;
    }
    bool on_int64(std::int64_t number, json::string_view, error&)
    {
        stack.push_int64(number);
        return true;
    }
    bool on_uint64(std::uint64_t number, json::string_view, error&)
    {
        stack.push_uint64(number);
        return true;
    }
    bool on_double(double number, json::string_view, error&)
    {
        stack.push_double(number);
        return true;
    }
    bool on_bool(bool value, error&)
    {
        stack.push_bool(value);
        return true;
    }
    bool on_null(error&)
    {
        stack.push_null();
        return true;
    }
};

std::size_t count_members(const json::value& in)
{
    std::size_t count = 0;
    if (const auto* object = in.if_object()) {
        count = object->size();
        for (const auto& member : *object)
            count += count_members(member.value());
    } else if (const auto* array = in.if_array()) {
        for (const auto& element : *array)
            count += count_members(element);
    }
    return count;
}

} // namespace

// A json::object keeps only the last member of each name. So the text has a duplicate name exactly if it had
// more members than the tree.
json_document::json_document(std::string_view text) : memory_(buffer_.data(), buffer_.size())
{
    json::parse_options options;
    options.max_depth = max_depth;
    json::basic_parser<handler> parser{options, &memory_};
    boost::system::error_code error;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
    if (error || used != text.size() || !parser.done())
        return;
    root_ = parser.handler().stack.release();
    if (count_members(*root_) != parser.handler().members)
        root_.reset();
}

namespace {

/// Bytes that may need escaping. 0xE2 starts U+2028 and U+2029, among many harmless characters.
constexpr auto is_special = [] {
    std::array<bool, 256> out{};
    for (std::size_t c = 0; c < 0x20; ++c)
        out[c] = true;
    out['"'] = out['\\'] = out[0xE2] = true;
    return out;
}();

void write_control(std::string& out, char c)
{
    constexpr char hex[] = "0123456789abcdef";
    switch (c) {
    case '\b':
        out += "\\b";
        return;
    case '\f':
        out += "\\f";
        return;
    case '\n':
        out += "\\n";
        return;
    case '\r':
        out += "\\r";
        return;
    case '\t':
        out += "\\t";
        return;
    default:
        out += "\\u00";
        out += hex[c >> 4];
        out += hex[c & 15];
    }
}

} // namespace

void write_string(std::string& out, std::string_view text)
{
    out += '"';
    std::size_t run = 0; // start of the bytes not copied yet
    std::size_t i = 0;
    const auto copy_run = [&](std::size_t skip) {
        out.append(text, run, i - run);
        i += skip;
        run = i;
    };
    while (i < text.size()) {
        const char c = text[i];
        if (!is_special[static_cast<unsigned char>(c)]) {
            ++i;
        } else if (c == '"' || c == '\\') {
            copy_run(1);
            out += '\\';
            out += c;
        } else if (c != '\xE2') {
            copy_run(1);
            write_control(out, c);
        } else if (const auto three = text.substr(i, 3); three == "\u2028" || three == "\u2029") {
            copy_run(3);
            out += three.back() == '\xA8' ? "\\u2028" : "\\u2029";
        } else {
            ++i;
        }
    }
    copy_run(0);
    out += '"';
}

void write_integer(std::string& out, std::int64_t number)
{
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

} // namespace schemas
