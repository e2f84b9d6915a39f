// From a plain function to a line of the route table: read the input by its type, call, write the output.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/input.hpp"
#include "handlers/http/problem.hpp"
#include "schemas/engine/openapi.hpp"
#include "schemas/engine/rule.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>

namespace handlers {

/** A handler's outcome: what it answers, or why it refuses. */
template <class T>
using answer = std::variant<T, problem>;

/** An answer without a body. */
struct nothing {};

/** The other answer of a handler that may have to keep to itself how it went: 202, and the mailbox tells. */
struct accepted {};

/** An answer whose status is not that of its route. */
template <class T>
struct with_status {
    unsigned status = 200;
    T body;
};

/** A handler's last parameter when it reads the query string instead of a body. */
template <class T>
struct query {
    T value;
    const T* operator->() const { return &value; }
};

/** The same when its body is a form (`application/x-www-form-urlencoded`), as OAuth has it. */
template <class T>
struct form {
    T value;
    const T* operator->() const { return &value; }
};

/** Where a handler's input comes from. */
enum class input_place { none, json, optional_json, query, form };

/** Who may call a route; `dispatch` sees to it before the handler runs. */
struct guard {
    enum class kind {
        unlimited,
        anyone,
        even_unverified,
        signed_in,
        permission,
        company_admin
    } who = kind::anyone;
    std::string_view permission = {};
    bool needs_workspace = true; ///< of whoever has a credential

    /** Also for who is signed in but belongs to no workspace: calls about oneself. */
    constexpr guard even_without_workspace() const
    {
        auto out = *this;
        out.needs_workspace = false;
        return out;
    }
};

inline constexpr guard unlimited{guard::kind::unlimited}; // anyone, and not even counted
inline constexpr guard anyone{};
inline constexpr guard even_unverified{
    guard::kind::even_unverified, {}, false}; // current_user, whatever their state
inline constexpr guard current_user{guard::kind::signed_in};
inline constexpr guard require_company_admin{guard::kind::company_admin};
constexpr guard require_permission(std::string_view p)
{
    return {guard::kind::permission, p};
}

/** One line of the route table. */
struct route {
    http::verb method; // unknown: any method
    std::string_view path;
    guard who;
    unsigned success; // status of the answer
    awaitable<reply> (*run)(call&, unsigned success);
    schemas::describer describe_input;  // null: reads nothing
    schemas::describer describe_output; // null: answers no schema
    schemas::describer describe_other;  // of with_status; null: there is none
    input_place input_from;
    bool may_be_accepted;                             // 202 instead, with nothing in it
    std::size_t body_limit = handlers::body_limit;    // in bytes
    reply (*run_now)(call&) = nullptr;                // a handler that never waits
    reply (*refuse)(call&, const problem&) = nullptr; // how a guard's refusal is told; null: as a problem

    template <auto F>
    constexpr route refused_by() const
    {
        auto out = *this;
        out.refuse = F;
        return out;
    }

    constexpr route taking_bytes(std::size_t most) const
    {
        auto out = *this;
        out.body_limit = most;
        return out;
    }

    /** What such a handler answers when it refuses, for the document alone. */
    template <class T>
    constexpr route refusing() const
    {
        auto out = *this;
        out.describe_other = &schemas::describe<T>;
        return out;
    }

    /** What a handler answers that makes its reply itself, for the document alone. */
    template <class T>
    constexpr route answering() const
    {
        auto out = *this;
        out.describe_output = &schemas::describe<T>;
        return out;
    }
};

namespace detail {

template <class T>
struct input {
    using schema = T;
    static constexpr auto place = input_place::json;
    static std::variant<T, problem> read(const request& req) { return read_json<T>(req); }
};

template <class T>
struct input<std::optional<T>> {
    using schema = T;
    static constexpr auto place = input_place::optional_json;
    static std::variant<std::optional<T>, problem> read(const request& req)
    {
        if (req.body().empty())
            return std::optional<T>();
        auto body = read_json<T>(req);
        if (auto fault = std::get_if<problem>(&body))
            return std::move(*fault);
        return std::optional<T>(std::move(std::get<T>(body)));
    }
};

template <class T>
struct input<query<T>> {
    using schema = T;
    static constexpr auto place = input_place::query;
    static std::variant<query<T>, problem> read(const request& req)
    {
        auto values = read_query<T>(req);
        if (auto fault = std::get_if<problem>(&values))
            return std::move(*fault);
        return query<T>{std::move(std::get<T>(values))};
    }
};

template <class T>
struct input<form<T>> {
    using schema = T;
    static constexpr auto place = input_place::form;
    static std::variant<form<T>, problem> read(const request& req)
    {
        auto values = read_form<T>(req);
        if (auto fault = std::get_if<problem>(&values))
            return std::move(*fault);
        return form<T>{std::move(std::get<T>(values))};
    }
};

template <class T>
reply write(const T& value, unsigned success)
{
    reply out;
    out.status = success;
    if constexpr (std::is_same_v<T, nothing>)
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
                return write(nothing(), 202);
            else if constexpr (requires { value.body; })
                return write(value.body, value.status);
            else
                return write(value, success);
        },
        outcome);
}

template <class Out>
constexpr schemas::describer describe_answer()
{
    if constexpr (std::is_same_v<Out, nothing>)
        return nullptr;
    else
        return &schemas::describe<Out>;
}

/** The describer of the one `with_status` among a handler's outcomes. */
template <class... Outcomes>
constexpr schemas::describer describe_other_of()
{
    schemas::describer out = nullptr;
    (
        [&]<class T>(std::type_identity<T>) {
            if constexpr (requires(T outcome) { outcome.body; })
                out = &schemas::describe<decltype(T::body)>;
        }(std::type_identity<Outcomes>()),
        ...);
    return out;
}

template <class F>
struct signature;

/** What a handler's type says of its route. */
struct plain_signature {
    static constexpr schemas::describer describe_input = nullptr;
    static constexpr schemas::describer describe_output = nullptr;
    static constexpr schemas::describer describe_other = nullptr;
    static constexpr auto place = input_place::none;
    static constexpr bool may_be_accepted = false;
    template <auto F>
    static constexpr reply (*run_now)(call&) = nullptr;
};

// A handler that makes its reply itself, and at once.
template <>
struct signature<reply (*)(call&)> : plain_signature {
    template <auto F>
    static constexpr reply (*run_now)(call&) = F;

    template <auto F>
    static awaitable<reply> run(call& c, unsigned)
    {
        co_return F(c);
    }
};

// The same, of a query string.
template <class In>
struct signature<reply (*)(call&, query<In>)> : plain_signature {
    static constexpr schemas::describer describe_input = &schemas::describe<In>;
    static constexpr auto place = input_place::query;

    template <auto F>
    static reply read_and_run(call& c)
    {
        auto in = input<query<In>>::read(c.req);
        if (auto refused = std::get_if<problem>(&in))
            return to_reply(*refused);
        return F(c, std::get<query<In>>(std::move(in)));
    }

    template <auto F>
    static constexpr reply (*run_now)(call&) = &read_and_run<F>;

    template <auto F>
    static awaitable<reply> run(call& c, unsigned)
    {
        co_return read_and_run<F>(c);
    }
};

// A handler that makes its reply itself.
template <>
struct signature<awaitable<reply> (*)(call&)> : plain_signature {
    template <auto F>
    static awaitable<reply> run(call& c, unsigned)
    {
        return F(c);
    }
};

// The same, of an input.
template <class In>
struct signature<awaitable<reply> (*)(call&, In)> : plain_signature {
    static constexpr schemas::describer describe_input = &schemas::describe<typename input<In>::schema>;
    static constexpr auto place = input<In>::place;

    template <auto F>
    static awaitable<reply> run(call& c, unsigned)
    {
        auto in = input<In>::read(c.req);
        if (auto refused = std::get_if<problem>(&in))
            co_return to_reply(*refused);
        co_return co_await F(c, std::get<In>(std::move(in)));
    }
};

template <class Out, class... Others>
struct signature<awaitable<std::variant<Out, Others...>> (*)(call&)> : plain_signature {
    static constexpr auto describe_output = describe_answer<Out>();
    static constexpr auto describe_other = describe_other_of<Others...>();
    static constexpr bool may_be_accepted = (std::is_same_v<Others, accepted> || ...);

    template <auto F>
    static awaitable<reply> run(call& c, unsigned success)
    {
        auto outcome = co_await F(c);
        co_return write(outcome, success);
    }
};

template <class Out, class... Others, class In>
struct signature<awaitable<std::variant<Out, Others...>> (*)(call&, In)> : plain_signature {
    static constexpr schemas::describer describe_input = &schemas::describe<typename input<In>::schema>;
    static constexpr auto place = input<In>::place;
    static constexpr auto describe_output = describe_answer<Out>();
    static constexpr auto describe_other = describe_other_of<Others...>();
    static constexpr bool may_be_accepted = (std::is_same_v<Others, accepted> || ...);

    template <auto F>
    static awaitable<reply> run(call& c, unsigned success)
    {
        auto in = input<In>::read(c.req);
        if (auto refused = std::get_if<problem>(&in))
            co_return to_reply(*refused);
        auto outcome = co_await F(c, std::get<In>(std::move(in)));
        co_return write(outcome, success);
    }
};

} // namespace detail

/** A line of the route table for handler `F`, which is one of

        awaitable<answer<Out>> f(call&);                       reads nothing
        awaitable<answer<Out>> f(call&, In body);              a JSON body
        awaitable<answer<Out>> f(call&, std::optional<In>);    a JSON body that may be left out
        awaitable<answer<Out>> f(call&, query<In>);            the query string
        awaitable<answer<Out>> f(call&, form<In>);             a form
        awaitable<std::variant<Out, accepted, problem>> …      any of these, where the answer may be 202
   instead awaitable<std::variant<Out, with_status<T>, problem>>  the same, where it may be T under another
   status awaitable<reply> f(call&);                             all by itself awaitable<reply> f(call&, In);
   the same, of any of these inputs reply f(call&);                                        all by itself, at
   once reply f(call&, query<In>);                             the same, of the query string

    Faults of the input are answered 400, 415 or 422 before F runs. */
template <auto F>
constexpr route on(http::verb method, std::string_view path, guard who, unsigned success = 200)
{
    using s = detail::signature<decltype(F)>;
    return {method,
            path,
            who,
            success,
            &s::template run<F>,
            s::describe_input,
            s::describe_output,
            s::describe_other,
            s::place,
            s::may_be_accepted,
            body_limit,
            s::template run_now<F>};
}

template <auto F>
constexpr route get(std::string_view path, guard who, unsigned success = 200)
{
    return on<F>(http::verb::get, path, who, success);
}

template <auto F>
constexpr route post(std::string_view path, guard who, unsigned success = 200)
{
    return on<F>(http::verb::post, path, who, success);
}

template <auto F>
constexpr route put(std::string_view path, guard who, unsigned success = 200)
{
    return on<F>(http::verb::put, path, who, success);
}

template <auto F>
constexpr route patch(std::string_view path, guard who, unsigned success = 200)
{
    return on<F>(http::verb::patch, path, who, success);
}

template <auto F>
constexpr route del(std::string_view path, guard who, unsigned success = 204)
{
    return on<F>(http::verb::delete_, path, who, success);
}

template <auto F>
constexpr route any(std::string_view path, guard who, unsigned success = 200)
{
    return on<F>(http::verb::unknown, path, who, success);
}

} // namespace handlers
