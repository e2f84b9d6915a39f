// The signature of a handler: the types of its parameters and of what it returns.
#pragma once

#include "handlers/http/fwd.hpp"
#include "handlers/http/problem.hpp"

namespace handlers {

/** A handler is a free function of one of these forms, in which `In` is a schema:

        awaitable<answer<Out>> f(call&);                       reads no input
        awaitable<answer<Out>> f(call&, In body);              a JSON body
        awaitable<answer<Out>> f(call&, std::optional<In>);    an optional JSON body
        awaitable<answer<Out>> f(call&, query<In>);            the query string
        awaitable<answer<Out>> f(call&, form<In>);             a form

        awaitable<std::variant<Out, accepted, problem>>        where the status may be 202 instead
        awaitable<std::variant<Out, with_status<T>, problem>>  where it may be T with another status
        awaitable<reply>                                       a handler that writes the response itself
        reply                                                  the same, without suspending: can run inline

    Invalid input is answered with 400, 415 or 422 before the handler runs. */

/// A success without a body.
struct no_content {};

/// 202: a success that does not disclose what was done.
struct accepted {};

/// A body with another status than that of the route.
template <class T>
struct with_status {
    unsigned status = 200;
    T body;
};

/// Input from the query string.
template <class T>
struct query {
    T value;
    const T* operator->() const { return &value; }
};

/// Input from a form body (`application/x-www-form-urlencoded`).
template <class T>
struct form {
    T value;
    const T* operator->() const { return &value; }
};

} // namespace handlers
