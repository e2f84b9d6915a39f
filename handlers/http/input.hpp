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

/// The decoded pairs of a query string or a form. @return nothing if the percent-encoding or UTF-8 is invalid
std::optional<std::vector<std::pair<std::string, std::string>>> decode_query(std::string_view query);

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

template <class T>
result<T> read_query(const request& req)
{
    auto pairs = decode_query(req.query);
    if (!pairs)
        return problem::of(codes::bad_request, "The query string is not well-formed.");
    return to_result(schemas::parse_query<T>(*pairs));
}

template <class T>
result<T> read_form(const request& req)
{
    if (!is_form(req.header(http::field::content_type)))
        return problem::unsupported_media_type("application/x-www-form-urlencoded");
    auto pairs = decode_query(req.body());
    if (!pairs)
        return problem::of(codes::bad_request, "The form is not well-formed.");
    return to_result(schemas::parse_form<T>(*pairs));
}

} // namespace handlers
