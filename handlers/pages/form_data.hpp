// Form bodies: the fields of a submitted HTML form, on their way into the schema of an endpoint.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "handlers/http/input.hpp"
#include "schemas/engine/schema.hpp"

#include <optional>
#include <string_view>
#include <type_traits>
#include <utility>

namespace handlers::pages {

/** The fields of a form. A field that is left empty counts as absent, as in the JSON API. Names that no
    schema has, such as that of the pressed button, are the page's own. */
class form_data {
public:
    form_data() = default;

    /** Reads a body of `application/x-www-form-urlencoded` in UTF-8 (WHATWG URL, section 5.1).
        @return 415 for another type or charset; 400 for malformed percent-encoding or a repeated name */
    static result<form_data> read(const request& req);

    /// The decoded parameters of a query string, as far as they are well-formed.
    static form_data of_query(const request& req);

    /// The value of a field; empty if it is absent.
    std::string_view operator[](std::string_view name) const;

    /// Replace a value.
    void set(std::string_view name, std::string value);

    /// The fields as the input of an endpoint, or the 422 with all of their errors.
    template <class In>
    result<In> as() const
    {
        return to_result(schemas::parse_form<In>(pairs_));
    }

private:
    decoded_pairs pairs_;
};

namespace detail {

template <class In>
struct form_input {
    static result<In> read(const form_data& form) { return form.as<In>(); }
};

template <class In>
struct form_input<std::optional<In>> {
    static result<std::optional<In>> read(const form_data& form)
    {
        auto in = form.as<In>();
        if (!in)
            return in.error();
        return std::optional<In>(std::move(*in));
    }
};

template <class In>
struct form_input<query<In>> {
    static result<query<In>> read(const form_data& form)
    {
        auto in = form.as<In>();
        if (!in)
            return in.error();
        return query<In>{std::move(*in)};
    }
};

} // namespace detail

/** Runs an endpoint of the JSON API with the fields of a form as its input: same schema, same limits, same
    errors. @return what the endpoint returns, or the 422 of its input as a problem */
template <auto Endpoint>
auto run_endpoint(call& c, const form_data& form)
    -> decltype(Endpoint(c, std::declval<handlers::detail::argument_t<Endpoint>>()))
{
    auto in = detail::form_input<handlers::detail::argument_t<Endpoint>>::read(form);
    if (!in)
        co_return in.error();
    co_return co_await Endpoint(c, std::move(*in));
}

} // namespace handlers::pages
