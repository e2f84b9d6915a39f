// Input: parses a body, query string or form into a schema, or into the problem that lists all its errors.
#pragma once

#include "handlers/http/message.hpp"
#include "handlers/http/problem.hpp"
#include "schemas/engine/schema.hpp"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace handlers {

/// `application/json`, with any parameters.
bool is_json(std::string_view content_type);

/// `application/x-www-form-urlencoded`, with any parameters.
bool is_form(std::string_view content_type);

/// Whether decoded text has to be UTF-8 without control characters.
enum class text_check { enforced, none };

using decoded_pairs = std::vector<std::pair<std::string, std::string>>;

/// The decoded pairs of a query string or a form. @return nothing if the percent-encoding or the text is
/// invalid
std::optional<decoded_pairs> decode_query(std::string_view query, text_check check = text_check::enforced);

/// Percent-decodes one segment of a path. @return nothing if it is not well-formed UTF-8 text
std::optional<std::string> decode_segment(std::string_view segment);

template <class T>
result<T> to_result(schemas::parsed<T> outcome)
{
    switch (outcome.status) {
    case schemas::parse_status::ok:
        return std::move(*outcome.value);
    case schemas::parse_status::malformed_json:
        return problem::of(codes::malformed_json);
    case schemas::parse_status::invalid:
        break;
    }
    return problem::validation_error(std::move(outcome.errors));
}

template <class T>
result<T> read_json(const request& req)
{
    if (!is_json(req.header(http::field::content_type)))
        return problem::unsupported_media_type("application/json");
    return to_result(schemas::parse_body<T>(req.body()));
}

/// Input with `static constexpr bool accepts_any_text = true` leaves all checks to its members.
template <class T>
result<T> read_query(const request& req)
{
    constexpr bool accepts_any_text = requires { requires T::accepts_any_text; };
    auto pairs = decode_query(req.query, accepts_any_text ? text_check::none : text_check::enforced);
    if (!pairs)
        return problem::of(codes::bad_request, "The query string is not well-formed.");
    return to_result(schemas::parse_query<T>(*pairs));
}

/** Forms are the input of OAuth's endpoints: errors have its shape, and a parameter without a value counts as
    omitted (RFC 6749, sections 3.1 and 5.2). */
template <class T>
result<T> read_form(const request& req)
{
    if (!is_form(req.header(http::field::content_type)))
        return problem::unsupported_media_type("application/x-www-form-urlencoded");
    auto pairs = decode_query(req.body(), text_check::none);
    if (!pairs)
        return problem::of(codes::invalid_request, "The form is not well-formed.");
    std::erase_if(*pairs, [](auto& pair) { return pair.second.empty(); });
    auto read = schemas::parse_form<T>(*pairs);
    if (!read)
        return problem::of(codes::invalid_request);
    return std::move(*read.value);
}

} // namespace handlers
