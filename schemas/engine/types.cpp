#include "schemas/engine/types.hpp"

#include "schemas/engine/time_zones.hpp"
#include "schemas/engine/unicode.hpp"
#include "schemas/engine/utf8.hpp"

#include <algorithm>

namespace schemas {

namespace json = boost::json;

namespace {

constexpr bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}
constexpr bool is_alpha(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}
constexpr bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}
constexpr bool is_non_ascii(char c)
{
    return static_cast<unsigned char>(c) >= 0x80;
}

/// Whether `check` holds for every part between separators, including empty ones.
template <class Check>
bool all_parts(std::string_view text, char separator, Check check)
{
    for (;;) {
        const auto end = text.find(separator);
        if (!check(text.substr(0, end)))
            return false;
        if (end == std::string_view::npos)
            return true;
        text.remove_prefix(end + 1);
    }
}

void add_pattern_error(const path& at, std::string msg, validation_errors& errors)
{
    errors.add(at, "string_pattern_mismatch", std::move(msg));
}

bool check_bytes(std::string_view in, std::size_t max, const path& at, validation_errors& errors)
{
    if (in.size() <= max)
        return true;
    errors.add(at, "string_too_long", "must have at most " + std::to_string(max) + " bytes");
    return false;
}

constexpr std::size_t max_password_bytes = 1024;

} // namespace

bool check_length(std::string_view in, std::size_t min, std::size_t max, const path& at,
                  validation_errors& errors)
{
    const auto length = count_code_points(in);
    if (length < min)
        errors.add(at, "string_too_short", "must have at least " + std::to_string(min) + " characters");
    else if (length > max)
        errors.add(at, "string_too_long", "must have at most " + std::to_string(max) + " characters");
    return length >= min && length <= max;
}

bool check_printable(std::string_view in, const path& at, validation_errors& errors)
{
    while (!in.empty()) {
        const auto c = take_code_point(in);
        if (c && !is_control(*c))
            continue;
        errors.add(at, "value_error", c ? "must not have control characters" : "must be UTF-8");
        return false;
    }
    return true;
}

bool check_name(std::string_view in, const path& at, validation_errors& errors)
{
    const auto refuse = [&](const char* why) {
        errors.add(at, "value_error", why);
        return false;
    };
    switch (find_nickname_fault(in)) {
    case nickname_fault::none:
        break;
    case nickname_fault::malformed:
        return refuse("must be UTF-8");
    case nickname_fault::control:
        return refuse("must not have control characters");
    case nickname_fault::bidi_control:
        return refuse("must not have bidirectional control characters");
    case nickname_fault::disallowed:
        return refuse("must not have invisible, unassigned or private-use characters");
    case nickname_fault::blank:
        return refuse("must have a visible character");
    }
    return true;
}

std::optional<std::string> read_name(std::string_view in, std::size_t min, std::size_t max, const path& at,
                                     validation_errors& errors)
{
    auto name = to_nickname(in);
    if ((!in.empty() && !check_name(name, at, errors)) || !check_length(name, min, max, at, errors))
        return std::nullopt;
    return name;
}

/// Without these patterns, the schemas would promise to accept every character.
constexpr std::string_view printable = "[^\\u0000-\\u001F\\u007F-\\u009F\\u2028\\u2029]*$";

json::object text_schema(std::size_t min_length, std::size_t max_length)
{
    json::object out = string_schema(min_length, max_length);
    out["pattern"] = "^" + std::string(printable);
    return out;
}

json::object name_schema(std::size_t min_length, std::size_t max_length)
{
    json::object out = string_schema(min_length, max_length);
    out["pattern"] = "^(?=.*\\S)" + std::string(printable);
    return out;
}

// ---- email addresses and domains

namespace {

/// atext of RFC 5322, and UTF-8 (RFC 6532).
bool is_atom(std::string_view part)
{
    constexpr std::string_view symbols = "!#$%&'*+-/=?^_`{|}~";
    return !part.empty() && std::all_of(part.begin(), part.end(), [&](char c) {
        return is_alpha(c) || is_digit(c) || is_non_ascii(c) || symbols.find(c) != std::string_view::npos;
    });
}

bool is_domain_label(std::string_view part)
{
    return !part.empty() && part.size() <= 63 && part.front() != '-' && part.back() != '-' &&
           std::all_of(part.begin(), part.end(),
                       [](char c) { return is_alpha(c) || is_digit(c) || c == '-'; });
}

/// The last label must not be numeric: that would be an IPv4 address.
bool is_domain(std::string_view text)
{
    const auto dot = text.rfind('.');
    if (dot == std::string_view::npos || !all_parts(text, '.', is_domain_label))
        return false;
    const auto last = text.substr(dot + 1);
    return !std::all_of(last.begin(), last.end(), is_digit);
}

constexpr std::size_t max_domain_bytes = 253;

bool is_visible(std::string_view text)
{
    while (!text.empty()) {
        const auto c = take_code_point(text);
        if (!c || is_control(*c) || is_blank(*c))
            return false;
    }
    return true;
}

/// Whether the local part is valid, and all of the address visible; the domain is valid_domain()'s to check.
bool has_valid_local_part(std::string_view in)
{
    const auto at_sign = in.rfind('@');
    if (at_sign == std::string_view::npos)
        return false;
    const auto local = in.substr(0, at_sign);
    return local.size() <= 64 && all_parts(local, '.', is_atom) && is_visible(in);
}

/// An ASCII label with hyphens as third and fourth character, such as an A-label, which has to be decoded.
bool is_encoded_label(std::string_view part)
{
    return part.size() >= 4 && part.substr(2, 2) == "--";
}

/** The ASCII form of a domain, or nothing if it is invalid. The rules for labels apply to what UTS #46 makes
    of the text, since it makes dots, digits and hyphens of other characters. */
std::optional<std::string> valid_domain(std::string_view text)
{
    const bool is_plain = std::none_of(text.begin(), text.end(), is_non_ascii) &&
                          all_parts(text, '.', [](auto part) { return !is_encoded_label(part); });
    auto ascii = is_plain ? std::optional(fold_case(text)) : domain_to_ascii(text);
    if (!ascii || ascii->size() > max_domain_bytes || !is_domain(*ascii))
        return std::nullopt;
    return ascii;
}

constexpr std::size_t max_email_bytes = 254; // RFC 5321's 256 for a path, minus the angle brackets

} // namespace

std::optional<email_address> email_address::read(std::string_view in, const path& at,
                                                 validation_errors& errors)
{
    if (!check_bytes(in, max_email_bytes, at, errors))
        return std::nullopt;
    const bool has_local_part = has_valid_local_part(in);
    const auto at_sign = in.rfind('@');
    const auto domain = has_local_part ? valid_domain(in.substr(at_sign + 1)) : std::nullopt;
    if (!domain) {
        errors.add(at, "value_error", "must be an email address");
        return std::nullopt;
    }
    return email_address{std::string(in), fold_case(in.substr(0, at_sign)) + '@' + *domain};
}

std::string normalize_email(std::string_view address)
{
    const auto at_sign = address.rfind('@');
    if (at_sign == std::string_view::npos)
        return fold_case(address);
    return fold_case(address.substr(0, at_sign)) + '@' + normalize_domain(address.substr(at_sign + 1));
}

std::string normalize_domain(std::string_view domain)
{
    auto ascii = valid_domain(domain);
    return ascii ? std::move(*ascii) : to_lower_ascii(domain);
}

json::object email_address::openapi()
{
    json::object out = format_schema("email");
    out["maxLength"] = max_email_bytes;
    return out;
}

std::optional<domain_name> domain_name::read(std::string_view in, const path& at, validation_errors& errors)
{
    if (!check_bytes(in, max_domain_bytes, at, errors))
        return std::nullopt;
    auto ascii = is_visible(in) ? valid_domain(in) : std::nullopt;
    if (!ascii) {
        errors.add(at, "value_error", "must be a domain such as example.com");
        return std::nullopt;
    }
    return domain_name{std::move(*ascii)};
}

json::object domain_name::openapi()
{
    json::object out = format_schema("idn-hostname");
    out["maxLength"] = max_domain_bytes;
    out["description"] = "Stored and returned in lower case, with A-labels.";
    return out;
}

// ---- passwords

std::optional<new_password> new_password::read(std::string_view in, const path& at, validation_errors& errors)
{
    if (!check_bytes(in, max_password_bytes, at, errors) ||
        !check_length(in, 1, max_password_bytes, at, errors))
        return std::nullopt;
    auto value = to_opaque_string(in);
    if (!value) {
        errors.add(at, "value_error", "must not have control characters");
        return std::nullopt;
    }
    if (!check_bytes(*value, max_password_bytes, at, errors) ||
        !check_length(*value, 8, max_password_bytes, at, errors))
        return std::nullopt;
    return new_password{std::move(*value)};
}

json::object new_password::openapi()
{
    json::object out = string_schema(8, max_password_bytes);
    out["format"] = "password";
    out["pattern"] = "^[^\\u0000-\\u001F\\u007F-\\u009F]*$";
    return out;
}

std::optional<existing_password> existing_password::read(std::string_view in, const path& at,
                                                         validation_errors& errors)
{
    if (!check_bytes(in, max_password_bytes, at, errors) ||
        !check_length(in, 1, max_password_bytes, at, errors))
        return std::nullopt;
    auto value = to_opaque_string(in);
    if (!value || *value == in || value->size() > max_password_bytes)
        return existing_password{std::string(in)};
    return existing_password{std::move(*value), std::string(in)};
}

json::object existing_password::openapi()
{
    json::object out = string_schema(1, max_password_bytes);
    out["format"] = "password";
    return out;
}

// ---- settings

std::optional<locale_tag> locale_tag::read(std::string_view in, const path& at, validation_errors& errors)
{
    const auto is_subtag = [](std::string_view part) {
        return !part.empty() && part.size() <= 8 &&
               std::all_of(part.begin(), part.end(), [](char c) { return is_alpha(c) || is_digit(c); });
    };
    const auto language = in.substr(0, in.find('-'));
    const bool is_tag = in.size() <= 35 && language.size() >= 2 &&
                        std::all_of(language.begin(), language.end(), is_alpha) &&
                        all_parts(in, '-', is_subtag);
    if (!is_tag) {
        add_pattern_error(at, "must be a language tag such as en or pt-BR", errors);
        return std::nullopt;
    }
    const auto canonical = canonical_language_tag(in);
    if (canonical == in)
        return locale_tag{std::string(in)};
    errors.add(at, "value_error",
               canonical ? "must be in the canonical form: " + *canonical : "must be a tag of BCP 47");
    return std::nullopt;
}

json::object locale_tag::openapi()
{
    json::object out = string_schema(2, 35);
    out["pattern"] = "^[a-z]{2,8}(-[A-Za-z0-9]{1,8})*$";
    out["description"] = "A language tag of BCP 47 in its canonical form.";
    return out;
}

std::optional<time_zone_name> time_zone_name::read(std::string_view in, const path& at,
                                                   validation_errors& errors)
{
    const auto is_part = [](std::string_view part) {
        return !part.empty() && is_alpha(part.front()) && std::all_of(part.begin(), part.end(), [](char c) {
            return is_alpha(c) || is_digit(c) || c == '_' || c == '+' || c == '-';
        });
    };
    if (in.size() > 64 || !all_parts(in, '/', is_part)) {
        add_pattern_error(at, "must be a time zone such as Europe/Berlin or UTC", errors);
        return std::nullopt;
    }
    if (is_time_zone(in))
        return time_zone_name{std::string(in)};
    errors.add(at, "value_error", "must be a time zone of the tz database, such as Europe/Berlin or UTC");
    return std::nullopt;
}

json::object time_zone_name::openapi()
{
    json::object out = string_schema(1, 64);
    out["pattern"] = "^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z][A-Za-z0-9_+-]*)*$";
    out["description"] = "A zone or an alias of the tz database.";
    return out;
}

// ---- scopes

std::optional<scope> scope::read(std::string_view in, const path& at, validation_errors& errors)
{
    const auto is_word = [](std::string_view part) {
        return !part.empty() &&
               std::all_of(part.begin(), part.end(), [](char c) { return is_lower(c) || c == '_'; });
    };
    const auto colon = in.find(':');
    const bool is_pair = in.size() <= 64 && colon != std::string_view::npos && is_word(in.substr(0, colon)) &&
                         is_word(in.substr(colon + 1));
    if (in == "*" || is_pair)
        return scope{std::string(in)};
    add_pattern_error(at, "must be * or a permission such as content:read", errors);
    return std::nullopt;
}

json::object scope::openapi()
{
    json::object out = string_schema(1, 64);
    out["pattern"] = "^(\\*|[a-z_]+:[a-z_]+)$";
    return out;
}

using received_scopes = bounded_list<scope, 1, 100>;

std::optional<scope_list> rule<scope_list>::parse(const json::value& in, const path& at,
                                                  validation_errors& errors)
{
    auto received = rule<received_scopes>::parse(in, at, errors);
    if (!received)
        return std::nullopt;
    scope_list out;
    for (auto& scope : *received) {
        if (std::find(out.items.begin(), out.items.end(), scope.value) == out.items.end())
            out.items.push_back(std::move(scope.value));
    }
    return out;
}

void rule<scope_list>::write(std::string& out, const scope_list& list)
{
    rule<std::vector<std::string>>::write(out, list.items);
}

json::object rule<scope_list>::openapi(openapi_context& cx)
{
    return rule<received_scopes>::openapi(cx);
}

// ---- paging

namespace {

std::optional<page_limit> to_page_limit(std::optional<std::int64_t> number)
{
    if (!number)
        return std::nullopt;
    return page_limit{std::min(*number, page_limit::max)};
}

constexpr std::int64_t no_upper_bound = std::numeric_limits<std::int64_t>::max();

} // namespace

std::optional<page_limit> rule<page_limit>::parse(const json::value& in, const path& at,
                                                  validation_errors& errors)
{
    return to_page_limit(parse_integer(in, 1, no_upper_bound, at, errors));
}

std::optional<page_limit> rule<page_limit>::parse_text(std::string_view in, const path& at,
                                                       validation_errors& errors)
{
    return to_page_limit(parse_integer(in, 1, no_upper_bound, at, errors));
}

json::object rule<page_limit>::openapi(openapi_context&)
{
    json::object out = integer_schema(1, no_upper_bound);
    out["default"] = page_limit{}.value;
    out["description"] = "Values above " + std::to_string(page_limit::max) + " are clamped.";
    return out;
}

} // namespace schemas
