#include "handlers/endpoints/avatars.hpp"

#include "crypto/encoding.hpp"
#include "db/tables/avatars.hpp"
#include "db/tables/users.hpp"
#include "handlers/access/text.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/to_schema.hpp"
#include "schemas/engine/image.hpp"

#include <charconv>

namespace handlers::avatars {

namespace {

/// The version in the If-None-Match header, or 0.
std::int32_t cached_version(const request& req)
{
    auto list = req.header(http::field::if_none_match);
    while (!list.empty()) {
        auto comma = list.find(',');
        auto tag = trim(list.substr(0, comma));
        list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
        if (tag.starts_with("W/"))
            tag.remove_prefix(2);
        if (tag.size() < 3 || tag.front() != '"' || tag.back() != '"')
            continue;
        std::int32_t version = 0;
        auto [end, error] = std::from_chars(tag.data() + 1, tag.data() + tag.size() - 1, version);
        if (error == std::errc() && end == tag.data() + tag.size() - 1 && version > 0)
            return version;
    }
    return 0;
}

problem invalid_image()
{
    auto p = problem::unsupported_media_type("image/png");
    p.detail = "The picture must be a complete PNG, JPEG or WebP of at most " +
               std::to_string(schemas::max_image_side) + " pixels a side.";
    return p;
}

/// The stored content type as a literal: a reply refers to its type.
std::string_view literal_of(std::string_view stored)
{
    for (auto format : {schemas::image_format::png, schemas::image_format::jpeg, schemas::image_format::webp})
        if (schemas::content_type(format) == stored)
            return schemas::content_type(format);
    return "application/octet-stream";
}

} // namespace

awaitable<answer<schemas::user>> replace(call& c)
{
    if (auto refused = require_user(c))
        co_return std::move(*refused);
    auto bytes = c.req.body();
    auto image = schemas::read_image(bytes);
    if (!image)
        co_return invalid_image();
    auto& id = *c.caller().user_id;
    auto raw = crypto::bytes_of(bytes);
    std::vector<std::uint8_t> copy(raw.begin(), raw.end());
    co_await db::avatars::replace(c.cx.db, id, std::string(schemas::content_type(image->format)),
                                  std::move(copy));
    auto user = co_await db::users::find(c.cx.db, id);
    if (!user)
        co_return problem::of(codes::not_found);
    co_return to_user(c.cx.config, *user);
}

awaitable<answer<no_content>> remove(call& c)
{
    if (auto refused = require_user(c))
        co_return std::move(*refused);
    co_await db::avatars::remove(c.cx.db, *c.caller().user_id);
    co_return no_content();
}

awaitable<reply> show(call& c)
{
    auto user = schemas::parse_uuid(c.params[0]);
    if (!user)
        co_return to_reply(problem::of(codes::not_found));
    auto cached = cached_version(c.req);
    auto& caller = c.caller();
    // An API key has access to its own workspace only.
    auto workspace = caller.kind == db::principal::kind_type::api_key ? caller.workspace_id : std::nullopt;
    auto found = co_await db::avatars::find(c.cx.db, *user, caller.user_id, workspace, cached);
    if (!found)
        co_return to_reply(problem::of(codes::not_found));
    auto version = std::to_string(found->version);
    reply out;
    bool is_versioned_url = c.req.query == "v=" + version;
    out.cache_control = is_versioned_url ? "private, max-age=31536000, immutable" : "private, no-cache";
    out.add_header("ETag", "\"" + version + "\"");
    out.add_header("X-Content-Type-Options", "nosniff");
    out.add_header("Content-Security-Policy", "default-src 'none'; sandbox");
    if (found->version == cached) {
        out.status = 304;
        out.content_type = {};
        co_return out;
    }
    out.content_type = literal_of(found->content_type);
    out.body = crypto::text_of(found->bytes);
    co_return out;
}

} // namespace handlers::avatars
