// Adapts a handler to a route: parses the input by its type, calls the handler, serializes what it returns.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/handler.hpp"
#include "handlers/http/input.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/route.hpp"
#include "schemas/engine/schema.hpp"

#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

namespace handlers {

namespace detail {

/// Reads a handler's last parameter, by its type.
template <class T>
struct input_reader {
    using schema = T;
    static constexpr auto source = input_source::json;
    static result<T> read(const request& req) { return read_json<T>(req); }
};

template <class T>
struct input_reader<std::optional<T>> {
    using schema = T;
    static constexpr auto source = input_source::optional_json;
    static result<std::optional<T>> read(const request& req)
    {
        if (req.body().empty())
            return std::optional<T>();
        auto body = read_json<T>(req);
        if (!body)
            return body.error();
        return std::optional<T>(std::move(*body));
    }
};

template <class T>
struct input_reader<query<T>> {
    using schema = T;
    static constexpr auto source = input_source::query;
    static result<query<T>> read(const request& req)
    {
        auto values = read_query<T>(req);
        if (!values)
            return values.error();
        return query<T>{std::move(*values)};
    }
};

template <class T>
struct input_reader<form<T>> {
    using schema = T;
    static constexpr auto source = input_source::form;
    static result<form<T>> read(const request& req)
    {
        auto values = read_form<T>(req);
        if (!values)
            return values.error();
        return form<T>{std::move(*values)};
    }
};

template <class F>
struct argument_of;
template <class R>
struct argument_of<R (*)(call&)> {
    using type = void;
};
template <class R, class In>
struct argument_of<R (*)(call&, In)> {
    using type = In;
};

/// The type of a handler's input; void if it has none.
template <auto F>
using argument_t = typename argument_of<decltype(F)>::type;

/// A handler's return type, as the route table and the OpenAPI document see it. The primary template is that
/// of a handler that writes its reply itself: it describes no schema.
template <class R>
struct outcome_of {
    static constexpr bool is_awaited = false;
    static constexpr schemas::describer describe_output = nullptr, describe_error = nullptr;
    static constexpr bool may_be_accepted = false;
};

template <class R>
struct outcome_of<awaitable<R>> : outcome_of<R> {
    static constexpr bool is_awaited = true;
};

template <class Out, class... Others>
struct outcome_of<std::variant<Out, Others...>> {
    static constexpr bool is_awaited = false;
    static constexpr bool may_be_accepted = (std::is_same_v<Others, accepted> || ...);

    static constexpr schemas::describer describe_output = []() -> schemas::describer {
        if constexpr (std::is_same_v<Out, no_content>)
            return nullptr;
        else
            return &schemas::describe<Out>;
    }();

    /// The body of a `with_status` alternative; null if there is none.
    static constexpr schemas::describer describe_error = [] {
        schemas::describer out = nullptr;
        (
            [&]<class T>(std::type_identity<T>) {
                if constexpr (requires(T outcome) { outcome.body; })
                    out = &schemas::describe<decltype(T::body)>;
            }(std::type_identity<Others>()),
            ...);
        return out;
    }();
};

template <class R, class... In>
std::type_identity<R> returned_by(R (*)(call&, In...));

template <auto F>
using outcome_t = outcome_of<typename decltype(returned_by(F))::type>;

inline reply write(reply&& out, unsigned)
{
    return std::move(out);
}

template <class T>
reply write(const T& value, unsigned success)
{
    reply out;
    out.status = success;
    if constexpr (std::is_same_v<T, no_content>)
        out.content_type = {};
    else
        schemas::append_json(out.body, value);
    return out;
}

template <class... Outcomes>
reply write(const std::variant<Outcomes...>& outcome, unsigned success)
{
    return std::visit(
        [success]<class T>(const T& value) {
            if constexpr (std::is_same_v<T, problem>)
                return to_reply(value);
            else if constexpr (std::is_same_v<T, accepted>)
                return write(no_content(), 202);
            else if constexpr (requires { value.body; })
                return write(value.body, value.status);
            else
                return write(value, success);
        },
        outcome);
}

/// Runs a handler that does not suspend.
template <auto F>
reply run_sync(call& c)
{
    if constexpr (std::is_void_v<argument_t<F>>) {
        return F(c);
    } else {
        auto in = input_reader<argument_t<F>>::read(c.req);
        if (!in)
            return to_reply(in.error());
        return F(c, std::move(*in));
    }
}

/// Runs any handler.
template <auto F>
awaitable<reply> run(call& c, unsigned success)
{
    if constexpr (!outcome_t<F>::is_awaited) {
        co_return run_sync<F>(c);
    } else if constexpr (std::is_void_v<argument_t<F>>) {
        auto outcome = co_await F(c);
        co_return write(std::move(outcome), success);
    } else {
        auto in = input_reader<argument_t<F>>::read(c.req);
        if (!in)
            co_return to_reply(in.error());
        auto outcome = co_await F(c, std::move(*in));
        co_return write(std::move(outcome), success);
    }
}

} // namespace detail

/// A line of the route table for handler `F` (see handler.hpp).
template <auto F>
constexpr route on(http::verb method, std::string_view path, guard allowed, unsigned success = 200)
{
    using outcome = detail::outcome_t<F>;
    using argument = detail::argument_t<F>;
    route out{method, path, allowed, success, &handler_id<F>, &detail::run<F>};
    if constexpr (!outcome::is_awaited)
        out.run_sync = &detail::run_sync<F>;
    if constexpr (!std::is_void_v<argument>) {
        out.describe_input = &schemas::describe<typename detail::input_reader<argument>::schema>;
        out.source = detail::input_reader<argument>::source;
    }
    out.describe_output = outcome::describe_output;
    out.describe_error = outcome::describe_error;
    out.may_be_accepted = outcome::may_be_accepted;
    return out;
}

template <auto F>
constexpr route get(std::string_view path, guard allowed, unsigned success = 200)
{
    return on<F>(http::verb::get, path, allowed, success);
}

template <auto F>
constexpr route post(std::string_view path, guard allowed, unsigned success = 200)
{
    return on<F>(http::verb::post, path, allowed, success);
}

template <auto F>
constexpr route put(std::string_view path, guard allowed, unsigned success = 200)
{
    return on<F>(http::verb::put, path, allowed, success);
}

template <auto F>
constexpr route patch(std::string_view path, guard allowed, unsigned success = 200)
{
    return on<F>(http::verb::patch, path, allowed, success);
}

template <auto F>
constexpr route del(std::string_view path, guard allowed, unsigned success = 204)
{
    return on<F>(http::verb::delete_, path, allowed, success);
}

template <auto F>
constexpr route any(std::string_view path, guard allowed, unsigned success = 200)
{
    return on<F>(http::verb::unknown, path, allowed, success);
}

} // namespace handlers
