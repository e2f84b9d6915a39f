// /sign-in/google: sign-ins through the provider that begin on a page, without a script.
#pragma once

#include "handlers/html/html.hpp"
#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "handlers/pages/texts/messages.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace handlers::pages {

/// What a page does after the provider has authenticated a person.
enum class provider_purpose { sign_in, link, verify, email_change, invite };

/** A link: begins a sign-in and redirects to the provider; a browser that is signed in is sent on, unless
   with `again=1` its person is to sign in once more, as the same user. What the page needs afterwards is in a
   sealed cookie of this browser: the PKCE verifier (RFC 7636), the state, and where to go. */
awaitable<reply> begin_provider_sign_in(call& c);

/** The form of an account's own page: begins a sign-in that links the identity to the account of the
   browser's session. Of another account's identity nothing comes. */
awaitable<reply> begin_provider_link(call& c);

/** The return: exchanges the code once, if the state is that of the browser's cookie, and finishes what was
    begun. A return that this browser has not asked for, or a second one, does nothing. */
awaitable<reply> finish_provider_sign_in(call& c);

/** The same begin for a page with a link's token, which was sent by a form. A page that leads on by itself:
   the policy `form-action 'self'` lets no form lead to another site, also not by a redirect. */
reply begin_with_token(call& c, provider_purpose purpose, std::string_view token);

/// The provider's name, if pages can offer it.
std::optional<std::string> provider_label(const call& c);

/// The button of a form that continues with the provider. @param label with the name as its placeholder
html::fragment provider_button(const message& label, std::string_view name);

inline constexpr operation provider_operations[] = {
    describes<&begin_provider_sign_in>(tags::pages, "pageSignInWithGoogle",
                                       "Begin a sign-in with the provider",
                                       "A link of the sign-in page; redirects to the provider.")
        .as_page()
        .responds(302, "To the provider.")
        .responds(303,
                  "To the page asked for, if the browser is signed in already, or back to the sign-in page."),
    describes<&begin_provider_link>(
        tags::pages, "linkGoogle", "Link the provider to the account",
        "For a browser that is signed in, with an optional `return_to`. The page leads to the provider; the "
        "identity is linked if no other account has it, and its address is the account's.")
        .as_form(),
    describes<&finish_provider_sign_in>(tags::pages, "pageSignInWithGoogleDone", "Return from the provider",
                                        "Signs the browser in and redirects to the page it came for.")
        .as_page()
        .responds(303, "To the page asked for."),
};

} // namespace handlers::pages
