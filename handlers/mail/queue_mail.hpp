// Letters to people, as handlers order them; they are written and sent elsewhere.
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

/** A letter that tells `facts`. @param token of its link; empty: it has none. It is sealed at once */
db::outbox::draft make_letter(const context& cx, db::outbox::kind what, const boost::json::object& facts,
                              std::string_view token = {});

/** What a letter's token is sealed for. */
std::string letter_seal_context(const db::uuid& letter);

/** From where a request came, for a letter to tell: ip, agent, at. */
boost::json::object facts_of(const call& c, const trace& from);

/** Send a person a link that proves the address to be theirs; older links are void. */
void add_verification(db::batch& work, const context& cx, const db::uuid& user, std::string_view email);

/** Send a person a link by which they can set a new password; older links are void. */
void add_reset(db::batch& work, const context& cx, const db::uuid& user, std::string_view email);

/** Send to an address that a person wants to be theirs a link that makes it so; older links are void. */
void add_address_change(db::batch& work, const context& cx, const db::uuid& user, std::string_view new_email);

} // namespace handlers
