// Avatars: uploaded, removed, shown to other members.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/user.hpp"

#include <cstddef>

namespace handlers::avatars {

/// The largest picture, in bytes.
inline constexpr std::size_t max_size = std::size_t{2} << 20;

/** Stores the body as the caller's avatar, without its metadata: PNG, JPEG or WebP by its content, regardless
    of its Content-Type. 415 for anything else, and for too many pixels. */
awaitable<answer<schemas::user>> replace(call& c);

awaitable<answer<no_content>> remove(call& c);

/// The avatar of the user in the path, for the user and members of a common workspace; 404 for others. 304 if
/// the client has it.
awaitable<reply> show(call& c);

inline constexpr operation operations[] = {
    describes<&replace>(
        tags::profile, "replaceAvatar", "Set the profile picture",
        "A PNG, JPEG or WebP of at most 2 MiB; the content decides, not the declared type. It is "
        "stored without metadata: of Exif, only the orientation is kept.")
        .fails_with(codes::forbidden, codes::not_found, codes::payload_too_large,
                    codes::unsupported_media_type),
    describes<&remove>(tags::profile, "removeAvatar", "Remove the profile picture")
        .fails_with(codes::forbidden),
    describes<&show>(tags::profile, "showAvatar", "Show the picture of a user of a shared workspace")
        .responds(200, "The picture, as PNG, JPEG or WebP.", "image/*")
        .responds(304, "It is one that `If-None-Match` lists."),
};

} // namespace handlers::avatars
