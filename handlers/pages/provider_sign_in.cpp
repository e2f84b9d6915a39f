#include "handlers/pages/provider_sign_in.hpp"

#include "handlers/authn/provider_login.hpp"
#include "handlers/authn/session_cookie.hpp"
#include "handlers/endpoints/email_address.hpp"
#include "handlers/endpoints/invite_acceptance.hpp"
#include "handlers/endpoints/oauth_state_cookie.hpp"
#include "handlers/endpoints/oidc_sign_in.hpp"
#include "handlers/http/redirect.hpp"
#include "handlers/http/same_origin.hpp"
#include "handlers/oidc/provider.hpp"
#include "handlers/oidc/provider_identity.hpp"
#include "handlers/pages/error_page.hpp"
#include "handlers/pages/form_view.hpp"
#include "handlers/pages/invite_acceptance.hpp"
#include "schemas/engine/schema.hpp"

#include <boost/describe/class.hpp>
#include <boost/url/url.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <chrono>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace handlers::pages {

using html::element;
using html::text;

BOOST_DESCRIBE_ENUM(provider_purpose, sign_in, link, verify, email_change, invite)

/// One sign-in that a page has begun.
struct begun_sign_in {
    provider_purpose purpose = provider_purpose::sign_in;
    std::string state, verifier;
    /// Of the page's link; empty for a plain sign-in.
    std::string token;
    /// Empty: the console.
    std::string return_to;
    /// The browser's session that is to get the identity, by its id; empty for all other purposes.
    std::string session;
    /// The only user who may sign in, where they do so once more; else empty.
    std::string user;
    /// In seconds since 1970.
    std::int64_t expires_at = 0;
};
BOOST_DESCRIBE_STRUCT(begun_sign_in, (),
                      (purpose, state, verifier, token, return_to, session, user, expires_at))

namespace {

constexpr std::chrono::seconds lifetime{600};

/// A longer path to return to is not kept: five of these cookies have to fit into the header that proxies
/// accept.
constexpr std::size_t max_return_to = 512;

/// Beside the session's cookie, and with the same protection against cookies that other hosts set.
state_cookies<begun_sign_in> begun_cookies(const context& cx)
{
    return {cx, std::string(session_cookie_name(cx.config)).append("-sign-in-"), "/", "page sign-in"};
}

std::string short_return_path(const call& c, std::string_view asked)
{
    return asked.size() > max_return_to ? std::string() : return_path(c, asked).value_or("");
}

std::int64_t seconds_of(db::timestamp at)
{
    return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

/// A begun sign-in: the values of Set-Cookie, and where the browser goes.
struct beginning {
    std::vector<std::string> set_cookies;
    std::string location;

    void add_cookies_to(reply& out) const
    {
        for (auto& each : set_cookies)
            out.add_header("Set-Cookie", each);
    }
};

beginning begin(call& c, begun_sign_in what)
{
    auto& config = c.cx.config;
    what.state = make_state();
    what.verifier = make_state();
    what.expires_at = seconds_of(c.cx.now() + lifetime);
    auto cookies = begun_cookies(c.cx);
    beginning out;
    out.set_cookies = cookies.make_room(c.req);
    out.set_cookies.push_back(cookies.make(what));
    boost::urls::url target(path_to(c, std::string(oidc_base_path) + "/authorize").text());
    auto parameters = target.params();
    parameters.append({"redirect_uri", config.public_url + std::string(oidc_return_page)});
    parameters.append({"state", what.state});
    parameters.append({"code_challenge", challenge_of(what.verifier)});
    parameters.append({"code_challenge_method", "S256"});
    if (!what.user.empty())
        parameters.append({"prompt", "login"});
    out.location = target.c_str();
    return out;
}

/// The page that says why a sign-in failed. @param way_back a link
reply show_failure(const view& v, std::string_view text_of_failure, unsigned status,
                   const html::fragment& way_back)
{
    page out;
    out.title = v.m().error_title.text();
    out.status = status;
    out.has_errors = true;
    out.content = element("p", {{"role", "alert"}}, text(text_of_failure));
    out.content += element("p", {{"class", "foot"}}, way_back);
    return render(v, out);
}

reply show_failure(const view& v, std::string_view text_of_failure, unsigned status = 422)
{
    return show_failure(v, text_of_failure, status, link_to(v.c, "/sign-in", v.m().back_to_sign_in));
}

/// Where a failed attempt leads: who links is signed in already, and goes back to where they came from.
html::fragment way_back(const view& v, const begun_sign_in& begun, const problem& why)
{
    if (begun.purpose != provider_purpose::link)
        return link_to(v.c, "/sign-in", v.m().back_to_sign_in);
    auto to = return_path(v.c, begun.return_to);
    if (why.code == codes::reauthentication_required)
        return link_to(v.c, with_return("/sign-in?again=1", to), v.m().sign_in_link);
    auto href = html::url::site(destination(v.c, begun.return_to));
    return element("a", {{"href", href}}, text_of(v.m().continue_));
}

const message& text_for(const view& v, const begun_sign_in& begun, const problem& why)
{
    if (why.code == codes::invalid_credentials && why.code.status() == 403)
        return v.m().other_identity;
    if (why.code == codes::wrong_account && begun.purpose != provider_purpose::invite)
        return v.m().other_account;
    return why.errors.empty() ? text_for(v, why.code) : v.m().provider_failed;
}

reply show_failure(const view& v, const begun_sign_in& begun, const problem& why)
{
    return show_failure(v, text_for(v, begun, why).text(), to_errors(v, why).status, way_back(v, begun, why));
}

/// The code and its verifier, in the member names of a schema.
form_data proof_of(const begun_sign_in& begun, std::string_view code, std::string_view code_name)
{
    form_data out;
    out.set(code_name, std::string(code));
    out.set("code_verifier", begun.verifier);
    out.set("token", begun.token);
    return out;
}

/// Signs in to the account that is expected, or refuses without any change.
awaitable<answer<schemas::login_result>> exchange(call& c, const begun_sign_in& begun, std::string code,
                                                  expected_account expected)
{
    auto proof = proof_of(begun, code, "code").as<schemas::oauth_exchange>();
    if (!proof)
        co_return proof.error();
    co_return co_await oidc_sign_in::exchange_for(c, std::move(*proof), std::move(expected));
}

awaitable<reply> finish_sign_in(call& c, begun_sign_in begun, std::string code)
{
    auto session = co_await load_browser_session(c);
    expected_account expected;
    expected.user = schemas::parse_uuid(begun.user);
    if (session)
        expected.signed_in = session->user.id;
    browser_sign_in browser(c);
    auto outcome = co_await exchange(c, begun, std::move(code), std::move(expected));
    if (auto why = std::get_if<problem>(&outcome))
        co_return show_failure(view_of(c), begun, *why);
    auto out = see_other(destination(c, begun.return_to));
    out.add_header("Set-Cookie", browser.set_cookie());
    co_return out;
}

/// With the session that asked for it as the credential, which knows the account, proved or not.
awaitable<reply> finish_link(call& c, begun_sign_in begun, std::string code)
{
    auto session = co_await load_browser_session(c);
    if (!session || to_string(session->id) != begun.session) {
        auto v = view_of(c);
        co_return show_failure(v, v.m().provider_failed.text());
    }
    expected_account expected;
    expected.user = session->user.id;
    browser_credential credential(c, *session);
    browser_sign_in browser(c);
    auto outcome = co_await exchange(c, begun, std::move(code), std::move(expected));
    if (auto why = std::get_if<problem>(&outcome))
        co_return show_failure(view_of(c, session->user.locale), begun, *why);
    auto out = see_other(destination(c, begun.return_to));
    out.add_header("Set-Cookie", browser.set_cookie());
    co_return out;
}

template <auto Endpoint>
awaitable<reply> finish_proof(call& c, begun_sign_in begun, std::string code, std::string_view done)
{
    auto proof = proof_of(begun, code, "provider_code");
    auto outcome = co_await run_endpoint<Endpoint>(c, proof);
    if (auto why = std::get_if<problem>(&outcome))
        co_return show_failure(view_of(c), begun, *why);
    co_return see_other(path_to(c, done).text());
}

/// Signs in only to the account with the address of the invite, which is open.
awaitable<reply> finish_invite(call& c, begun_sign_in begun, std::string code)
{
    form_data form;
    form.set("token", begun.token);
    auto invite = co_await find_open_invite(c, form);
    if (!invite)
        co_return show_failure(view_of(c), begun, invite.error());
    auto before = co_await load_browser_session(c);
    expected_account expected;
    if (before)
        expected.signed_in = before->user.id;
    expected.email = schemas::normalize_email(invite->email);
    browser_sign_in browser(c);
    auto outcome = co_await exchange(c, begun, std::move(code), std::move(expected));
    if (auto why = std::get_if<problem>(&outcome))
        co_return show_failure(view_of(c), begun, *why);
    auto session = co_await browser.load();
    if (!session)
        co_return show_failure(view_of(c), begun, problem::of(codes::unauthorized));
    auto v = view_of(c, session->user.locale);
    auto refused = co_await accept_by_session(c, *session, form);
    auto out = refused ? show_failure(v, begun, *refused) : see_other(joined_path(c));
    out.add_header("Set-Cookie", browser.set_cookie()); // the sign-in itself has succeeded
    co_return out;
}

awaitable<reply> finish(call& c, begun_sign_in begun, std::string code)
{
    switch (begun.purpose) {
    case provider_purpose::sign_in:
        return finish_sign_in(c, std::move(begun), std::move(code));
    case provider_purpose::link:
        return finish_link(c, std::move(begun), std::move(code));
    case provider_purpose::verify:
        return finish_proof<&email_address::verify>(c, std::move(begun), std::move(code),
                                                    "/done?what=verified");
    case provider_purpose::email_change:
        return finish_proof<&email_address::confirm_change>(c, std::move(begun), std::move(code),
                                                            "/done?what=email-changed");
    case provider_purpose::invite:
        break;
    }
    return finish_invite(c, std::move(begun), std::move(code));
}

/// The page that leads on to the provider, with the cookie of what is begun.
reply lead_to_provider(const view& v, begun_sign_in what)
{
    auto begun = begin(v.c, std::move(what));
    auto name = provider_name(v.c.cx.oidc->issuer());
    auto target = html::url::site(begun.location);
    page shown;
    shown.title = fill(v.m().provider_title, {name});
    shown.head = html::refresh(0, target);
    shown.content = paragraph(v.m().provider_text, {text(name)});
    shown.content +=
        element("a", {{"class", "button primary"}, {"href", target}}, text_of(v.m().provider_link));
    auto out = render(v, shown);
    begun.add_cookies_to(out);
    return out;
}

awaitable<reply> link_with(call& c, form_data form)
{
    if (auto impossible = require_browser_sessions(c.cx.config))
        co_return error_page(c, *impossible);
    if (!c.cx.oidc)
        co_return error_page(c, problem::of(codes::not_found));
    auto to = return_path(c, form["return_to"]);
    auto session = co_await load_browser_session(c);
    if (!session)
        co_return see_other(path_to(c, with_return("/sign-in", to)).text());
    begun_sign_in what;
    what.purpose = provider_purpose::link;
    what.session = to_string(session->id);
    what.return_to = short_return_path(c, form["return_to"]);
    co_return lead_to_provider(view_of(c, session->user.locale), std::move(what));
}

} // namespace

awaitable<reply> begin_provider_link(call& c)
{
    return with_form(c, &link_with);
}

awaitable<reply> begin_provider_sign_in(call& c)
{
    if (auto impossible = require_browser_sessions(c.cx.config))
        co_return error_page(c, *impossible);
    if (!c.cx.oidc)
        co_return error_page(c, problem::of(codes::not_found));
    auto asked = form_data::of_query(c.req);
    auto session = co_await load_browser_session(c);
    bool is_again = session && asked["again"] == "1";
    if (session && !is_again)
        co_return see_other(destination(c, asked["return_to"]));
    // No link of another site signs a person in, or makes an account: the person presses the button.
    if (is_from_elsewhere(c.req))
        co_return see_other(path_to(c, with_return("/sign-in", return_path(c, asked["return_to"]))).text());
    begun_sign_in what;
    if (is_again)
        what.user = to_string(session->user.id);
    what.return_to = short_return_path(c, asked["return_to"]);
    auto begun = begin(c, std::move(what));
    auto out = redirect(302, begun.location);
    begun.add_cookies_to(out);
    co_return out;
}

reply begin_with_token(call& c, provider_purpose purpose, std::string_view token)
{
    if (auto impossible = require_browser_sessions(c.cx.config))
        return error_page(c, *impossible);
    constexpr std::size_t max_token = 256; // that of the schema
    auto v = view_of(c);
    if (!c.cx.oidc)
        return error_page(c, problem::of(codes::not_found));
    if (token.empty() || token.size() > max_token)
        return show_failure(v, v.m().token_missing.text());
    begun_sign_in what;
    what.purpose = purpose;
    what.token = token;
    return lead_to_provider(v, std::move(what));
}

awaitable<reply> finish_provider_sign_in(call& c)
{
    ignore_authorization_header(c);
    auto back = form_data::of_query(c.req);
    auto cookies = begun_cookies(c.cx);
    auto begun = cookies.find(c.req, back["state"]);
    if (!begun || !c.cx.oidc) {
        auto v = view_of(c);
        co_return show_failure(v, v.m().provider_failed.text(), 400);
    }
    auto used = cookies.remove(begun->state);
    reply out;
    if (back["code"].empty()) {
        auto v = view_of(c);
        out = show_failure(v, v.m().provider_failed.text());
    } else {
        out = co_await finish(c, std::move(*begun), std::string(back["code"]));
    }
    out.add_header("Set-Cookie", used);
    co_return out;
}

std::optional<std::string> provider_label(const call& c)
{
    if (!c.cx.oidc || require_browser_sessions(c.cx.config))
        return std::nullopt;
    return std::string(provider_name(c.cx.oidc->issuer()));
}

html::fragment provider_button(const message& label, std::string_view name)
{
    return element("button",
                   {{"type", "submit"},
                    {"name", "action"},
                    {"value", "provider"},
                    {"formnovalidate", html::flag::present}},
                   html::sentence(label.text(), {text(name)}));
}

} // namespace handlers::pages
