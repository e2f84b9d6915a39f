// Errors as pages: for browsers that open an address outside of the API.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"

#include <optional>

namespace handlers::pages {

/// A page with the text of the error, in the language of the reader; status and headers are the problem's.
reply error_page(call& c, const problem& why);

/** The page for a request that accepts HTML and is not for the API, else nothing. For `context::error_page`:
    dispatch shows it in place of a JSON body. */
std::optional<reply> error_page_for_browser(call& c, const problem& why);

class form_data;

/** Runs `use` with the form of the request, in which `token` is that of a pasted link.
    @return its reply, or the error page of a body that is no form */
awaitable<reply> with_form(call& c, awaitable<reply> (*use)(call&, form_data));

} // namespace handlers::pages
