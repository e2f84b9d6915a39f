// Forward declarations of what handlers work with, and their coroutine type.
#pragma once

#include "db/postgres/async.hpp"

namespace handlers {

struct call;
struct context;
struct operation;
struct problem;
struct reply;
struct request;

template <class T>
using awaitable = db::awaitable<T>;

} // namespace handlers
