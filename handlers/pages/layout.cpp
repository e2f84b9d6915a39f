#include "handlers/pages/layout.hpp"

#include "handlers/http/redirect.hpp"
#include "handlers/http/weighted_list.hpp"
#include "handlers/pages/brand.hpp"
#include "handlers/static_files/file_tree.hpp"
#include "handlers/static_files/page_headers.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include <algorithm>

namespace handlers::pages {

using html::element;
using html::text;

namespace {

html::fragment head_of(const view& v, const page& content)
{
    auto& files = *v.c.cx.files;
    auto title = content.title + " · " + v.c.cx.config.brand.name;
    if (content.has_errors)
        title = fill(v.m().error_prefix, {title});
    html::fragment out = html::meta("viewport", "width=device-width, initial-scale=1");
    out += html::meta("color-scheme", "light dark");
    out += element("title", {}, text(title));
    auto icon = html::url::site(files.url("icon.svg"));
    out += element("link", {{"rel", "icon"}, {"type", "image/svg+xml"}, {"href", icon}});
    for (auto sheet : {"tokens.css", "style.css", "brand.css"})
        if (files.contains(sheet))
            out += html::stylesheet(html::url::site(files.url(sheet)));
    out += html::script_file(html::url::site(files.url("page.js")));
    out += content.head;
    return out;
}

/// The operator's logo, or ours; and the name.
html::fragment brand_of(const view& v)
{
    auto& files = *v.c.cx.files;
    auto logo = logo_url(files);
    auto source = html::url::site(logo.empty() ? files.url("icon.svg") : logo);
    auto picture = element("img", {{"src", source}, {"alt", ""}, {"height", "32"}});
    return element("p", {{"class", "brand"}}, picture, element("span", {}, text(v.c.cx.config.brand.name)));
}

} // namespace

view view_of(call& c, std::string_view locale)
{
    return {c, choose_language(locale, c.req)};
}

reply render(const view& v, const page& content)
{
    reply out;
    out.status = content.status;
    out.content_type = "text/html; charset=utf-8";
    auto card = element("main", {{"class", "card"}}, element("h1", {}, text(content.title)), content.content);
    auto body = element("div", {{"class", "page"}}, element("header", {}, brand_of(v)), card);
    out.body = html::document(v.in.tag, head_of(v, content), body);
    out.add_header("Content-Language", v.in.tag);
    out.add_header("Vary", "Accept-Language");
    add_page_headers(out);
    out.headers += content.headers;
    return out;
}

html::fragment text_of(const message& m)
{
    return text(m.text());
}

html::fragment paragraph(const message& m, std::initializer_list<html::fragment> parts)
{
    return element("p", {}, html::sentence(m.text(), parts));
}

std::string fill(const message& m, std::initializer_list<std::string_view> parts)
{
    std::string out;
    auto format = m.text();
    for (;;) {
        auto open = format.find('{');
        auto index = open == format.npos ? parts.size() : static_cast<std::size_t>(format[open + 1] - '0');
        if (index >= parts.size())
            return out.append(format);
        out.append(format.substr(0, open)).append(parts.begin()[index]);
        format.remove_prefix(open + 3);
    }
}

html::url path_to(const call& c, std::string_view path)
{
    return html::url::site(c.cx.files->base_path() + std::string(path));
}

std::optional<std::string> return_path(const call& c, std::string_view asked)
{
    constexpr std::size_t max_size = 2048;
    auto& base = c.cx.files->base_path();
    if (asked.size() > max_size || !asked.starts_with(base) || !asked.substr(base.size()).starts_with('/'))
        return std::nullopt;
    if (!html::url::parse_site(asked))
        return std::nullopt;
    // No segment that a browser resolves: `..`, also encoded, leads out of the path; `//` into another host.
    auto path = asked.substr(0, asked.find_first_of("?#"));
    for (auto part : {"//", "/.", "/%2e", "/%2E"})
        if (path.find(part) != path.npos)
            return std::nullopt;
    return std::string(asked);
}

std::string with_return(std::string_view path, const std::optional<std::string>& to)
{
    std::string out(path);
    if (to)
        out.append(out.find('?') == out.npos ? "?" : "&")
            .append("return_to=")
            .append(boost::urls::encode(*to, boost::urls::unreserved_chars));
    return out;
}

bool has_console(const call& c)
{
    return c.cx.files->contains("console/main.js");
}

std::string destination(const call& c, std::string_view asked)
{
    auto path = return_path(c, asked);
    if (path)
        return std::move(*path);
    return path_to(c, has_console(c) ? "/console" : "/done?what=signed-in").text();
}

reply see_other(const std::string& path)
{
    return redirect(303, path);
}

bool accepts_html(const request& req)
{
    return std::ranges::any_of(read_weighted_list(req, http::field::accept), [](auto& item) {
        return item.weight > 0 && boost::beast::iequals(item.name, "text/html");
    });
}

} // namespace handlers::pages
