// Request head: the request line and the header fields of one request, as slices of the bytes received.
#pragma once

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/field.hpp>
#include <boost/beast/http/verb.hpp>
#include <boost/container/small_vector.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <ranges>
#include <string_view>

namespace handlers {

namespace http = boost::beast::http;

/** Has no bytes of its own: slices are offsets into a buffer that the parser's owner keeps, and may move (see
    `rebase`). So a request with up to `inline_fields` header fields costs no allocation and no copy. */
class request_head {
public:
    static constexpr std::size_t inline_fields = 24;

    http::verb method() const { return method_; }
    /// As sent: in origin-form, absolute-form or `*`.
    std::string_view target() const { return text_of(target_); }
    /// 10 or 11.
    unsigned version() const { return version_; }

    /// The value of the first line with this name, without white space around it; empty if there is none.
    std::string_view operator[](http::field name) const
    {
        for (auto& each : fields_)
            if (each.name == name)
                return text_of(each.value);
        return {};
    }

    /// The values of all lines with this name, in their order.
    auto lines(http::field name) const
    {
        return fields_ | std::views::filter([name](const field& each) { return each.name == name; }) |
               std::views::transform([this](const field& each) { return text_of(each.value); });
    }

    /// The same for a name that is not among the constants of http::field, in any case.
    auto lines(std::string_view name) const
    {
        return fields_ | std::views::filter([this, name](const field& each) {
                   return each.name == http::field::unknown && each.name_text.size == name.size() &&
                          boost::beast::iequals(text_of(each.name_text), name);
               }) |
               std::views::transform([this](const field& each) { return text_of(each.value); });
    }

    /// The value of the first line with a name that is not among those constants; empty if there is none.
    std::string_view operator[](std::string_view name) const
    {
        for (auto value : lines(name))
            return value;
        return {};
    }

    std::size_t field_count() const { return fields_.size(); }

    // ---- for the parser

    /// Where the buffer's bytes are now.
    void rebase(const char* begin) { begin_ = begin; }

    /// @param target within the buffer
    void set_request_line(http::verb method, std::string_view target, unsigned version)
    {
        method_ = method;
        target_ = slice_of(target);
        version_ = version;
    }

    /** @param name_text,value within the buffer
        @return false if they are further away from its begin than a slice can say */
    bool add(http::field name, std::string_view name_text, std::string_view value)
    {
        if (value.data() + value.size() - begin_ > std::numeric_limits<std::uint16_t>::max())
            return false;
        fields_.push_back({name, slice_of(name_text), slice_of(value)});
        return true;
    }

    void clear()
    {
        fields_.clear();
        target_ = {};
    }

private:
    /// A header has 32 KiB at most, or little more if it arrives in pieces.
    struct slice {
        std::uint16_t at = 0, size = 0;
    };
    struct field {
        http::field name;
        slice name_text, value;
    };

    std::string_view text_of(slice of) const { return {begin_ + of.at, of.size}; }
    slice slice_of(std::string_view text) const
    {
        return {static_cast<std::uint16_t>(text.data() - begin_), static_cast<std::uint16_t>(text.size())};
    }

    const char* begin_ = nullptr;
    http::verb method_ = http::verb::unknown;
    unsigned version_ = 11;
    slice target_;
    boost::container::small_vector<field, inline_fields> fields_;
};

} // namespace handlers
