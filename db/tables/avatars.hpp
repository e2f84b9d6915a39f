// Pictures of people.
#pragma once

#include "db/postgres/pool.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace db::avatars {

/// Put a picture in the place of the one before. Writes the user's avatar_version, which has never been
/// before.
awaitable<void> replace(pool& db, uuid user_id, std::string content_type, std::vector<std::uint8_t> bytes);

/// Take the picture down; without one nothing happens.
awaitable<void> remove(pool& db, uuid user_id);

struct row {
    std::int32_t version = 0;
    std::string content_type;
    std::vector<std::uint8_t> bytes; ///< empty if the reader has this version
};
BOOST_DESCRIBE_STRUCT(row, (), (version, content_type, bytes))

/** A person's picture, for who may see it: one's own, or anybody's who shares a workspace.
    @param viewer    the person who asks; nothing: a workspace's key
    @param workspace the only one that counts; nothing: all of the viewer's
    @param known     the version that the reader has: its bytes do not travel again
    @return nothing if there is no picture, or none that the viewer may see */
awaitable<std::optional<row>> find(pool& db, uuid user_id, std::optional<uuid> viewer,
                                   std::optional<uuid> workspace, std::int32_t known);

} // namespace db::avatars
