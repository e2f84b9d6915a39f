#include "handlers/static_files/static_files.hpp"

#include "handlers/http/conditional.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/same_origin.hpp"
#include "handlers/static_files/content_coding.hpp"
#include "handlers/static_files/file_tree.hpp"

namespace handlers::static_files {

namespace {

std::string_view variant_of(const embedded_file& file, content_coding coding)
{
    switch (coding) {
    case content_coding::brotli:
        return file.brotli;
    case content_coding::gzip:
        return file.gzip;
    case content_coding::identity:
        break;
    }
    return file.plain;
}

} // namespace

reply show(call& c)
{
    auto found = c.cx.files ? c.cx.files->find(c.params[0], c.params[1]) : nullptr;
    if (!found) {
        auto out = to_reply(problem::of(codes::not_found));
        confine(out);
        return out;
    }
    auto& file = found->file;
    auto coding = choose_coding(c.req, {!file.brotli.empty(), !file.gzip.empty()});
    auto name = to_text(coding);
    // A strong tag: each coding has its own.
    auto tag = '"' + found->tag + (name.empty() ? "" : "-") + std::string(name) + '"';
    reply out;
    out.cache_control = "public, max-age=31536000, immutable";
    out.add_header("ETag", tag);
    out.add_header("Vary", "Accept-Encoding");
    confine(out); // a picture that is opened as a document
    if (is_none_match(c.req, tag)) {
        out.status = 304;
        out.content_type = {};
        return out;
    }
    out.content_type = file.content_type;
    if (!name.empty())
        out.add_header("Content-Encoding", name);
    out.static_body = variant_of(file, coding);
    return out;
}

} // namespace handlers::static_files
