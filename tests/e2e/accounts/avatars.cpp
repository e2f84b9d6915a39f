// Pictures of people, from the upload to the colleagues who see them.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"
#include "tests/schemas/engine/images.hpp"

#include <string>
#include <utility>
#include <vector>

using namespace flows;
namespace images = schemas::test;
using support::http::verb;

namespace {

const std::string mine = base + "/me/avatar";

support::response put(signed_up& world, std::string bytes, const std::string& as,
                      const std::string& type = "image/png")
{
    support::http::request<support::http::string_body> message(verb::put, mine, 11);
    message.set(support::http::field::authorization, "Bearer " + as);
    if (!type.empty())
        message.set(support::http::field::content_type, type);
    message.body() = std::move(bytes);
    return world.client.send(std::move(message));
}

std::string place_of(const std::string& user)
{
    return base + "/avatars/" + user;
}

/// A photograph of so many bytes; cameras pad with zeros.
std::string photograph(std::size_t size)
{
    auto out = images::jpeg_baseline;
    out.resize(size);
    return out;
}

constexpr std::size_t most = 2u << 20;

struct sitter : signed_up {
    support::response put(std::string bytes, const std::string& type = "image/png")
    {
        return ::put(*this, std::move(bytes), token, type);
    }

    support::response show(const std::string& query = "")
    {
        return client.get(place_of(user) + query, token);
    }

    support::response show_to_who_has(const std::string& tags)
    {
        client.set("If-None-Match", tags);
        auto out = show();
        client.set("If-None-Match", "");
        return out;
    }

    /// In one chunk. @return all that is answered
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

BOOST_FIXTURE_TEST_CASE(each_format_is_shown_as_what_it_is_whatever_it_was_called, sitter)
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
        for (auto called : {type.c_str(), "text/html", ""}) {
            auto done = put(bytes, called);
            BOOST_TEST(done.status == 200u, done.body);
            BOOST_TEST(done.text("/id") == user);
            auto url = done.text("/avatar_url");
            BOOST_TEST(url.ends_with(place_of(user) + "?v=" + std::to_string(++version)), url);
            auto shown = show();
            BOOST_TEST(shown.status == 200u);
            BOOST_TEST((shown.body == bytes));
            BOOST_TEST(shown.header("Content-Type") == type);
        }
    BOOST_TEST(client.get(base + "/me", token).text("/user/avatar_url").ends_with("?v=30"));
}

BOOST_FIXTURE_TEST_CASE(a_picture_can_do_nothing_but_be_seen, sitter)
{
    put(images::png_palette); // with markup in it
    auto shown = show();
    BOOST_TEST(shown.header("X-Content-Type-Options") == "nosniff");
    BOOST_TEST(shown.header("Content-Security-Policy") == "default-src 'none'; sandbox");
    BOOST_TEST(shown.header("Content-Length") == std::to_string(images::png_palette.size()));
}

BOOST_FIXTURE_TEST_CASE(what_is_no_picture_is_refused_whatever_it_is_called, sitter)
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
        images::png_alpha + html,
        images::jpeg_baseline + html,
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

BOOST_FIXTURE_TEST_CASE(a_picture_may_have_two_mebibytes, sitter)
{
    for (auto size : {std::size_t{70'000}, std::size_t{1'000'000}, most}) {
        auto bytes = photograph(size);
        BOOST_TEST(put(bytes).status == 200u, size);
        BOOST_TEST((show().body == bytes));
    }
    auto refused = put(photograph(most + 1));
    BOOST_TEST(refused.status == 413u);
    BOOST_TEST(refused.code() == "payload_too_large");
    BOOST_TEST(show().body.size() == most);
}

BOOST_FIXTURE_TEST_CASE(and_no_more_if_its_size_is_not_announced, sitter)
{
    auto bytes = photograph(most);
    auto taken = put_chunked(bytes);
    BOOST_TEST(taken.starts_with("HTTP/1.1 200 "), taken.substr(0, 100));
    BOOST_TEST((show().body == bytes));
    auto refused = put_chunked(photograph(most + 1));
    BOOST_TEST(refused.starts_with("HTTP/1.1 413 "), refused.substr(0, 100));
}

BOOST_FIXTURE_TEST_CASE(elsewhere_a_body_is_as_small_as_ever, sitter)
{
    auto body = support::object({{"name", std::string(100'000, 'n')}});
    BOOST_TEST(client.patch(base + "/me", body, token).status == 413u);
    BOOST_TEST(client.patch(base + "/me/notifications", body, token).status == 413u);
    BOOST_TEST(client.post(base + "/login", body).status == 413u);
    BOOST_TEST(client.send(verb::delete_, mine, body, token).status == 413u);
    BOOST_TEST(client.post(mine, body, token).status == 413u);
    BOOST_TEST(client.send(verb::put, base + "/me/avatar/", body, token).status == 413u);
}

BOOST_FIXTURE_TEST_CASE(a_reader_who_has_it_gets_it_only_anew, sitter)
{
    put(images::png_alpha);
    auto shown = show();
    BOOST_TEST(shown.header("ETag") == "\"1\"");
    BOOST_TEST(shown.header("Cache-Control") == "private, no-cache");
    for (auto tags : {"\"1\"", "W/\"1\"", "\"other\", \"1\"", " \"1\" ,\"x\""}) {
        auto same = show_to_who_has(tags);
        BOOST_TEST(same.status == 304u, tags);
        BOOST_TEST(same.body == "");
        BOOST_TEST(same.header("ETag") == "\"1\"");
        BOOST_TEST(same.header("Cache-Control") == "private, no-cache");
    }
    for (auto tags : {"\"2\"", "\"01 \"", "1", "\"\"", "\"-1\"", "\"99999999999999\"", "nonsense"})
        BOOST_TEST(show_to_who_has(tags).status == 200u, tags);

    put(images::webp_alpha);
    auto newer = show_to_who_has("\"1\"");
    BOOST_TEST(newer.status == 200u);
    BOOST_TEST(newer.header("ETag") == "\"2\"");
    BOOST_TEST((newer.body == images::webp_alpha));
}

BOOST_FIXTURE_TEST_CASE(under_the_address_of_its_version_it_is_kept_for_ever, sitter)
{
    put(images::png_alpha);
    BOOST_TEST(show("?v=1").header("Cache-Control") == "private, max-age=31536000, immutable");
    put(images::png_palette);
    for (auto query : {"", "?v=1", "?v=3", "?v=02", "?v="}) { // of another version, or none
        BOOST_TEST(show(query).header("Cache-Control") == "private, no-cache", query);
        BOOST_TEST((show(query).body == images::png_palette));
    }
    BOOST_TEST(show("?v=2").header("Cache-Control") == "private, max-age=31536000, immutable");
}

BOOST_FIXTURE_TEST_CASE(what_was_taken_down_is_gone_and_no_version_comes_again, sitter)
{
    BOOST_TEST(show().status == 404u);
    BOOST_TEST(client.del(mine, token).status == 204u); // of none
    put(images::png_alpha);
    auto gone = client.del(mine, token);
    BOOST_TEST(gone.status == 204u);
    BOOST_TEST(gone.body == "");
    BOOST_TEST(show().status == 404u);
    BOOST_TEST(show("?v=1").status == 404u);
    BOOST_TEST(show_to_who_has("\"1\"").status == 404u);
    BOOST_TEST(at(client.get(base + "/me", token), "/user/avatar_url") == "null");
    BOOST_TEST(put(images::png_palette).text("/avatar_url").ends_with("?v=2"));
    BOOST_TEST(show().header("ETag") == "\"2\"");
}

BOOST_FIXTURE_TEST_CASE(a_head_tells_all_but_the_picture, sitter)
{
    put(images::jpeg_baseline);
    auto whole = show(), head = client.send(verb::head, place_of(user), "", token);
    BOOST_TEST(head.status == 200u);
    BOOST_TEST(head.body == "");
    for (auto name : {"Content-Type", "Content-Length", "ETag", "Cache-Control", "X-Content-Type-Options",
                      "Content-Security-Policy"})
        BOOST_TEST(head.header(name) == whole.header(name), name);
    BOOST_TEST(client.get(base + "/me", token).status == 200u); // on the same connection
}

BOOST_FIXTURE_TEST_CASE(colleagues_see_it, team)
{
    put(*this, images::png_alpha, bob.token);
    for (auto& viewer : {bob.token, mel.token, token, mint(R"({"name":"k","scopes":["profile:read"]})"),
                         mint(R"({"name":"w","owner":"workspace"})")})
        BOOST_TEST((client.get(place_of(bob.user), viewer).body == images::png_alpha));
    BOOST_TEST(client.get(place_of(bob.user), mint(R"({"name":"c","scopes":["content:read"]})")).code() ==
               "forbidden_scope");
    BOOST_TEST(client.get(place_of(bob.user)).status == 401u);

    db.sql("DELETE FROM memberships WHERE workspace_id = '" + workspace + "' AND user_id = '" + bob.user +
           "'");
    BOOST_TEST(client.get(place_of(bob.user), token).status == 404u); // no longer one
    BOOST_TEST(client.get(place_of(bob.user), mel.token).status == 404u);
}

BOOST_FIXTURE_TEST_CASE(strangers_are_told_what_they_are_told_of_nobody, two_workspaces)
{
    put(*this, images::png_alpha, token);
    auto nobody = client.get(place_of("01890a5d-ac96-774b-bcce-b302099a8057"), eve.token);
    BOOST_TEST(nobody.status == 404u);
    auto minted =
        client.post(base + "/api-keys", R"({"name":"w","owner":"workspace","role":"admin"})", eve.token);
    for (auto& stranger : {eve.token, minted.text("/secret")})
        BOOST_TEST(comparable(client.get(place_of(user), stranger)) == comparable(nobody));
    for (auto id : {"x", "me", "%20", "01890a5d"})
        BOOST_TEST(comparable(client.get(place_of(id), token)) == comparable(nobody), id);
}

BOOST_FIXTURE_TEST_CASE(only_a_person_has_one, signed_up)
{
    auto nobody = mint(R"({"name":"w","owner":"workspace","role":"admin"})");
    BOOST_TEST(put(*this, images::png_alpha, nobody).code() == "forbidden");
    BOOST_TEST(client.del(mine, nobody).code() == "forbidden");
    auto looker = mint(R"({"name":"r","scopes":["profile:read"]})");
    BOOST_TEST(put(*this, images::png_alpha, looker).code() == "forbidden_scope");
    auto writer = mint(R"({"name":"w","scopes":["profile:write"]})");
    BOOST_TEST(put(*this, images::png_alpha, writer).text("/id") == user);
}

BOOST_AUTO_TEST_SUITE_END()
