// English.
#include "handlers/pages/texts/messages.hpp"

namespace handlers::pages {

const constinit messages english{
    .email = "Email address",
    .password = "Password",
    .new_password = "New password",
    .your_name = "Your name",
    .workspace_name = "Workspace name",
    .optional = "optional",
    .continue_ = "Continue",
    .cancel = "Cancel",
    .back_to_sign_in = "Back to sign-in",
    .or_ = "or",
    .show_password = "Show password",
    .hide_password = "Hide password",
    .go_to_console = "Go to the console",
    .page_needs_link = "This page is opened by a link in an email.",
    .token_label = "Code or link from the email",
    .token_hint = "Paste the whole link, or the part after “token=”.",
    .console_needs_script = "The console needs JavaScript; {0} does not.",
    .the_api = "the API",

    .sign_in_title = "Sign in",
    .sign_in_button = "Sign in",
    .sign_in_with = "Sign in with {0}",
    .forgot_link = "Forgot your password?",
    .no_account = "New here?",
    .create_account_link = "Create an account",
    .sign_up_title = "Create your account",
    .sign_up_button = "Create account",
    .sign_up_with = "Continue with {0}",
    .password_hint = "At least 8 characters. Several unrelated words are easy to remember and hard to guess.",
    .have_account = "Already have an account?",
    .sign_in_link = "Sign in",
    .workspace_hint = "What you share with your team. You can change the name later.",
    .sign_out_title = "Sign out",
    .sign_out_text = "You are signed in as {0}. Sign out of this browser?",
    .sign_out_button = "Sign out",
    .not_signed_in = "You are not signed in in this browser.",

    .forgot_title = "Reset your password",
    .forgot_text =
        "Enter the email address of your account. We will send you a link to choose a new password.",
    .forgot_button = "Send the link",
    .reset_title = "Choose a new password",
    .reset_text = "You will be signed out on all devices.",
    .reset_button = "Change password",
    .current_password = "Current password",
    .current_password_hint = "Only if the email asks for it.",
    .revoke_keys = "Also revoke all my API keys",
    .check_mail_title = "Check your email",
    .check_mail_sign_up = "We have sent you an email. Open its link to finish creating your account.",
    .check_mail_reset =
        "If there is an account with this address, we have sent it a link to choose a new password.",
    .check_mail_spam = "Nothing after a few minutes? Look in the spam folder, or ask for another email.",
    .resend_title = "Send it again",
    .resend_button = "Send another email",

    .verify_title = "Confirm your email address",
    .verify_text =
        "An account was made with this email address. Was it you? Then enter the password that you chose.",
    .verify_button = "Yes, it was me",
    .disown_button = "No, it was not me",
    .verify_with = "Yes, I signed up with {0}",
    .verify_session_hint = "Not needed if the account is {0}, which you are signed in to.",
    .email_change_title = "Change your email address",
    .email_change_text =
        "Please confirm with your password that you want to sign in with this email address.",
    .email_change_button = "Confirm",
    .email_change_with = "Confirm with {0}",
    .invite_title = "You are invited",
    .invite_open_text = "Someone has invited you to join a workspace.",
    .invite_text = "{0} invites you to join {1} as {2}.",
    .invite_text_without_inviter = "You are invited to join {0} as {1}.",
    .invite_email_text = "The invite is for {0}.",
    .invite_button = "Join {0}",
    .invite_choose_password = "Choose a password",
    .invite_your_password = "Your password",
    .invite_unproved =
        "An account was made with this email address and never confirmed. If you made it, enter its "
        "password: you keep it. If you did not, choose a new password: you get a new account, and that "
        "one loses this address.",
    .invite_session_text = "You are signed in as {0}.",
    .invite_other_session =
        "You are signed in as {0}, but the invite is for {1}. Joining signs you in as {1}.",
    .invite_with = "Join with {0}",
    .role_admin = "an admin",
    .role_manager = "a manager",
    .role_member = "a member",
    .unsubscribe_title = "Unsubscribe",
    .unsubscribe_text = "You will no longer receive emails of this kind.",
    .unsubscribe_button = "Unsubscribe",
    .claim_title = "Your API key",
    .claim_text = "The key is shown only once. Have a safe place ready to store it.",
    .claim_button = "Show the key",
    .claim_done_text = "This is your API key. It will not be shown again.",
    .copy = "Copy",
    .copied = "Copied",

    .done_title = "Done",
    .done_signed_in = "You are signed in.",
    .done_signed_out = "You have been signed out of this browser.",
    .done_verified = "Your email address has been confirmed.",
    .done_disowned = "The account has been closed. It no longer has your address.",
    .done_password_changed = "Your password has been changed. You can sign in now.",
    .done_email_changed = "Your email address has been changed.",
    .done_joined = "You are now a member of the workspace.",
    .done_unsubscribed = "You have been unsubscribed.",
    .done_mail_sent = "If an account waits to be confirmed, we have sent another email.",
    .provider_title = "Continue to {0}",
    .provider_text = "You are being taken to {0} to sign in.",
    .provider_link = "Continue",

    .error_prefix = "Error: {0}",
    .summary_title = "Please check your input",
    .field_required = "Please fill in this field.",
    .email_invalid = "Enter an email address, such as ada@example.com.",
    .password_short = "The password needs at least 8 characters.",
    .password_long = "The password is too long.",
    .password_weak =
        "This password is too easy to guess. Use several unrelated words; avoid names, dates and keyboard "
        "patterns.",
    .text_long = "This text is too long.",
    .value_invalid = "This value is not accepted.",
    .token_missing = "Paste the code or the link from the email.",
    .error_title = "Something went wrong",
    .not_found_title = "Page not found",
    .not_found_text = "There is nothing at this address. Check the link, or start from the beginning.",
    .cross_site_text =
        "This request came from another site, so it was refused. Open the page here and try again.",
    .https_text =
        "Signing in in a browser needs HTTPS. Please tell the operator of this server to set an https:// "
        "address as LATCHKEY_PUBLIC_URL.",
    .rate_limited_text = "Too many attempts. Please wait a moment and try again.",
    .unavailable_text = "The service is busy or being restarted. Please try again shortly.",
    .internal_text = "This is our fault. Please try again; if it happens again, report the number below.",
    .bad_request_text =
        "The browser sent something that this page cannot read. Reload the page and try again.",
    .too_large_text = "That was too much text. Please shorten it and try again.",
    .forbidden_text = "This is not permitted.",
    .request_id = "Request {0}",
    .wrong_credentials = "The email address or the password is incorrect.",
    .wrong_password = "The password is incorrect.",
    .invalid_token =
        "This link is no longer valid: it was used, replaced, or has expired. Ask for a new one.",
    .email_taken = "An account with this email address exists.",
    .account_disabled = "This account has been disabled.",
    .email_not_verified =
        "The email address of this account has not been confirmed yet. Open the link in the email "
        "that we sent you.",
    .link_required =
        "An account with this email address exists, and the provider does not prove that it is yours. Sign "
        "in with its password, and link the provider in your account.",
    .wrong_account = "The invite is for another email address than this account's.",
    .already_member = "You are already a member of this workspace.",
    .conflict = "Something changed at the same moment. Please try again.",
    .other_identity = "The sign-in was with another account of the provider.",
    .provider_failed = "The sign-in was not completed.",
    .invite_accepted = "The invite has been accepted already. You can sign in.",
    .invite_cancelled = "The invite has been cancelled.",
    .invite_replaced = "This link has been replaced by one in a newer email.",
    .invite_expired = "The invite has expired. Ask for a new one.",
    .needs_sign_in = "An account with this email address exists. Enter its password.",
    .other_account =
        "That account of the provider belongs to another account here, or has another email address. Nothing "
        "was changed.",
    .sign_in_again = "Please sign in again to continue.",
};

} // namespace handlers::pages
