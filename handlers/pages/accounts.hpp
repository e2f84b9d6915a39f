// /sign-in, /sign-up and /sign-out: a browser session by forms.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"

namespace handlers::pages {

/// The form; a browser that is signed in is sent on. `return_to` takes a path of this site. With `again=1`
/// the person who is signed in signs in once more, for calls that need a fresh session.
awaitable<reply> sign_in(call& c);
/// Signs in by accounts::login, with a browser session in place of tokens.
awaitable<reply> submit_sign_in(call& c);

awaitable<reply> sign_up(call& c);
/// Signs up by accounts::signup; signed in at once, unless the address has to be verified first.
awaitable<reply> submit_sign_up(call& c);

/// Asks, so that no link of another site signs a person out.
awaitable<reply> sign_out(call& c);
awaitable<reply> submit_sign_out(call& c);

inline constexpr operation account_operations[] = {
    describes<&sign_in>(tags::pages, "pageSignIn", "Sign in", "A page for browsers.")
        .as_page()
        .responds(303, "To the page asked for: the browser is signed in already."),
    describes<&submit_sign_in>(tags::pages, "submitSignIn", "Sign in by the form of that page").as_form(),
    describes<&sign_up>(tags::pages, "pageSignUp", "Create an account", "A page for browsers.")
        .as_page()
        .responds(303, "To the page asked for: the browser is signed in already."),
    describes<&submit_sign_up>(tags::pages, "submitSignUp", "Create an account by the form of that page")
        .as_form(),
    describes<&sign_out>(tags::pages, "pageSignOut", "Sign out", "A page for browsers.").as_page(),
    describes<&submit_sign_out>(tags::pages, "submitSignOut", "Sign out by the form of that page").as_form(),
};

} // namespace handlers::pages
