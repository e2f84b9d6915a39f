// Layout: what all pages have around their content, in the language of the reader.
#pragma once

#include "handlers/html/html.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/pages/texts/messages.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace handlers::pages {

/// The reader of a page, and the language for them.
struct view {
    call& c;
    const language& in;

    const messages& m() const { return *in.texts; }
};

/// @param locale of the account, if the page knows who reads it
view view_of(call& c, std::string_view locale = {});

/// One page before its layout.
struct page {
    std::string title;
    html::fragment content;
    unsigned status = 200;
    /// Of the document's title, so that it is announced: an error has occurred.
    bool has_errors = false;
    /// More elements for the head, such as a redirect.
    html::fragment head = {};
    /// More header lines of the reply.
    std::string headers = {};
};

reply render(const view& v, const page& content);

/// A message as text.
html::fragment text_of(const message& m);

/// `<p>` with a message in which placeholders are replaced.
html::fragment paragraph(const message& m, std::initializer_list<html::fragment> parts = {});

/// A message with text in its placeholders.
std::string fill(const message& m, std::initializer_list<std::string_view> parts);

/// A path of this site, below the path of the public URL.
html::url path_to(const call& c, std::string_view path);

/** The path of this site that a client asks to return to. Nothing for any other URL, and for paths outside of
    the public URL's, so that no link of ours leads elsewhere (open redirect). */
std::optional<std::string> return_path(const call& c, std::string_view asked);

/// A path with the place to return to, if there is one.
std::string with_return(std::string_view path, const std::optional<std::string>& to);

/// Whether this build serves the console.
bool has_console(const call& c);

/// Where a person who has signed in goes: the path asked for, or the console.
std::string destination(const call& c, std::string_view asked);

/// 303: the browser continues with GET.
reply see_other(const std::string& path);

/// Whether the client prefers HTML: its Accept header names `text/html`, as browsers' do when they navigate.
bool accepts_html(const request& req);

} // namespace handlers::pages
