// The texts of the pages in all languages: one file a language.
#pragma once

#include "handlers/http/message.hpp"

#include <span>
#include <string_view>

namespace handlers::pages {

/// A text, a literal that is not empty. `{0}`, `{1}` ... stand for what the page inserts.
class message {
public:
    consteval message(const char* text) : text_(text)
    {
        if (text_.empty())
            throw "a text is missing";
    }

    constexpr std::string_view text() const { return text_; }

private:
    std::string_view text_;
};

/** All texts of a language. A message has no default: a language that lacks one does not compile. Members
   hold nothing but messages, so that tests can list them. */
struct messages {
    // ---- words that several pages use
    message email, password, new_password, your_name, workspace_name, optional, continue_, cancel,
        back_to_sign_in, or_, show_password, hide_password, go_to_console, page_needs_link, token_label,
        token_hint, console_needs_script, the_api;

    // ---- sign-in, sign-up, sign-out
    message sign_in_title, sign_in_button, sign_in_with, forgot_link, no_account, create_account_link;
    message sign_up_title, sign_up_button, sign_up_with, password_hint, have_account, sign_in_link,
        workspace_hint;
    message sign_out_title, sign_out_text, sign_out_button, not_signed_in;

    // ---- forgotten password
    message forgot_title, forgot_text, forgot_button;
    message reset_title, reset_text, reset_button, current_password, current_password_hint, revoke_keys;
    message check_mail_title, check_mail_sign_up, check_mail_reset, check_mail_spam, resend_title,
        resend_button;

    // ---- links of emails
    message verify_title, verify_text, verify_button, disown_button, verify_with, verify_session_hint;
    message email_change_title, email_change_text, email_change_button, email_change_with;
    message invite_title, invite_open_text, invite_text, invite_text_without_inviter, invite_email_text,
        invite_button, invite_choose_password, invite_your_password, invite_unproved, invite_session_text,
        invite_other_session, invite_with, role_admin, role_manager, role_member;
    message unsubscribe_title, unsubscribe_text, unsubscribe_button;
    message claim_title, claim_text, claim_button, claim_done_text, copy, copied;

    // ---- what has been done
    message done_title, done_signed_in, done_signed_out, done_verified, done_disowned, done_password_changed,
        done_email_changed, done_joined, done_unsubscribed, done_mail_sent;
    message provider_title, provider_text, provider_link;

    // ---- errors
    message error_prefix, summary_title, field_required, email_invalid, password_short, password_long,
        password_weak, text_long, value_invalid, token_missing;
    message error_title, not_found_title, not_found_text, cross_site_text, https_text, rate_limited_text,
        unavailable_text, internal_text, bad_request_text, too_large_text, forbidden_text, request_id;
    message wrong_credentials, wrong_password, invalid_token, email_taken, account_disabled,
        email_not_verified, link_required, wrong_account, already_member, conflict, other_identity,
        provider_failed, invite_accepted, invite_cancelled, invite_replaced, invite_expired, needs_sign_in,
        other_account, sign_in_again;
};

/// A language, by its BCP 47 tag.
struct language {
    std::string_view tag;
    const messages* texts;
};

extern const messages english, german;

/// All of them; the first is the default.
std::span<const language> languages();

/** The first language that suits: of the account's locale, such as `de-AT`, unless that is the default `en`,
    which few people have chosen; else of Accept-Language (RFC 9110, section 12.5.4, with RFC 4647's lookup),
    else English. */
const language& choose_language(std::string_view locale, const request& req);

} // namespace handlers::pages
