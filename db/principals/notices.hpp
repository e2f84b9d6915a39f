// The payloads of the protocol's notifications.
#pragma once

#include "db/postgres/async.hpp"
#include "db/principals/lease_holder.hpp"

#include <string_view>
#include <vector>

namespace db {

/// Add a notice of the channel of changes. One of an unknown kind, as of a newer version, affects everything.
/// @param self the changes that this node has made are not to be acknowledged
void add_notice(std::string_view notice, const uuid& self, lease_holder::notice_batch& to);

/// A node has applied changes that another one made.
struct acknowledgement {
    uuid from{}, to{};
    std::vector<uuid> changes;
};

/// Parse a payload of the channel of acknowledgements. @return nil nodes and no changes if it is none
acknowledgement parse_acknowledgement(std::string_view payload);

} // namespace db
