// Forms of the pages: fields with their labels, hints and errors.
#pragma once

#include "handlers/pages/form_data.hpp"
#include "handlers/pages/layout.hpp"

#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handlers::pages {

/// What is wrong with a submitted form, in the language of the reader.
struct form_errors {
    /// About the form as a whole; may be empty.
    std::string summary;
    /// Of fields: name and text, in the order of the form.
    std::vector<std::pair<std::string, std::string>> fields;
    /// Of the page that shows them.
    unsigned status = 200;
    /// Such as Retry-After.
    std::string headers = {};

    bool any() const { return !summary.empty() || !fields.empty(); }
    std::string_view of(std::string_view field) const;
};

/// The field at which the error with a code is shown.
struct code_place {
    problem_code code;
    std::string_view field;
};

/** The errors of an endpoint as those of a form. A validation error stands at the field in its `loc`, another
    code at the field that `places` names, all others above the form. 401 is shown as 422: these pages have no
    WWW-Authenticate challenge to answer. */
form_errors to_errors(const view& v, const problem& why, std::initializer_list<code_place> places = {});

/// Gives a page the status and the headers of the errors that it shows.
void note(const form_errors& errors, page& shown);

/// The text for an error code.
const message& text_for(const view& v, const problem_code& code);

/// One input.
struct field {
    std::string_view name;
    std::string_view label;
    std::string_view type = "text";
    /// WHATWG HTML, section 4.10.18.7.
    std::string_view autocomplete = "off";
    std::string_view hint = {};
    bool is_required = true;
    unsigned max_length = 0, min_length = 0;
    /// Receives the token of the page's link from the script, which then hides it.
    bool is_token = false;
    /// Shown, but not to be changed.
    bool is_fixed = false;
};

/// The field for the address of an account, as password managers find it.
field email_field(const view& v);

/// A form before and after it was submitted.
struct form_view {
    const view& v;
    /// What was entered. Passwords are never written into a page.
    const form_data& values;
    const form_errors& errors;

    /// The label, the input, its hint and its error.
    html::fragment input(const field& one) const;

    /// The field for the token of an emailed link.
    html::fragment token() const;

    /// A field that only the program sees.
    html::fragment hidden(std::string_view name, std::string_view value) const;

    /// The list of all errors, which receives the focus; empty if there are none.
    html::fragment summary(std::span<const field> fields) const;
};

html::fragment submit_button(const message& label);

/** `<form method="post">` that is sent to a path of this site. @param content begins with the inputs */
html::fragment post_form(const call& c, std::string_view path, const html::fragment& content,
                         html::attribute more = {"class", "form"});

/// A link to a path of this site.
html::fragment link_to(const call& c, std::string_view path, const message& label);

/// The token in what a person has pasted: a whole link, or the token alone. White space is not part of it.
std::string token_in(std::string_view pasted);

} // namespace handlers::pages
