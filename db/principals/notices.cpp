#include "db/principals/notices.hpp"

#include <boost/uuid/string_generator.hpp>

#include <algorithm>
#include <optional>
#include <stdexcept>

namespace db {

namespace {

std::optional<uuid> read_uuid(std::string_view text)
{
    try {
        return boost::uuids::string_generator()(text.begin(), text.end());
    } catch (const std::runtime_error&) {
        return std::nullopt;
    }
}

/// Take the next word off the front of a notice.
std::string_view take_word(std::string_view& text)
{
    auto end = std::min(text.find(' '), text.size());
    auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    return word;
}

} // namespace

void add_notice(std::string_view notice, const uuid& self, lease_holder::notice_batch& to)
{
    auto kind = take_word(notice);
    auto id = read_uuid(take_word(notice));
    if (id && kind == "credential") {
        to.affected.credentials.push_back(*id);
    } else if (id && kind == "user") {
        to.affected.users.push_back(*id);
    } else if (id && kind == "workspace") {
        to.affected.workspaces.push_back(*id);
    } else if (id && kind == "end") {
        auto origin = read_uuid(take_word(notice));
        if (origin && *origin != self) {
            to.changes.push_back(*id);
            to.origins.push_back(*origin);
        }
    } else if (id && kind == "again") {
        auto origin = read_uuid(take_word(notice));
        while (origin && *id == self && !notice.empty())
            if (auto change = read_uuid(take_word(notice))) {
                to.changes.push_back(*change);
                to.origins.push_back(*origin);
            }
    } else {
        to.affected.everything = true; // a notice of a newer version
    }
}

/// The acknowledging node, the node it answers, and the changes.
acknowledgement parse_acknowledgement(std::string_view payload)
{
    acknowledgement out;
    auto from = read_uuid(take_word(payload)), to = read_uuid(take_word(payload));
    if (!from || !to)
        return out;
    out.from = *from;
    out.to = *to;
    while (!payload.empty())
        if (auto change = read_uuid(take_word(payload)))
            out.changes.push_back(*change);
    return out;
}

} // namespace db
