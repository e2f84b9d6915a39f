// Pictures of people: put up, taken down, shown to colleagues.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/user.hpp"

namespace handlers::avatars {

/** The largest picture, in bytes. */
inline constexpr std::size_t largest = std::size_t{2} << 20;

/** Take the body as the caller's picture: PNG, JPEG or WebP by its content, whatever it is declared as. 415
   for anything else, and for one of too many pixels. */
awaitable<answer<schemas::user>> replace(call& c);

awaitable<answer<nothing>> remove(call& c);

/** The picture of whom the path names, for themselves and their colleagues; 404 for anybody else. 304 where
   the reader has it. */
awaitable<reply> show(call& c);

} // namespace handlers::avatars
