#include "handlers/endpoints/avatars.hpp"

#include "crypto/encoding.hpp"
#include "db/tables/avatars.hpp"
#include "db/tables/users.hpp"
#include "handlers/http/conditional.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/to_schema.hpp"
#include "schemas/engine/image.hpp"
#include "schemas/engine/image_metadata.hpp"

namespace handlers::avatars {

namespace {

std::string etag_of(const db::avatars::row& avatar)
{
    return "\"" + std::to_string(avatar.version) + "\"";
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
    auto clean = schemas::strip_image_metadata(bytes);
    auto raw = crypto::bytes_of(clean);
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
    auto& caller = c.caller();
    // An API key has access to its own workspace only.
    auto workspace = caller.kind == db::principal::kind_type::api_key ? caller.workspace_id : std::nullopt;
    // A client that has some version most likely has the current one: its bytes are read only if it has not.
    const bool is_conditional = !c.req.header(http::field::if_none_match).empty();
    auto content = is_conditional ? db::avatars::content::none : db::avatars::content::bytes;
    auto found = co_await db::avatars::find(c.cx.db, *user, caller.user_id, workspace, content);
    bool is_known = found && is_conditional && is_none_match(c.req, etag_of(*found));
    if (found && is_conditional && !is_known)
        found = co_await db::avatars::find(c.cx.db, *user, caller.user_id, workspace,
                                           db::avatars::content::bytes);
    if (!found)
        co_return to_reply(problem::of(codes::not_found));
    auto version = std::to_string(found->version);
    reply out;
    bool is_versioned_url = c.req.query == "v=" + version;
    out.cache_control = is_versioned_url ? "private, max-age=31536000, immutable" : "private, no-cache";
    out.add_header("ETag", etag_of(*found));
    out.add_header("Content-Security-Policy", "default-src 'none'; sandbox");
    if (is_known) {
        out.status = 304;
        out.content_type = {};
        co_return out;
    }
    out.content_type = literal_of(found->content_type);
    out.body = crypto::text_of(found->bytes);
    co_return out;
}

} // namespace handlers::avatars
