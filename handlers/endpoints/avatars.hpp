// Avatars: uploaded, removed, shown to other members.
#pragma once

#include "handlers/http/handler.hpp"
#include "schemas/user.hpp"

#include <cstddef>

namespace handlers::avatars {

/// The largest picture, in bytes.
inline constexpr std::size_t max_size = std::size_t{2} << 20;

/** Stores the body as the caller's avatar: PNG, JPEG or WebP by its content, regardless of its Content-Type.
    415 for anything else, and for too many pixels. */
awaitable<answer<schemas::user>> replace(call& c);

awaitable<answer<no_content>> remove(call& c);

/// The avatar of the user in the path, for the user and members of a common workspace; 404 for others. 304 if
/// the client has it.
awaitable<reply> show(call& c);

} // namespace handlers::avatars
