#include "handlers/endpoints/html_pages.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"

namespace handlers::pages {

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

// One script for all pages: the form says where its values go, and what to say when they have arrived; and,
// if it has to be shown something first, where to ask for that, and which part of the answer is to be shown.
// What is left empty is not sent.
constexpr std::string_view script = R"(
const form = document.querySelector('form'), outcome = document.querySelector('[role=status]');
const token = new URLSearchParams(location.search).get('token') ?? '';
history.replaceState(null, '', location.pathname);
const send = (action, values) => fetch(action, {
  method: 'POST', credentials: 'omit', referrerPolicy: 'no-referrer',
  headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ token, ...values })
});
const reason = why => typeof why.detail === 'string' ? why.detail : why.detail.map(one => one.msg).join('; ');
const show = async () => {
  const answer = await send(form.dataset.preview);
  const found = await answer.json();
  if (!answer.ok) {
    form.hidden = true;
    outcome.textContent = reason(found);
    return;
  }
  for (const place of document.querySelectorAll('[data-show]'))
    place.textContent = found[place.dataset.show] ?? place.textContent;
  for (const part of document.querySelectorAll('[data-unless]'))
    part.hidden = found[part.dataset.unless];
  for (const part of document.querySelectorAll('[data-if]'))
    part.hidden = !found[part.dataset.if];
};
if ('preview' in form.dataset)
  show().catch(() => { outcome.textContent = 'The server could not be reached. Please try again.'; });
form.addEventListener('submit', async event => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  outcome.textContent = '';
  const values = Object.fromEntries([...new FormData(form)].filter(([, value]) => value !== ''));
  const inQuery = 'query' in form.dataset;
  try {
    const answer = inQuery
      ? await fetch(form.dataset.action + '?token=' + encodeURIComponent(token),
                    { method: 'POST', credentials: 'omit', referrerPolicy: 'no-referrer' })
      : await send(form.dataset.action, values);
    if (answer.ok) {
      form.hidden = true;
      outcome.textContent = form.dataset.done;
      if ('result' in form.dataset)
        document.querySelector('output').textContent = (await answer.json())[form.dataset.result];
      return;
    }
    outcome.textContent = reason(await answer.json());
  } catch {
    outcome.textContent = 'The server could not be reached. Please try again.';
  }
  button.disabled = false;
});
)";

struct page {
    std::string_view title, text, form; ///< HTML
};

constexpr page verify_page{
    "Confirm your e-mail address", "One click, and the address is yours.",
    R"(<form data-action="api/v1/users/email/verify" data-done="Thank you: your address is confirmed.">
<button>Confirm</button></form>)"};

constexpr page reset_page{
    "Choose a new password",
    "You will be signed out everywhere. Several unrelated words make a good password.",
    R"(<form data-action="api/v1/users/password/reset" data-done="Your password is the new one: you can sign in with it.">
<label for="password">New password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="8" required>
<button>Set the password</button></form>)"};

constexpr page change_email_page{
    "Use this address from now on", "One click, and you sign in with this address.",
    R"(<form data-action="api/v1/users/email/change/confirm" data-done="Done: this is your address now.">
<button>Use this address</button></form>)"};

constexpr page invite_page{
    "You are invited",
    R"(<span data-show="invited_by">An admin</span> invites you to join <b data-show="workspace_name">a workspace</b>
as <span data-show="role">member</span>, with the address <b data-show="email">that the mail came to</b>.)",
    R"(<form data-preview="api/v1/users/invites/preview" data-action="api/v1/users/invites/accept"
data-done="Welcome: you are a member now, and can sign in.">
<div data-unless="has_account"><label for="name">Your name</label>
<input id="name" name="name" autocomplete="name" maxlength="100"></div>
<label for="password"><span data-unless="has_account">Choose a password</span>
<span data-if="has_account" hidden>The password of your account</span></label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Join</button></form>)"};

constexpr page unsubscribe_page{
    "No more of these mails", "You will get no more mails of this kind.",
    R"(<form data-action="unsubscribe" data-query data-done="Done: there will be no more of them.">
<button>Unsubscribe</button></form>)"};

constexpr page claim_page{"An API key for you",
                          "The key is shown once, here and now. Keep it where you keep passwords.",
                          R"(<form data-action="api/v1/users/api-keys/claim" data-result="secret"
data-done="This is the key; it will not be shown again.">
<button>Show the key</button></form><output></output>)"};

/** A source of the content security policy that lets exactly this text be used (CSP level 3, 8.4). */
std::string source_of(std::string_view text)
{
    return "'sha256-" + crypto::to_base64(crypto::sha256(text)) + "'";
}

const std::string& policy()
{
    static const std::string text =
        "default-src 'none'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; style-src " +
        source_of(style) + "; script-src " + source_of(script);
    return text;
}

reply show(const page& one)
{
    reply out;
    out.content_type = "text/html; charset=utf-8";
    out.body
        .append("<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
                "<meta name=\"viewport\" content=\"width=device-width\">\n<title>")
        .append(one.title)
        .append("</title>\n<style>")
        .append(style)
        .append("</style>\n<main>\n<h1>")
        .append(one.title)
        .append("</h1>\n<p>")
        .append(one.text)
        .append("</p>\n")
        .append(one.form)
        .append(
            "\n<p role=\"status\"></p>\n<noscript>This page needs JavaScript.</noscript>\n</main>\n<script>")
        .append(script)
        .append("</script>\n</html>\n");
    out.add_header("Content-Security-Policy", policy());
    out.add_header("Referrer-Policy", "no-referrer");
    out.add_header("X-Content-Type-Options", "nosniff");
    return out;
}

} // namespace

reply verify(call&)
{
    return show(verify_page);
}

reply reset(call&)
{
    return show(reset_page);
}

reply change_email(call&)
{
    return show(change_email_page);
}

reply invite(call&)
{
    return show(invite_page);
}

reply unsubscribe(call&)
{
    return show(unsubscribe_page);
}

reply claim(call&)
{
    return show(claim_page);
}

} // namespace handlers::pages
