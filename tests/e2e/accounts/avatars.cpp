// Avatars: upload, validation, caching and visibility.
#include "schemas/engine/image_metadata.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/schemas/engine/image_builders.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace e2e;
namespace images = schemas::test;
using support::http::verb;

namespace {

const std::string mine = base + "/me/avatar";

support::response put(account_fixture& fixture, std::string bytes, const std::string& as,
                      const std::string& type = "image/png")
{
    support::http::request<support::http::string_body> message(verb::put, mine, 11);
    message.set(support::http::field::authorization, "Bearer " + as);
    if (!type.empty())
        message.set(support::http::field::content_type, type);
    message.body() = std::move(bytes);
    return fixture.client.send(std::move(message));
}

std::string avatar_path(const std::string& user)
{
    return base + "/avatars/" + user;
}

/// A JPEG of this size; the data of its scan is never decoded.
std::string padded_jpeg(std::size_t size)
{
    auto out = images::jpeg_baseline;
    out.insert(out.size() - 2, size - out.size(), '\0');
    return out;
}

constexpr std::size_t max_size = 2u << 20;

struct avatar_fixture : account_fixture {
    support::response put(std::string bytes, const std::string& type = "image/png")
    {
        return ::put(*this, std::move(bytes), token, type);
    }

    support::response show(const std::string& query = "")
    {
        return client.get(avatar_path(user) + query, token);
    }

    support::response show_if_none_match(const std::string& tags)
    {
        client.set("If-None-Match", tags);
        auto out = show();
        client.set("If-None-Match", "");
        return out;
    }

    /// Upload in one chunk. @return the raw response
    std::string put_chunked(const std::string& bytes)
    {
        support::raw_connection line(server.port());
        char size[32];
        std::snprintf(size, sizeof size, "%zx\r\n", bytes.size());
        line.send("PUT " + mine + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAuthorization: Bearer " +
                  token + "\r\nTransfer-Encoding: chunked\r\n\r\n" + size + bytes + "\r\n0\r\n\r\n");
        return line.receive_all().value_or("");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(avatars)

BOOST_FIXTURE_TEST_CASE(the_content_type_comes_from_the_bytes_not_from_the_request, avatar_fixture)
{
    const std::vector<std::pair<std::string, std::string>> pictures{
        {images::png_interlaced, "image/png"}, {images::png_palette, "image/png"},
        {images::png_alpha, "image/png"},      {images::jpeg_baseline, "image/jpeg"},
        {images::jpeg_restarts, "image/jpeg"}, {images::jpeg_progressive, "image/jpeg"},
        {images::webp_lossy, "image/webp"},    {images::webp_lossless, "image/webp"},
        {images::webp_alpha, "image/webp"},    {images::webp_extended, "image/webp"},
    };
    int version = 0;
    for (auto& [bytes, type] : pictures)
        for (auto claimed_type : {type.c_str(), "text/html", ""}) {
            auto done = put(bytes, claimed_type);
            BOOST_TEST(done.status == 200u, done.body);
            BOOST_TEST(done.text("/id") == user);
            auto url = done.text("/avatar_url");
            BOOST_TEST(url.ends_with(avatar_path(user) + "?v=" + std::to_string(++version)), url);
            auto shown = show();
            BOOST_TEST(shown.status == 200u);
            BOOST_TEST((shown.body == schemas::strip_image_metadata(bytes)));
            BOOST_TEST(shown.header("Content-Type") == type);
        }
    BOOST_TEST(client.get(base + "/me", token).text("/user/avatar_url").ends_with("?v=30"));
}

BOOST_FIXTURE_TEST_CASE(a_picture_is_served_sandboxed, avatar_fixture)
{
    put(images::png_palette);
    auto shown = show();
    BOOST_TEST(shown.header("X-Content-Type-Options") == "nosniff");
    BOOST_TEST(shown.header("Content-Security-Policy") == "default-src 'none'; sandbox");
    BOOST_TEST(shown.header("Content-Length") == std::to_string(shown.body.size()));
}

BOOST_FIXTURE_TEST_CASE(a_picture_is_stored_without_metadata, avatar_fixture)
{
    using namespace schemas::test;
    const std::string place = "52.5200 N 13.4050 E";
    // Big-endian TIFF: orientation 6, then the place.
    const auto exif = "MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"s + place;
    const auto kept = exif.substr(0, exif.size() - place.size());
    auto jpeg = [&](const std::string& more) {
        return soi + more + jpeg_frame(5, 3) + jpeg_scan() + entropy + eoi;
    };
    auto png = [&](const std::string& more) { return png_magic + png_head(5, 3) + more + idat + iend; };
    auto webp = [&](const std::string& more, int flags) {
        return riff(vp8x(5, 3, flags) + vp8(5, 3) + more);
    };
    const std::vector<std::pair<std::string, std::string>> pictures{
        {jpeg(segment(0xE1, "Exif\0\0"s + exif) + segment(0xE1, "http://ns.adobe.com/xap/1.0/\0"s + place) +
              segment(0xFE, place)),
         jpeg(segment(0xE1, "Exif\0\0"s + kept))},
        {png(png_chunk("eXIf", exif) + png_chunk("tEXt", "Comment\0"s + place)),
         png(png_chunk("eXIf", kept))},
        {webp(webp_chunk("EXIF", exif) + webp_chunk("XMP ", place), 0x0C),
         webp(webp_chunk("EXIF", kept), 0x08)},
    };
    for (auto& [uploaded, stored] : pictures) {
        BOOST_TEST(put(uploaded + place).status == 200u); // and after the end of the image
        BOOST_TEST((show().body == stored));
        BOOST_TEST(db.sql("SELECT count(*) FROM avatars WHERE position('" + place +
                          "'::bytea IN bytes) > 0") == "0");
    }
}

BOOST_FIXTURE_TEST_CASE(anything_but_a_picture_is_rejected_under_any_content_type, avatar_fixture)
{
    put(images::png_alpha);
    const std::string html = "<!doctype html><script>alert(1)</script>";
    const std::vector<std::string> others{
        "",
        "{}",
        R"({"image":"iVBORw0KGgo="})",
        html,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>",
        "<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>",
        "%PDF-1.7\n",
        images::gif,
        images::png_animated,
        images::webp_animated,
        images::png_alpha.substr(0, images::png_alpha.size() - 1),
        html + images::png_alpha,
        images::png_alpha.substr(0, 8) + html,
    };
    for (auto& bytes : others)
        for (auto type : {"image/png", "image/jpeg", "image/svg+xml", "application/json", ""}) {
            auto refused = put(bytes, type);
            BOOST_TEST(refused.status == 415u, type << ": " << bytes.substr(0, 40));
            BOOST_TEST(refused.code() == "unsupported_media_type");
        }
    BOOST_TEST((show().body == images::png_alpha));
    BOOST_TEST(show().header("ETag") == "\"1\"");
}

BOOST_FIXTURE_TEST_CASE(a_picture_is_at_most_two_mebibytes, avatar_fixture)
{
    for (auto size : {std::size_t{70'000}, std::size_t{1'000'000}, max_size}) {
        auto bytes = padded_jpeg(size);
        BOOST_TEST(put(bytes).status == 200u, size);
        BOOST_TEST((show().body == bytes));
    }
    auto refused = put(padded_jpeg(max_size + 1));
    BOOST_TEST(refused.status == 413u);
    BOOST_TEST(refused.code() == "payload_too_large");
    BOOST_TEST(show().body.size() == max_size);
}

BOOST_FIXTURE_TEST_CASE(the_size_limit_holds_for_chunked_uploads, avatar_fixture)
{
    auto bytes = padded_jpeg(max_size);
    auto taken = put_chunked(bytes);
    BOOST_TEST(taken.starts_with("HTTP/1.1 200 "), taken.substr(0, 100));
    BOOST_TEST((show().body == bytes));
    auto refused = put_chunked(padded_jpeg(max_size + 1));
    BOOST_TEST(refused.starts_with("HTTP/1.1 413 "), refused.substr(0, 100));
}

BOOST_FIXTURE_TEST_CASE(other_routes_keep_their_smaller_body_limit, avatar_fixture)
{
    auto body = support::object({{"name", std::string(100'000, 'n')}});
    BOOST_TEST(client.patch(base + "/me", body, token).status == 413u);
    BOOST_TEST(client.patch(base + "/me/notifications", body, token).status == 413u);
    BOOST_TEST(client.post(base + "/login", body).status == 413u);
    BOOST_TEST(client.send(verb::delete_, mine, body, token).status == 413u);
    BOOST_TEST(client.post(mine, body, token).status == 413u);
    BOOST_TEST(client.send(verb::put, base + "/me/avatar/", body, token).status == 413u);
}

BOOST_FIXTURE_TEST_CASE(a_matching_etag_is_answered_with_304, avatar_fixture)
{
    put(images::png_alpha);
    auto shown = show();
    BOOST_TEST(shown.header("ETag") == "\"1\"");
    BOOST_TEST(shown.header("Cache-Control") == "private, no-cache");
    for (auto tags : {"\"1\"", "W/\"1\"", "\"other\", \"1\"", " \"1\" ,\"x\"", "\"7\", W/\"1\"", "*"}) {
        auto same = show_if_none_match(tags);
        BOOST_TEST(same.status == 304u, tags);
        BOOST_TEST(same.body == "");
        BOOST_TEST(same.header("ETag") == "\"1\"");
        BOOST_TEST(same.header("Cache-Control") == "private, no-cache");
    }
    for (auto tags : {"\"2\"", "\"01 \"", "1", "\"\"", "\"-1\"", "\"99999999999999\"", "nonsense"})
        BOOST_TEST(show_if_none_match(tags).status == 200u, tags);

    put(images::webp_alpha);
    auto newer = show_if_none_match("\"1\"");
    BOOST_TEST(newer.status == 200u);
    BOOST_TEST(newer.header("ETag") == "\"2\"");
    BOOST_TEST((newer.body == images::webp_alpha));
}

BOOST_FIXTURE_TEST_CASE(the_versioned_url_is_immutable, avatar_fixture)
{
    put(images::png_alpha);
    BOOST_TEST(show("?v=1").header("Cache-Control") == "private, max-age=31536000, immutable");
    put(images::png_palette);
    for (auto query : {"", "?v=1", "?v=3", "?v=02", "?v="}) { // another version, or none
        BOOST_TEST(show(query).header("Cache-Control") == "private, no-cache", query);
        BOOST_TEST((show(query).body == schemas::strip_image_metadata(images::png_palette)));
    }
    BOOST_TEST(show("?v=2").header("Cache-Control") == "private, max-age=31536000, immutable");
}

BOOST_FIXTURE_TEST_CASE(a_deleted_picture_is_gone_and_versions_are_never_reused, avatar_fixture)
{
    BOOST_TEST(show().status == 404u);
    BOOST_TEST(client.del(mine, token).status == 204u); // there is none yet
    put(images::png_alpha);
    auto gone = client.del(mine, token);
    BOOST_TEST(gone.status == 204u);
    BOOST_TEST(gone.body == "");
    BOOST_TEST(show().status == 404u);
    BOOST_TEST(show("?v=1").status == 404u);
    BOOST_TEST(show_if_none_match("\"1\"").status == 404u);
    BOOST_TEST(show_if_none_match("*").status == 404u);
    BOOST_TEST(json_at(client.get(base + "/me", token), "/user/avatar_url") == "null");
    BOOST_TEST(put(images::png_palette).text("/avatar_url").ends_with("?v=2"));
    BOOST_TEST(show().header("ETag") == "\"2\"");
}

BOOST_FIXTURE_TEST_CASE(head_returns_the_headers_alone, avatar_fixture)
{
    put(images::jpeg_baseline);
    auto whole = show(), head = client.send(verb::head, avatar_path(user), "", token);
    BOOST_TEST(head.status == 200u);
    BOOST_TEST(head.body == "");
    for (auto name : {"Content-Type", "Content-Length", "ETag", "Cache-Control", "X-Content-Type-Options",
                      "Content-Security-Policy"})
        BOOST_TEST(head.header(name) == whole.header(name), name);
    BOOST_TEST(client.get(base + "/me", token).status == 200u); // on the same connection
}

BOOST_FIXTURE_TEST_CASE(members_of_the_workspace_can_see_it, team_fixture)
{
    put(*this, images::png_alpha, bob.token);
    for (auto& viewer : {bob.token, mel.token, token, mint(R"({"name":"k","scopes":["profile:read"]})"),
                         mint(R"({"name":"w","owner":"workspace"})")})
        BOOST_TEST((client.get(avatar_path(bob.user), viewer).body == images::png_alpha));
    BOOST_TEST(client.get(avatar_path(bob.user), mint(R"({"name":"c","scopes":["content:read"]})")).code() ==
               "forbidden_scope");
    BOOST_TEST(client.get(avatar_path(bob.user)).status == 401u);

    db.sql("DELETE FROM memberships WHERE workspace_id = '" + workspace + "' AND user_id = '" + bob.user +
           "'");
    BOOST_TEST(client.get(avatar_path(bob.user), token).status == 404u); // no longer a member
    BOOST_TEST(client.get(avatar_path(bob.user), mel.token).status == 404u);
}

BOOST_FIXTURE_TEST_CASE(for_users_outside_the_workspace_it_is_not_found, two_workspaces_fixture)
{
    put(*this, images::png_alpha, token);
    auto unknown = client.get(avatar_path("01890a5d-ac96-774b-bcce-b302099a8057"), eve.token);
    BOOST_TEST(unknown.status == 404u);
    auto minted =
        client.post(base + "/api-keys", R"({"name":"w","owner":"workspace","role":"admin"})", eve.token);
    for (auto& outsider : {eve.token, minted.text("/secret")})
        BOOST_TEST(normalized(client.get(avatar_path(user), outsider)) == normalized(unknown));
    for (auto id : {"x", "me", "%20", "01890a5d"})
        BOOST_TEST(normalized(client.get(avatar_path(id), token)) == normalized(unknown), id);
}

BOOST_FIXTURE_TEST_CASE(a_workspace_key_has_no_picture, account_fixture)
{
    auto unknown = mint(R"({"name":"w","owner":"workspace","role":"admin"})");
    BOOST_TEST(put(*this, images::png_alpha, unknown).code() == "forbidden");
    BOOST_TEST(client.del(mine, unknown).code() == "forbidden");
    auto reader = mint(R"({"name":"r","scopes":["profile:read"]})");
    BOOST_TEST(put(*this, images::png_alpha, reader).code() == "forbidden_scope");
    auto writer = mint(R"({"name":"w","scopes":["profile:write"]})");
    BOOST_TEST(put(*this, images::png_alpha, writer).text("/id") == user);
}

BOOST_AUTO_TEST_SUITE_END()
