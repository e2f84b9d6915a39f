// Outgoing mail as handlers queue it: drafts for the outbox, which server/mail renders and delivers.
#pragma once

#include "crypto/one_time_token.hpp"
#include "db/tables/one_time_tokens.hpp"
#include "db/tables/outbox.hpp"
#include "db/tables/users.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/context.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace handlers {

/** An email with the variables of its template.
    @param token of its link, sealed here; empty: the email has no link */
db::outbox::draft make_mail(const context& cx, db::outbox::kind kind, const boost::json::object& variables,
                            std::string_view token = {});

/// The context that binds a sealed token to its email.
std::string mail_seal_context(const db::uuid& mail);

/// "Firefox on Linux", or empty. Made of known names only, so that no text of a client gets into an email.
std::string describe_agent(std::string_view agent);

/// Adds the template variables of an unproved account with the recipient's address: made_at, made_with.
void describe_unproved_account(boost::json::object& variables, const db::users::row& user);

/// Template variables for the origin of a request: ip, agent, at.
boost::json::object request_variables(const call& c, const audit_context& origin);

/// Queues an email to the user, unless they have turned this kind off.
void queue_mail(db::batch& work, const context& cx, db::outbox::kind kind,
                const boost::json::object& variables, const db::uuid& user);

/// Queues a link that verifies the user's address. Earlier links become invalid.
void queue_verification_mail(db::batch& work, const context& cx, const db::uuid& user,
                             std::string_view email);

/// Queues the link that completes a pending sign-up.
void queue_signup_mail(db::batch& work, const context& cx, const db::uuid& signup, std::string_view token);

/// Queues a link to set a new password. Earlier links become invalid. Of an unproved account, the email says
/// when and with what it was made.
void queue_reset_mail(db::batch& work, const context& cx, const db::users::row& user);

/// Queues a link that makes `new_email` the user's address. Earlier links become invalid.
void queue_email_change_mail(db::batch& work, const context& cx, const db::uuid& user,
                             std::string_view new_email);

} // namespace handlers
