// Identities at an OpenID provider: what they prove about an email address, and what a sign-in with one does.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace handlers {

/// A person as an OpenID provider identifies them. Issuer and subject together are the key; an email address
/// is not, since it may have had another owner (OpenID Connect Core, section 5.7).
struct provider_identity {
    std::string issuer, subject;
    /// Verified by the provider at some time; empty if it has not.
    std::string email;
    /// `hd` of Google; empty if there is none.
    std::string hosted_domain;
};

/** Whether the provider is authoritative for the identity's address: the person it signs in owns the mailbox
    now, and not merely when the provider verified it. Google is for `@gmail.com`, and for
    the domain in `hd`, the accounts of which an organization manages. Another issuer is for what the operator
    has configured; its `hd` means nothing.
    @param domains normalized domains, or `*`; ignored for Google */
bool is_authoritative(const provider_identity& identity, std::span<const std::string> domains);

/// The name of a provider for people: Google, or the issuer's host.
std::string provider_name(std::string_view issuer);

/// The account with the address of an identity that is not linked yet.
enum class address_owner {
    none,
    /// Its maker is not known to own the address: the account may be planted.
    unproved,
    proved
};

/// What a sign-in does with an identity that is not linked yet.
enum class identity_step {
    create_verified_account,
    /// The address stays to be verified by a link.
    create_unverified_account,
    /// Retires the planted account, and creates one with a verified address.
    replace_account,
    link,
    /// Links, and marks the address as verified and the account as proved.
    link_and_prove,
    /// Links if the session is fresh: the session alone says that the account and the identity are one
    /// person's.
    link_to_session,
    /// Refuses: the person has to sign in to the account, and to link from there.
    require_link
};

/** Decides what a sign-in does with an identity that is not linked yet.
    @param is_authoritative see above
    @param has_session the request has a live session of the account with the address, if there is one */
identity_step next_step(bool is_authoritative, address_owner owner, bool has_session);

} // namespace handlers
