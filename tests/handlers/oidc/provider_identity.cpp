// What an identity at a provider proves, and what a sign-in does with it: the whole matrix.
#include "handlers/oidc/provider_identity.hpp"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace handlers;

namespace {

const std::string google = "https://accounts.google.com", other = "https://login.example.com";

bool decides(const std::string& issuer, const std::string& email, const std::string& hosted_domain,
             const std::vector<std::string>& domains = {})
{
    return is_authoritative({issuer, "1", email, hosted_domain}, domains);
}

} // namespace

BOOST_AUTO_TEST_SUITE(provider_identity)

BOOST_AUTO_TEST_CASE(google_is_authoritative_for_gmail_and_the_domain_that_it_hosts)
{
    BOOST_TEST(decides(google, "ada@gmail.com", ""));
    BOOST_TEST(decides(google, "Ada@GMail.com", ""));
    BOOST_TEST(decides(google, "ada@corp.example", "corp.example"));
    BOOST_TEST(decides(google, "ada@Corp.Example", "CORP.example"));
    BOOST_TEST(decides(google, "ada@b\u00fccher.example", "xn--bcher-kva.example"));

    // An account that its owner made with the address of a company, and what only looks like the others.
    BOOST_TEST(!decides(google, "ada@corp.example", ""));
    BOOST_TEST(!decides(google, "ada@corp.example", "evil.example"));
    BOOST_TEST(!decides(google, "ada@sub.corp.example", "corp.example"));
    BOOST_TEST(!decides(google, "ada@corp.example", "sub.corp.example"));
    BOOST_TEST(!decides(google, "ada@corp.example", "gmail.com"));
    BOOST_TEST(!decides(google, "ada@gmail.com.evil.example", ""));
    BOOST_TEST(!decides(google, "ada@xgmail.com", ""));
    BOOST_TEST(!decides(google, "gmail.com@evil.example", ""));
    BOOST_TEST(!decides(google, "", ""));
    BOOST_TEST(!decides(google, "", "corp.example"));
    BOOST_TEST(!decides(google, "ada@corp.example", "", {"*", "corp.example"})); // not by configuration
}

BOOST_AUTO_TEST_CASE(another_issuer_is_authoritative_for_what_is_configured)
{
    for (auto& hosted : {"", "corp.example", "gmail.com"}) { // its `hd` may mean anything
        BOOST_TEST(!decides(other, "ada@corp.example", hosted));
        BOOST_TEST(!decides(other, "ada@gmail.com", hosted));
        BOOST_TEST(decides(other, "ada@Corp.example", hosted, {"a.example", "corp.example"}));
        BOOST_TEST(!decides(other, "ada@sub.corp.example", hosted, {"corp.example"}));
        BOOST_TEST(decides(other, "ada@any.example", hosted, {"*"}));
        BOOST_TEST(!decides(other, "", hosted, {"*"}));
    }
    for (auto& imitation : {"https://accounts.google.com/", "https://accounts.google.com.evil.example",
                            "accounts.google.com", "http://accounts.google.com"})
        BOOST_TEST(!decides(imitation, "ada@gmail.com", "gmail.com"));
}

BOOST_AUTO_TEST_CASE(every_step_follows_from_what_is_proved)
{
    for (bool trusted : {false, true})
        for (auto owner : {address_owner::none, address_owner::unproved, address_owner::proved})
            for (bool session : {false, true})
                BOOST_TEST_CONTEXT("authoritative " << trusted << ", owner " << static_cast<int>(owner)
                                                    << ", session " << session)
                {
                    auto step = next_step(trusted, owner, session);
                    bool links = step == identity_step::link || step == identity_step::link_and_prove ||
                                 step == identity_step::link_to_session;
                    bool creates = step == identity_step::create_verified_account ||
                                   step == identity_step::create_unverified_account ||
                                   step == identity_step::replace_account;
                    // An account is made exactly where none can be handed over.
                    BOOST_TEST((owner == address_owner::none) <= creates);
                    // Without a session only a provider that is authoritative reaches an existing account,
                    // and never one that may be planted.
                    if (!session && links)
                        BOOST_TEST((trusted && owner == address_owner::proved));
                    // An address is verified by an authoritative provider alone.
                    if (step == identity_step::create_verified_account ||
                        step == identity_step::link_and_prove || step == identity_step::replace_account)
                        BOOST_TEST(trusted);
                    // An account is replaced only if it has no known owner.
                    if (step == identity_step::replace_account)
                        BOOST_TEST((owner == address_owner::unproved && !session));
                    BOOST_TEST((step == identity_step::require_link) ==
                               (!trusted && !session && owner != address_owner::none));
                }
}

BOOST_AUTO_TEST_CASE(no_combination_reaches_an_account_without_authority_or_a_session)
{
    const std::vector<std::string> configured{"corp.example"};
    for (auto& issuer : {google, other})
        for (std::string domain : {"gmail.com", "corp.example", "other.example"})
            for (std::string hosted : {"", "corp.example", "other.example", "gmail.com", "evil.example"})
                for (bool is_verified : {false, true})
                    for (auto owner : {address_owner::none, address_owner::unproved, address_owner::proved})
                        for (bool session : {false, true})
                            BOOST_TEST_CONTEXT(issuer << " " << domain << " hd " << hosted << " verified "
                                                      << is_verified << " owner " << static_cast<int>(owner)
                                                      << " session " << session)
                            {
                                // An address that the provider has not verified is none.
                                auto email = is_verified ? "ada@" + domain : "";
                                bool trusted = decides(issuer, email, hosted, configured);
                                bool expected = is_verified &&
                                                (issuer == google ? domain == "gmail.com" || domain == hosted
                                                                  : domain == "corp.example");
                                BOOST_TEST(trusted == expected);
                                auto step = next_step(trusted, owner, session);
                                if (!trusted && !session)
                                    BOOST_TEST((step == identity_step::create_unverified_account ||
                                                step == identity_step::require_link));
                                if (!trusted && session && owner != address_owner::none)
                                    BOOST_TEST((step == identity_step::link_to_session));
                            }
}

BOOST_AUTO_TEST_CASE(a_provider_is_named_for_people)
{
    BOOST_TEST(provider_name(google) == "Google");
    BOOST_TEST(provider_name("https://login.example.com:8443/tenant") == "login.example.com");
    BOOST_TEST(provider_name("http://localhost:9090") == "localhost");
}

BOOST_AUTO_TEST_SUITE_END()
