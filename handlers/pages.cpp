#include "handlers/pages.hpp"

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
)";

// One script for all pages: the form says where its values go, and what to say when they have arrived.
constexpr std::string_view script = R"(
const form = document.querySelector('form'), outcome = document.querySelector('[role=status]');
const token = new URLSearchParams(location.search).get('token') ?? '';
history.replaceState(null, '', location.pathname);
form.addEventListener('submit', async event => {
  event.preventDefault();
  const button = form.querySelector('button');
  button.disabled = true;
  outcome.textContent = '';
  const values = Object.fromEntries(new FormData(form));
  const inQuery = 'query' in form.dataset;
  try {
    const answer = await fetch(form.dataset.action + (inQuery ? '?token=' + encodeURIComponent(token) : ''), {
      method: 'POST', credentials: 'omit', referrerPolicy: 'no-referrer',
      headers: inQuery ? {} : { 'Content-Type': 'application/json' },
      body: inQuery ? null : JSON.stringify({ token, ...values })
    });
    if (answer.ok) {
      form.hidden = true;
      outcome.textContent = form.dataset.done;
      return;
    }
    const why = await answer.json();
    outcome.textContent = typeof why.detail === 'string' ? why.detail : why.detail.map(one => one.msg).join('; ');
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

constexpr page unsubscribe_page{
    "No more of these mails", "You will get no more mails of this kind.",
    R"(<form data-action="unsubscribe" data-query data-done="Done: there will be no more of them.">
<button>Unsubscribe</button></form>)"};

/** A source of the content security policy that lets exactly this text be used (CSP level 3, 8.4). */
std::string source_of(std::string_view text)
{
    return "'sha256-" + crypto::to_base64_unpadded(crypto::sha256(text)) + "='";
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

reply unsubscribe(call&)
{
    return show(unsubscribe_page);
}

} // namespace handlers::pages
