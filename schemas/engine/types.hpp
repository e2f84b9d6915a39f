// The types of members that come from outside: the type is the rule.
// Each is made from text by `read`, which adds exactly one fault where the text breaks the rule.
#pragma once

#include "schemas/engine/rule.hpp"

#include <boost/json/object.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace schemas {

// ---- text

/** @return whether `in` has from `min` to `max` code points; adds a fault otherwise */
bool check_length(std::string_view in, std::size_t min, std::size_t max, const path& at, fault_list& faults);

/** @return whether `in` is UTF-8 and free of control characters (C0, DEL, C1); adds a fault otherwise */
bool check_printable(std::string_view in, const path& at, fault_list& faults);

/** @return whether `in` can be a name: printable, more than white space, and without the invisible characters
    that make one name look like another or turn the line round; adds a fault otherwise */
bool check_name(std::string_view in, const path& at, fault_list& faults);

/** What the two checks above ask, as patterns. */
boost::json::object text_schema(std::size_t min_length, std::size_t max_length);
boost::json::object name_schema(std::size_t min_length, std::size_t max_length);

/** Text of `Min` to `Max` code points without control characters. Never trimmed: what was sent is kept. */
template <std::size_t Min, std::size_t Max>
struct text {
    std::string value;

    std::string_view view() const { return value; }
    static boost::json::object openapi() { return text_schema(Min, Max); }

    static std::optional<text> read(std::string_view in, const path& at, fault_list& faults)
    {
        if (!check_length(in, Min, Max, at, faults) || !check_printable(in, at, faults))
            return std::nullopt;
        return text{std::string(in)};
    }
};

/** Text to call somebody or something by. */
template <std::size_t Min, std::size_t Max>
struct name_text {
    std::string value;

    std::string_view view() const { return value; }
    static boost::json::object openapi() { return name_schema(Min, Max); }

    static std::optional<name_text> read(std::string_view in, const path& at, fault_list& faults)
    {
        if (!check_length(in, Min, Max, at, faults) || !check_name(in, at, faults))
            return std::nullopt;
        return name_text{std::string(in)};
    }
};

/** A mail address (RFC 5321, with UTF-8 as of RFC 6531): dot-atom local part of at most 64 bytes, a domain of
    at least two labels, 254 bytes in all. Quoted local parts and address literals are refused: nobody's
    mailbox needs them, and they have a long history of slipping past other checks. */
struct email_address {
    std::string text;       ///< as typed, for mailing and showing
    std::string normalized; ///< as normalize_email() has it, for comparing: one mailbox, one account

    std::string_view view() const { return text; }
    static std::optional<email_address> read(std::string_view in, const path& at, fault_list& faults);
    static boost::json::object openapi();
};

/** A mail address with its ASCII letters in lower case. */
std::string normalize_email(std::string_view address);

/** The domain of mail addresses, such as `example.com`; compared, and kept, with its ASCII letters in lower
 * case. */
struct domain_name {
    std::string value;

    std::string_view view() const { return value; }
    static std::optional<domain_name> read(std::string_view in, const path& at, fault_list& faults);
    static boost::json::object openapi();
};

/** A password about to be set: from 8 code points to 1024 bytes, any characters. The upper bound is on bytes
    because it guards the hash's work, not taste; how guessable it is, is judged elsewhere. */
struct new_password {
    std::string value;

    std::string_view view() const { return value; }
    static std::optional<new_password> read(std::string_view in, const path& at, fault_list& faults);
    static boost::json::object openapi();
};

/** A password to compare: from 1 to 1024 bytes. No shape is asked of it, or old passwords would stop
    working. */
struct existing_password {
    std::string value;

    std::string_view view() const { return value; }
    static std::optional<existing_password> read(std::string_view in, const path& at, fault_list& faults);
    static boost::json::object openapi();
};

/** A language tag in BCP 47's shape (`en`, `pt-BR`, `zh-Hant-TW`), at most 35 characters. */
struct locale_tag {
    std::string value;

    std::string_view view() const { return value; }
    static std::optional<locale_tag> read(std::string_view in, const path& at, fault_list& faults);
    static boost::json::object openapi();
};

/** A time zone in the shape of IANA's names (`Europe/Berlin`, `Etc/GMT+5`, `UTC`), at most 64 characters. */
struct time_zone_name {
    std::string value;

    std::string_view view() const { return value; }
    static std::optional<time_zone_name> read(std::string_view in, const path& at, fault_list& faults);
    static boost::json::object openapi();
};

/** One permission of a key: `*`, or `resource:action` in lower-case letters and `_`, at most 64
    characters. */
struct scope {
    std::string value;

    std::string_view view() const { return value; }
    static std::optional<scope> read(std::string_view in, const path& at, fault_list& faults);
    static boost::json::object openapi();
};

/** From 1 to 100 scopes; a scope given twice counts once, and the order is kept. */
struct scope_list {
    std::vector<std::string> items;
};

template <>
struct rule<scope_list> {
    static std::optional<scope_list> parse(const boost::json::value& in, const path& at, fault_list& faults);
    static void write(std::string& out, const scope_list& list);
    static boost::json::object openapi(openapi_context& cx);
};

// ---- numbers

template <std::int64_t Min, std::int64_t Max>
struct integer {
    std::int64_t value = Min;
};

template <std::int64_t Min, std::int64_t Max>
struct rule<integer<Min, Max>> {
    static std::optional<integer<Min, Max>> parse(const boost::json::value& in, const path& at,
                                                  fault_list& faults)
    {
        return wrap(parse_integer(in, Min, Max, at, faults));
    }

    static std::optional<integer<Min, Max>> parse_text(std::string_view in, const path& at,
                                                       fault_list& faults)
    {
        return wrap(parse_integer(in, Min, Max, at, faults));
    }

    static void write(std::string& out, integer<Min, Max> number) { write_integer(out, number.value); }
    static boost::json::object openapi(openapi_context&) { return integer_schema(Min, Max); }

private:
    static std::optional<integer<Min, Max>> wrap(std::optional<std::int64_t> number)
    {
        if (!number)
            return std::nullopt;
        return integer<Min, Max>{*number};
    }
};

/** How many rows a page may have: a positive whole number, 50 where none is given; more than 200 counts as
    200. */
struct page_limit {
    static constexpr std::int64_t most = 200;
    std::int64_t value = 50;
};

template <>
struct rule<page_limit> {
    static std::optional<page_limit> parse(const boost::json::value& in, const path& at, fault_list& faults);
    static std::optional<page_limit> parse_text(std::string_view in, const path& at, fault_list& faults);
    static page_limit absent() { return {}; }
    static void write(std::string& out, page_limit limit) { write_integer(out, limit.value); }
    static boost::json::object openapi(openapi_context&);
};

} // namespace schemas
