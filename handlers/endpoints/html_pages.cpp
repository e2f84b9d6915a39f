#include "handlers/endpoints/html_pages.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "handlers/endpoints/oauth_state_cookie.hpp"
#include "handlers/http/context.hpp"
#include "handlers/oidc/provider.hpp"
#include "handlers/oidc/provider_identity.hpp"

namespace handlers::html_pages {

namespace {

constexpr std::string_view style = R"(
:root { color-scheme: light dark; }
body { font: 1rem/1.5 system-ui, sans-serif; margin: 0; padding: 1rem; }
main { max-width: 26rem; margin: 12vh auto 0; }
label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
input { margin: .25rem 0 1rem; padding: .5rem; }
button { padding: .6rem; cursor: pointer; }
[role=status] { min-height: 3em; }
output { font-family: monospace; overflow-wrap: anywhere; user-select: all; }
)";

// One script for all pages. Attributes of the form, or of a button with an action of its own, which sends no
// fields, tell it the action and the text to show on success; for a page with a preview, the form's tell it
// the action that returns it; `data-show`, `data-if` and `data-unless` name
// members of the preview. Empty inputs are not sent.
//
// The token is in the fragment of the URL, which browsers send to no server: it reaches no access log and no
// Referer header. The script removes it from the address bar and the history. A second link opened in the
// same tab changes the fragment only, so the page reloads. A form with `data-query` also takes the token from
// the query, where one-click unsubscription needs it (RFC 8058).
//
// A button with `data-provider` signs in through the provider, with PKCE (RFC 7636), and comes back to the
// page, which then does the form's action as the person who has signed in, or passes the code on if the
// action takes it (`data-takes-code`). The link's token waits in the session storage of the tab, with the
// state that no other page can know: a redirect that this tab has not asked for does nothing.
constexpr std::string_view script = R"(
const form = document.querySelector('form'), outcome = document.querySelector('[role=status]');
const unreachable = 'The server could not be reached. Please try again.';
const begun = 'latchkey_sign_in';
const returned = new URLSearchParams(location.search);
const takeBegun = () => {
  const saved = JSON.parse(sessionStorage.getItem(begun));
  sessionStorage.removeItem(begun);
  return saved !== null && saved.state === returned.get('state') ? saved : null;
};
const resumed = returned.has('state') ? takeBegun() : null;
const tokenIn = parameters => new URLSearchParams(parameters).get('token') ?? '';
const token = resumed?.token
  ?? (tokenIn(location.hash.slice(1)) || ('query' in form.dataset ? tokenIn(location.search) : ''));
history.replaceState(null, '', location.pathname);
addEventListener('hashchange', () => location.reload());
const post = (action, body, bearer) => fetch(action, {
  method: 'POST', credentials: 'omit', referrerPolicy: 'no-referrer',
  headers: { 'Content-Type': 'application/json', ...(bearer && { Authorization: 'Bearer ' + bearer }) },
  body: JSON.stringify(body)
});
const send = (action, values, bearer) => post(action, { token, ...values }, bearer);
const reason = error =>
  typeof error.detail === 'string' ? error.detail : error.detail.map(e => e.msg).join('; ');
const showPreview = async () => {
  const response = await send(form.dataset.preview);
  const preview = await response.json();
  if (!response.ok) {
    form.hidden = true;
    outcome.textContent = reason(preview);
    return;
  }
  for (const element of document.querySelectorAll('[data-show]'))
    element.textContent = preview[element.dataset.show] ?? element.textContent;
  for (const element of document.querySelectorAll('[data-unless]'))
    element.hidden = preview[element.dataset.unless];
  for (const element of document.querySelectorAll('[data-if]'))
    element.hidden = !preview[element.dataset.if];
};
const base64url = bytes => btoa(String.fromCharCode(...new Uint8Array(bytes)))
  .replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));
const provider = document.querySelector('[data-provider]');
provider?.addEventListener('click', async () => {
  const state = random(), verifier = random();
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(verifier));
  sessionStorage.setItem(begun, JSON.stringify({ state, verifier, token }));
  location.assign(provider.dataset.provider + '/authorize?' + new URLSearchParams({
    redirect_uri: location.origin + location.pathname, state,
    code_challenge: base64url(digest), code_challenge_method: 'S256'
  }));
});
if (provider && !crypto.subtle)
  provider.hidden = true;
const actAsSignedIn = async () => {
  const code = returned.get('code');
  if (code === null) {
    outcome.textContent = 'The sign-in was not completed.';
    return false;
  }
  const takesCode = 'takesCode' in form.dataset, code_verifier = resumed.verifier;
  let response = takesCode
    ? await send(form.dataset.action, { provider_code: code, code_verifier })
    : await post(provider.dataset.provider + '/exchange', { code, code_verifier });
  if (response.ok && !takesCode)
    response = await send(form.dataset.action, {}, (await response.json()).access_token);
  if (response.ok) {
    form.hidden = true;
    outcome.textContent = form.dataset.done;
  } else {
    outcome.textContent = reason(await response.json());
  }
  return response.ok;
};
const begin = async () => {
  const isDone = resumed !== null && await actAsSignedIn();
  if (!isDone && 'preview' in form.dataset)
    await showPreview();
};
begin().catch(() => { outcome.textContent = unreachable; });
form.addEventListener('submit', async event => {
  event.preventDefault();
  const button = event.submitter ?? form.querySelector('button');
  const { action, done } = { ...form.dataset, ...button.dataset };
  button.disabled = true;
  outcome.textContent = '';
  const values = 'action' in button.dataset ? {}
    : Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''));
  const inQuery = 'query' in form.dataset;
  try {
    const response = inQuery
      ? await fetch(action + '?token=' + encodeURIComponent(token),
                    { method: 'POST', credentials: 'omit', referrerPolicy: 'no-referrer' })
      : await send(action, values);
    if (response.ok) {
      form.hidden = true;
      outcome.textContent = done;
      if ('result' in form.dataset)
        document.querySelector('output').textContent = (await response.json())[form.dataset.result];
      return;
    }
    outcome.textContent = reason(await response.json());
  } catch {
    outcome.textContent = unreachable;
  }
  button.disabled = false;
});
)";

/// The parts of a page, as HTML.
struct page {
    std::string_view title, text, form;
    /// Of a button that signs in through the provider, followed by its name; empty: the page has none.
    std::string_view provider_label = {};
};

constexpr page verify_page{
    "Confirm your email address",
    "An account was made with this email address. Was it you? Then enter the password that you chose.",
    R"(<form data-action="api/v1/users/email/verify" data-takes-code
data-done="Your email address has been confirmed.">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Yes, it was me</button>
<button formnovalidate data-action="api/v1/users/email/verify/disown"
data-done="The account has been closed. It no longer has your address.">No, it was not me</button></form>)",
    "Yes, I signed up with "};

constexpr page reset_page{"Choose a new password",
                          "You will be signed out on all devices. Use several unrelated words as a password.",
                          R"(<form data-action="api/v1/users/password/reset"
data-done="Your password has been changed. You can sign in now.">
<label for="password">New password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="8" required>
<label for="current_password">Present password, only if the email asks for it</label>
<input id="current_password" name="current_password" type="password" autocomplete="current-password">
<button>Change password</button></form>)"};

constexpr page change_email_page{
    "Change your email address",
    "Please confirm with your password that you want to sign in with this email address.",
    R"(<form data-action="api/v1/users/email/change/confirm" data-takes-code
data-done="Your email address has been changed.">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Confirm</button></form>)",
    "Confirm with "};

constexpr page invite_page{
    "You are invited",
    R"(<span data-show="invited_by">An admin</span> invites you to join
<b data-show="workspace_name">a workspace</b>
as <span data-show="role">member</span>. The invite is for the email address
<b data-show="email">that received it</b>.)",
    R"(<form data-preview="api/v1/users/invites/preview" data-action="api/v1/users/invites/accept"
data-done="You are now a member of the workspace. You can sign in.">
<div data-unless="has_account"><label for="name">Your name</label>
<input id="name" name="name" autocomplete="name" maxlength="100"></div>
<p data-if="has_unproved_account" hidden>An account was made with this email address and never confirmed.
If you made it, enter its password: you keep it. If you did not, choose a new password: you get a new account,
and that one loses this address.</p>
<label for="password"><span data-unless="has_account">Choose a password</span>
<span data-if="has_account" hidden>Your password</span></label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Join</button></form>)",
    "Sign in with "};

constexpr page unsubscribe_page{
    "Unsubscribe", "You will no longer receive emails of this kind.",
    R"(<form data-action="unsubscribe" data-query data-done="You have been unsubscribed.">
<button>Unsubscribe</button></form>)"};

constexpr page claim_page{"Your API key", "The key is shown only once. Store it in a safe place.",
                          R"(<form data-action="api/v1/users/api-keys/claim" data-result="secret"
data-done="This is your API key. It will not be shown again.">
<button>Show the key</button></form><output></output>)"};

/// The source expression that allows exactly this inline text (CSP Level 3, section 8.4).
std::string source_of(std::string_view text)
{
    return "'sha256-" + crypto::to_base64(crypto::sha256(text)) + "'";
}

const std::string& content_security_policy()
{
    static const std::string text =
        "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; style-src " +
        source_of(style) + "; script-src " + source_of(script);
    return text;
}

/// The form, with a button to sign in through the provider if there is one.
void append_form(std::string& out, const context& cx, const page& page)
{
    constexpr std::string_view end = "</form>";
    if (!cx.oidc || page.provider_label.empty()) {
        out.append(page.form);
        return;
    }
    auto at = page.form.rfind(end);
    out.append(page.form.substr(0, at))
        .append("\n<button type=\"button\" data-provider=\"")
        .append(oidc_base_path.substr(1))
        .append("\">")
        .append(page.provider_label)
        .append(provider_name(cx.oidc->issuer()))
        .append("</button>")
        .append(page.form.substr(at));
}

reply render(const call& c, const page& page)
{
    reply out;
    out.content_type = "text/html; charset=utf-8";
    out.body
        .append("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width\">\n<title>")
        .append(page.title)
        .append("</title>\n<style>")
        .append(style)
        .append("</style>\n<main>\n<h1>")
        .append(page.title)
        .append("</h1>\n<p>")
        .append(page.text)
        .append("</p>\n");
    append_form(out.body, c.cx, page);
    out.body
        .append(
            "\n<p role=\"status\"></p>\n<noscript>This page needs JavaScript.</noscript>\n</main>\n<script>")
        .append(script)
        .append("</script>\n</html>\n");
    out.add_header("Content-Security-Policy", content_security_policy());
    out.add_header("Referrer-Policy", "no-referrer");
    return out;
}

} // namespace

reply verify(call& c)
{
    return render(c, verify_page);
}

reply reset(call& c)
{
    return render(c, reset_page);
}

reply change_email(call& c)
{
    return render(c, change_email_page);
}

reply invite(call& c)
{
    return render(c, invite_page);
}

reply unsubscribe(call& c)
{
    return render(c, unsubscribe_page);
}

reply claim(call& c)
{
    return render(c, claim_page);
}

} // namespace handlers::html_pages
