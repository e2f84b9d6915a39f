// Types of request members: the type is the validation rule. Each is parsed from text by its `read`, which
// adds exactly one error if the text is invalid.
#pragma once

#include "schemas/engine/schema.hpp"

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

/// @return whether `in` has `min` to `max` code points; adds an error otherwise
bool check_length(std::string_view in, std::size_t min, std::size_t max, const path& at,
                  validation_errors& errors);

/// @return whether `in` is UTF-8 without control characters (C0, DEL, C1); adds an error otherwise
bool check_printable(std::string_view in, const path& at, validation_errors& errors);

/** @return whether `in` is a valid name: at least one visible character, and none that find_nickname_fault()
    reports; adds an error otherwise */
bool check_name(std::string_view in, const path& at, validation_errors& errors);

/// The name with its spaces as to_nickname() leaves them, if it passes check_name() and check_length().
std::optional<std::string> read_name(std::string_view in, std::size_t min, std::size_t max, const path& at,
                                     validation_errors& errors);

/// The schemas of the two checks above, as patterns.
boost::json::object text_schema(std::size_t min_length, std::size_t max_length);
boost::json::object name_schema(std::size_t min_length, std::size_t max_length);

/// Text of `Min` to `Max` code points without control characters. Never trimmed.
template <std::size_t Min, std::size_t Max>
struct text {
    std::string value;

    std::string_view view() const { return value; }
    static boost::json::object openapi() { return text_schema(Min, Max); }

    static std::optional<text> read(std::string_view in, const path& at, validation_errors& errors)
    {
        if (!check_length(in, Min, Max, at, errors) || !check_printable(in, at, errors))
            return std::nullopt;
        return text{std::string(in)};
    }
};

/** A token, code or key as presented: any string at all. Only the handler can tell whether it is
    right, and a malformed one is as wrong as an unknown one. */
struct opaque_token {
    std::string value;

    std::string_view view() const { return value; }
    static boost::json::object openapi() { return string_schema(0, unlimited); }

    static std::optional<opaque_token> read(std::string_view in, const path&, validation_errors&)
    {
        return opaque_token{std::string(in)};
    }
};

/// The name of a user, workspace or key (RFC 8266), with its spaces trimmed and collapsed.
template <std::size_t Min, std::size_t Max>
struct name_text {
    std::string value;

    std::string_view view() const { return value; }
    static boost::json::object openapi() { return name_schema(Min, Max); }

    static std::optional<name_text> read(std::string_view in, const path& at, validation_errors& errors)
    {
        auto name = read_name(in, Min, Max, at, errors);
        if (!name)
            return std::nullopt;
        return name_text{std::move(*name)};
    }
};

/** An email address (RFC 5321, with UTF-8 as of RFC 6531): a dot-atom local part of at most 64 bytes, a
    domain of at least two labels that is valid under UTS #46, 254 bytes in total. Quoted local parts and
    address literals are rejected: hardly any mailbox needs them, and they have a long history of bypassing
    other checks. */
struct email_address {
    /// As entered, for sending and display.
    std::string text;
    /// As normalize_email() returns it: the form in which addresses are compared.
    std::string normalized;

    std::string_view view() const { return text; }
    static std::optional<email_address> read(std::string_view in, const path& at, validation_errors& errors);
    static boost::json::object openapi();
};

/** The form in which email addresses are compared, so that one mailbox has one account: the local part as
    fold_case() leaves it, and the domain as normalize_domain() does. Idempotent. */
std::string normalize_email(std::string_view address);

/** The form in which domains are compared: domain_to_ascii(). A domain that is invalid, as one stored earlier
    may be, is only lower-cased in ASCII, and then equals no valid one. */
std::string normalize_domain(std::string_view domain);

/// An email domain such as `example.com`, stored and returned as normalize_domain() makes it.
struct domain_name {
    std::string value;

    std::string_view view() const { return value; }
    static std::optional<domain_name> read(std::string_view in, const path& at, validation_errors& errors);
    static boost::json::object openapi();
};

/** A new password: 8 code points to 1024 bytes, as to_opaque_string() makes it, so that it is the same from
    every keyboard. The upper bound is in bytes, since it limits the work of hashing. Strength is checked
    separately. */
struct new_password {
    std::string value;

    std::string_view view() const { return value; }
    static std::optional<new_password> read(std::string_view in, const path& at, validation_errors& errors);
    static boost::json::object openapi();
};

/// A password to verify: 1 to 1024 bytes. No other constraints, which would lock out old passwords.
struct existing_password {
    /// As to_opaque_string() makes it; as received, where that makes nothing.
    std::string value;
    /// As received, if that is different: hashes made before passwords were normalized are of these bytes.
    std::optional<std::string> as_received = std::nullopt;

    std::string_view view() const { return as_received ? *as_received : value; }
    static std::optional<existing_password> read(std::string_view in, const path& at,
                                                 validation_errors& errors);
    static boost::json::object openapi();
};

/// A canonical language tag of BCP 47 (`en`, `pt-BR`, `zh-Hant-TW`), at most 35 characters.
struct locale_tag {
    std::string value;

    std::string_view view() const { return value; }
    static std::optional<locale_tag> read(std::string_view in, const path& at, validation_errors& errors);
    static boost::json::object openapi();
};

/// A zone or an alias of the tz database (`Europe/Berlin`, `Etc/GMT+5`, `UTC`), at most 64 characters.
struct time_zone_name {
    std::string value;

    std::string_view view() const { return value; }
    static std::optional<time_zone_name> read(std::string_view in, const path& at, validation_errors& errors);
    static boost::json::object openapi();
};

/// A permission of a key: `*`, or `resource:action` in [a-z_], at most 64 characters.
struct scope {
    std::string value;

    std::string_view view() const { return value; }
    static std::optional<scope> read(std::string_view in, const path& at, validation_errors& errors);
    static boost::json::object openapi();
};

/// 1 to 100 scopes in order, duplicates removed.
struct scope_list {
    std::vector<std::string> items;
};

template <>
struct rule<scope_list> {
    static std::optional<scope_list> parse(const boost::json::value& in, const path& at,
                                           validation_errors& errors);
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
                                                  validation_errors& errors)
    {
        return wrap(parse_integer(in, Min, Max, at, errors));
    }

    static std::optional<integer<Min, Max>> parse_text(std::string_view in, const path& at,
                                                       validation_errors& errors)
    {
        return wrap(parse_integer(in, Min, Max, at, errors));
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

/// Rows per page: a positive integer, by default 50; values above 200 are clamped to 200.
struct page_limit {
    static constexpr std::int64_t max = 200;
    std::int64_t value = 50;
};

template <>
struct rule<page_limit> {
    static std::optional<page_limit> parse(const boost::json::value& in, const path& at,
                                           validation_errors& errors);
    static std::optional<page_limit> parse_text(std::string_view in, const path& at,
                                                validation_errors& errors);
    static constexpr bool is_optional = true;
    static void write(std::string& out, page_limit limit) { write_integer(out, limit.value); }
    static boost::json::object openapi(openapi_context&);
};

} // namespace schemas
