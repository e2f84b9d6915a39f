#include "handlers/http/pagination.hpp"

#include "crypto/encoding.hpp"

#include <boost/uuid/uuid_io.hpp>

#include <algorithm>

namespace handlers {

page_cursor::page_cursor(call& c, std::string_view list) : c_(c), context_(list)
{
    auto& caller = c.caller();
    for (auto& id : {caller.workspace_id, caller.user_id})
        context_.append("/").append(id ? to_string(*id) : "-");
}

result<std::optional<db::uuid>> page_cursor::read(const schemas::omittable<std::string>& cursor)
{
    if (!cursor)
        return std::optional<db::uuid>();
    auto payload = c_.cx.cursors.verify(*cursor, context_);
    db::uuid id;
    if (!payload || payload->size() != id.size())
        return problem::of(codes::invalid_cursor);
    std::ranges::copy(crypto::bytes_of(*payload), id.begin());
    return std::optional<db::uuid>(id);
}

std::string page_cursor::write(const db::uuid& last)
{
    return c_.cx.cursors.sign(crypto::text_of(std::span<const std::uint8_t>(last.begin(), last.size())),
                              context_);
}

} // namespace handlers
