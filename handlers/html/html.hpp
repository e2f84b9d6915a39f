/** HTML template: builds markup of typed parts. What comes from outside can only be text, an attribute's
   value or a URL, and each of these escapes or checks what it is given; names of elements and attributes are
   literals, checked at compile time. Nothing takes a string as markup.

        element("p", {{"class", "hint"}}, text(name), element("a", {{"href", url::site("/sign-in")}},
   text(label)))
*/
#pragma once

#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace handlers::html {

/// Markup that is complete in itself.
class fragment {
public:
    /// Empty: writes nothing.
    fragment() = default;

    const std::string& markup() const { return markup_; }
    bool empty() const { return markup_.empty(); }

    /// Append a sibling.
    fragment& operator+=(const fragment& next)
    {
        markup_ += next.markup_;
        return *this;
    }

    friend fragment operator+(fragment first, const fragment& next)
    {
        first += next;
        return first;
    }

private:
    explicit fragment(std::string markup) : markup_(std::move(markup)) {}
    friend class markup_access;

    std::string markup_;
};

/** Text as markup: `&`, `<`, `>` and both quotes become character references; what is not UTF-8, and control
    characters besides white space, become U+FFFD. */
fragment text(std::string_view content);

/** A URL for `href`, `src` and `action`: a path of this site, or an https URL. So there is no `javascript:`,
    no `data:` and no `//host`. */
class url {
public:
    /** A path of this site, with an optional query and fragment, or a fragment alone.
        @throw std::invalid_argument for anything else */
    static url site(std::string_view path);

    /// The same for a path from outside. @return nothing for anything else
    static std::optional<url> parse_site(std::string_view path);

    /// An absolute https URL from outside. @return nothing for anything else
    static std::optional<url> parse_https(std::string_view absolute);

    const std::string& text() const { return text_; }

private:
    explicit url(std::string text) : text_(std::move(text)) {}
    std::string text_;
};

namespace detail {

constexpr bool is_name(std::string_view name)
{
    for (char c : name)
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'))
            return false;
    return !name.empty() && name[0] >= 'a' && name[0] <= 'z';
}

constexpr bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names)
{
    for (auto each : names)
        if (name == each)
            return true;
    return false;
}

} // namespace detail

/// The name of an element, a literal. Elements with code or a document as their content do not compile.
class tag {
public:
    consteval tag(const char* name) : name_(name)
    {
        if (!detail::is_name(name_))
            throw "not the name of an element";
        if (detail::is_one_of(name_, {"script", "style", "iframe", "object", "embed", "base", "template",
                                      "noembed", "noframes", "plaintext", "xmp", "svg", "math"}))
            throw "an element with a content that is not plain HTML: see script_file() and stylesheet()";
    }

    constexpr std::string_view name() const { return name_; }

private:
    std::string_view name_;
};

/// The name of an attribute with text as its value, a literal. Those with code or a URL do not compile.
class text_attribute {
public:
    consteval text_attribute(const char* name) : name_(name)
    {
        if (!detail::is_name(name_))
            throw "not the name of an attribute";
        if (name_.starts_with("on") || name_ == "style" || name_ == "srcdoc")
            throw "an attribute with code as its value";
        if (detail::is_one_of(name_, {"href", "src", "action", "formaction", "srcset", "data", "poster",
                                      "ping", "cite", "background", "content"}))
            throw "an attribute with a URL as its value, or in it: give it a url";
    }

    constexpr std::string_view name() const { return name_; }

private:
    std::string_view name_;
};

/// The name of an attribute with a URL as its value, a literal.
class url_attribute {
public:
    consteval url_attribute(const char* name) : name_(name)
    {
        if (!detail::is_one_of(name_, {"href", "src", "action", "formaction"}))
            throw "not an attribute with a URL";
    }

    constexpr std::string_view name() const { return name_; }

private:
    std::string_view name_;
};

/// An attribute without a value, such as `required`: present or not.
enum class flag : bool { absent, present };

constexpr flag when(bool condition)
{
    return condition ? flag::present : flag::absent;
}

/// A value of an attribute that is left out if it is empty.
struct unless_empty {
    std::string_view value;
};

/// One attribute, with its value escaped.
class attribute {
public:
    attribute(text_attribute name, std::string_view value);
    attribute(text_attribute name, unless_empty value);
    attribute(url_attribute name, const url& value);
    attribute(text_attribute name, flag is_present);

private:
    friend class markup_access;
    std::string markup_;
};

using attributes = std::initializer_list<attribute>;

namespace detail {
fragment make_element(tag name, std::span<const attribute> with, const fragment& content);
} // namespace detail

/** An element with its children. Elements without content, such as `input`, have no end tag, and ignore their
    children. */
template <class... Children>
fragment element(tag name, attributes with, const Children&... children)
{
    fragment content;
    ((content += children), ...);
    return detail::make_element(name, std::span<const attribute>(with.begin(), with.size()), content);
}

/// A script of this site: a module, which runs once the document has been read.
fragment script_file(const url& source);

/// A script of this site that is no module: runs once the document has been read, in the document's order.
fragment classic_script_file(const url& source);

/// A stylesheet of this site.
fragment stylesheet(const url& source);

/// Loads another page after the given number of seconds.
fragment refresh(unsigned seconds, const url& target);

/// `<meta name=... content=...>`, for what is not a URL.
fragment meta(std::string_view name, std::string_view content);

/** A sentence with placeholders `{0}` to `{9}` in its text, each replaced by a fragment. Unknown ones stay.
 */
fragment sentence(std::string_view format, std::initializer_list<fragment> parts);

/// The document, with its doctype. @param language of its text, a BCP 47 tag
std::string document(std::string_view language, const fragment& head, const fragment& body);

} // namespace handlers::html
