// Ids of nodes, keys and changes, and queues of messages.
#pragma once

#include "db/postgres/async.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace lease_model {

inline db::uuid node_id(std::size_t which)
{
    db::uuid out{};
    out.data[0] = 1;
    out.data[15] = static_cast<std::uint8_t>(which);
    return out;
}

inline std::size_t node_of(const db::uuid& id)
{
    return id.data[15];
}

/// The change that revokes a key.
inline db::uuid change_id(std::size_t key)
{
    db::uuid out{};
    out.data[0] = 2;
    out.data[15] = static_cast<std::uint8_t>(key);
    return out;
}

inline std::size_t key_of(const db::uuid& change)
{
    return change.data[15];
}

inline db::uuid key_id(std::size_t key)
{
    return change_id(key);
}

/// Of equal messages in a queue only the first is kept, so that polling makes no endless queues.
template <class Message>
void push_new(std::vector<Message>& queue, Message what)
{
    if (std::ranges::find(queue, what) == queue.end())
        queue.push_back(std::move(what));
}

} // namespace lease_model
