#include "handlers/openapi/swagger_ui.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "handlers/http/conditional.hpp"
#include "handlers/http/context.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/rfc7230.hpp>

#include <algorithm>
#include <map>

namespace handlers::swagger_ui {

namespace {

// A proxy may serve the page below a path: all links are relative, and requests go to the page's own origin.
constexpr std::string_view page = R"(<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Latchkey: the API</title>
<link rel="icon" type="image/png" href="docs/favicon-32x32.png">
<link rel="stylesheet" href="docs/swagger-ui.css">
<main id="docs"></main>
<noscript>This page needs JavaScript; the document itself is at
<a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</html>
)";

constexpr std::string_view start_script = R"(
fetch('openapi.json').then(answer => answer.json()).then(spec => {
  spec.servers = [{ url: new URL('.', location.href).href.replace(/\/$/, '') }];
  SwaggerUIBundle({
    spec, dom_id: '#docs', deepLinking: true, tryItOutEnabled: true, validatorUrl: null, docExpansion: 'list',
    presets: [SwaggerUIBundle.presets.apis]
  });
});
)";

constexpr std::string_view policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

void add_security_headers(reply& out)
{
    out.add_header("Content-Security-Policy", policy);
    out.add_header("Referrer-Policy", "no-referrer");
}

constexpr docs_file start_file{"start.js", "text/javascript", start_script, {}};

const docs_file* find(std::string_view name)
{
    if (name == start_file.name)
        return &start_file;
    auto it = std::ranges::find(embedded_docs(), name, &docs_file::name);
    return it == embedded_docs().end() ? nullptr : &*it;
}

/// Whether the client accepts gzip (RFC 9110, section 12.5.3).
bool accepts_gzip(const request& req)
{
    for (auto& coding : boost::beast::http::ext_list(req.header(http::field::accept_encoding))) {
        if (!boost::beast::iequals(coding.first, "gzip"))
            continue;
        // A weight of zero is a rejection.
        for (auto& [name, value] : coding.second)
            if (name == "q" && value.find_first_not_of("0.") == value.npos)
                return false;
        return true;
    }
    return false;
}

/// A strong ETag: a digest of the content.
std::string etag_of(std::string_view content)
{
    auto digest = crypto::sha256(content);
    return "\"" + crypto::to_base64(std::span<const std::uint8_t>(digest).first(12)) + "\"";
}

std::string etag_of(const docs_file& file, bool compressed)
{
    static const auto tags = [] {
        std::map<const char*, std::string> out;
        for (auto& one : embedded_docs()) {
            out[one.plain.data()] = etag_of(one.plain);
            out[one.compressed.data()] = etag_of(one.compressed);
        }
        out[start_file.plain.data()] = etag_of(start_file.plain);
        return out;
    }();
    return tags.at(compressed ? file.compressed.data() : file.plain.data());
}

} // namespace

reply show(call&)
{
    reply out;
    out.content_type = "text/html; charset=utf-8";
    out.cache_control = "no-cache";
    out.body = page;
    add_security_headers(out);
    return out;
}

reply show_file(call& c)
{
    auto file = find(c.params[0]);
    if (!file)
        return to_reply(problem::of(codes::not_found));
    bool compressed = !file->compressed.empty() && accepts_gzip(c.req);
    auto tag = etag_of(*file, compressed);
    reply out;
    out.cache_control = "public, max-age=3600";
    out.add_header("ETag", tag);
    out.add_header("Vary", "Accept-Encoding");
    add_security_headers(out);
    if (is_none_match(c.req, tag)) {
        out.status = 304;
        out.content_type = {};
        return out;
    }
    out.content_type = file->content_type;
    if (compressed)
        out.add_header("Content-Encoding", "gzip");
    out.body = compressed ? file->compressed : file->plain;
    return out;
}

} // namespace handlers::swagger_ui
