// Avatars: images of users, with a version for HTTP caching.
#pragma once

#include "db/postgres/pool.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace db::avatars {

/// Stores an image and sets the user's avatar_version to a number never used before.
awaitable<void> replace(pool& db, uuid user_id, std::string content_type, std::vector<std::uint8_t> bytes);

/// Deletes the image. Idempotent.
awaitable<void> remove(pool& db, uuid user_id);

struct row {
    std::int32_t version = 0;
    std::string content_type;

    /// Empty if they were not asked for.
    std::vector<std::uint8_t> bytes;
};
BOOST_DESCRIBE_STRUCT(row, (), (version, content_type, bytes))

/// What to read of an image besides its version and type.
enum class content { none, bytes };

/** A user's image, if the viewer may see it: their own, or that of a user in the same workspace.
    @param viewer    the requesting user; nothing: a workspace's API key
    @param workspace the only workspace to consider; nothing: all of the viewer's
    @return nothing if there is no image, or none visible to the viewer */
awaitable<std::optional<row>> find(pool& db, uuid user_id, std::optional<uuid> viewer,
                                   std::optional<uuid> workspace, content wanted = content::bytes);

} // namespace db::avatars
