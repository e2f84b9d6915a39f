// Reading a request's input into a schema, or into the problem that says all that is wrong with it.
#pragma once

#include "handlers/http/message.hpp"
#include "handlers/http/problem.hpp"
#include "schemas/engine/rule.hpp"

#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace handlers {

/** Whether the content type is JSON: `application/json`, parameters allowed. */
bool is_json(std::string_view content_type);

/** Whether it is `application/x-www-form-urlencoded`. */
bool is_form(std::string_view content_type);

/** The decoded pairs of a query string or a form. @return nothing if its percent-encoding or its UTF-8 is
 * broken */
std::optional<std::vector<std::pair<std::string, std::string>>> decode_query(std::string_view query);

/** Percent-decode one segment of a path. @return nothing if it is not well-formed UTF-8 text */
std::optional<std::string> decode_segment(std::string_view segment);

template <class T>
std::variant<T, problem> settle(schemas::parsed<T> outcome)
{
    switch (outcome.status) {
    case schemas::verdict::ok:
        return std::move(*outcome.value);
    case schemas::verdict::malformed_json:
        return problem::malformed_json();
    case schemas::verdict::invalid:
        break;
    }
    return problem::validation(std::move(outcome.faults));
}

template <class T>
std::variant<T, problem> read_json(const request& req)
{
    if (!is_json(req.header(http::field::content_type)))
        return problem::unsupported_media_type("application/json");
    return settle(schemas::parse_body<T>(req.body()));
}

template <class T>
std::variant<T, problem> read_query(const request& req)
{
    auto pairs = decode_query(req.query);
    if (!pairs)
        return problem::bad_request("The query string is not well-formed.");
    return settle(schemas::parse_query<T>(*pairs));
}

template <class T>
std::variant<T, problem> read_form(const request& req)
{
    if (!is_form(req.header(http::field::content_type)))
        return problem::unsupported_media_type("application/x-www-form-urlencoded");
    auto pairs = decode_query(req.body());
    if (!pairs)
        return problem::bad_request("The form is not well-formed.");
    return settle(schemas::parse_form<T>(*pairs));
}

} // namespace handlers
