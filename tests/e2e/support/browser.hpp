// A client application and its browser, for sign-ins through the OpenID provider.
#pragma once

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "tests/e2e/support/mail_fixture.hpp"
#include "tests/support/https.hpp"
#include "tests/support/third_party.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <boost/url/url_view.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace e2e {

/// One provider for all tests of this process: starting it takes a second.
inline const support::certificate& provider_certificate()
{
    static const support::certificate made;
    return made;
}

inline support::oidc_issuer& provider()
{
    static support::oidc_issuer made(provider_certificate());
    return made;
}

/// A decoded query parameter of a URL; empty if absent.
inline std::string query_parameter(const std::string& url, std::string_view name)
{
    auto parsed = boost::urls::parse_uri(url);
    BOOST_REQUIRE_MESSAGE(parsed.has_value(), url);
    auto found = parsed->params().find(name);
    return found == parsed->params().end() ? std::string() : std::string((*found).value);
}

/// Path and query of a URL.
inline std::string request_target(const std::string& url)
{
    auto parsed = boost::urls::parse_uri(url);
    BOOST_REQUIRE_MESSAGE(parsed.has_value(), url);
    return std::string(parsed->encoded_path()) + "?" + std::string(parsed->encoded_query());
}

struct oidc_fixture : mail_fixture {
    explicit oidc_fixture(support::environment more = {}) : mail_fixture(with_settings(std::move(more)))
    {
        provider().reset();
    }

    static support::environment with_settings(support::environment more)
    {
        // Unless a test says otherwise, the provider is authoritative for every address.
        more.insert(more.begin(), {"LATCHKEY_GOOGLE_AUTHORITATIVE_DOMAINS", "*"});
        more.emplace_back("LATCHKEY_GOOGLE_CLIENT_ID", "client-1");
        more.emplace_back("LATCHKEY_GOOGLE_CLIENT_SECRET", "secret-1");
        more.emplace_back("LATCHKEY_GOOGLE_ISSUER", provider().issuer());
        more.emplace_back("LATCHKEY_REDIRECT_ALLOWLIST",
                          "https://app.example/in,https://app.example/in?from=mail");
        more.emplace_back("SSL_CERT_FILE", provider_certificate().cert());
        return more;
    }

    static constexpr auto google = "/api/v1/users/oauth/google";

    /// The PKCE code verifier.
    std::string verifier = std::string(43, 'v');
    std::string redirect_uri = "https://app.example/in";
    std::string state = "client state & more";

    std::string begin_path() const
    {
        auto challenge = crypto::to_base64url(crypto::sha256(verifier));
        boost::urls::url path(std::string(google) + "/authorize");
        path.params().append({"redirect_uri", redirect_uri});
        path.params().append({"state", state});
        path.params().append({"code_challenge", challenge});
        path.params().append({"code_challenge_method", "S256"});
        return std::string(path.c_str());
    }

    /// Begin a sign-in, and store the cookie. @return the redirect to the provider
    support::response begin()
    {
        auto sent = client.get(begin_path());
        auto cookie = sent.header("Set-Cookie");
        cookies = cookie.substr(0, cookie.find(';'));
        return sent;
    }

    /// Follow the redirect to the provider. @return the URL that the provider redirects back to
    std::string visit_provider(const support::response& sent)
    {
        BOOST_REQUIRE_MESSAGE(sent.status == 302u, sent.body);
        auto answer = support::https_get(sent.header("Location"), provider_certificate().cert());
        BOOST_REQUIRE_MESSAGE(answer.status == 302u, answer.body);
        return answer.header("Location");
    }

    support::response return_from_provider(const std::string& to)
    {
        client.set("Cookie", cookies);
        auto answer = client.get(request_target(to));
        client.set("Cookie", "");
        return answer;
    }

    /// The whole sign-in up to the client application. @return the URL that the application is called with
    std::string consent()
    {
        auto back = return_from_provider(visit_provider(begin()));
        BOOST_REQUIRE_MESSAGE(back.status == 302u, back.body);
        return back.header("Location");
    }

    support::response exchange(const std::string& code, std::optional<std::string> with = {},
                               std::string_view bearer = {})
    {
        auto body = support::object({{"code", code}, {"code_verifier", with.value_or(verifier)}});
        return post("/oauth/google/exchange", body, bearer);
    }

    support::response sign_in(std::string_view bearer = {})
    {
        return exchange(query_parameter(consent(), "code"), std::nullopt, bearer);
    }

    /// The error that the client application receives.
    std::string error() { return query_parameter(consent(), "error"); }

    void set_claims(const boost::json::object& claims) { provider().set({{"claims", claims}}); }

    std::string cookies;
};

} // namespace e2e
