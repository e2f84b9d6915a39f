// Mail that is to be sent: written with what it tells of, sent by whoever is free, never by two at once.
#pragma once

#include "db/postgres/pool.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace db::outbox {

/// What a letter is about.
BOOST_DEFINE_ENUM_CLASS(kind, verify, reset, address_taken, email_change, email_change_notice,
                        password_changed, new_sign_in, key_minted, key_reported, invite, invite_again,
                        approval_asked, approval_given, approval_refused)

/// A letter to be written.
struct draft {
    uuid id{};
    kind what{};
    std::string facts = "{}";               ///< a JSON object: what the letter tells; no secret
    std::vector<std::uint8_t> sealed_token; ///< of the letter's link; empty: it has none
};

/// To a person's own address, unless they do not want this kind.
void add_to_user(batch& work, const draft& letter, const uuid& user_id);

/// To any address on behalf of a person. Greeted by name is only who has proved the address to be theirs.
void add_to_address(batch& work, const draft& letter, const uuid& user_id, std::string_view recipient);

/// To the owner of a key that this very transaction has revoked; of a workspace's key, to the workspace's.
/// The facts get the key's name.
void add_to_key_owner(batch& work, const draft& letter, const digest& key);

/// To the address that an invite is for, if there is this invite and the letter's token is the one it goes
/// by.
void add_to_invitee(batch& work, const draft& letter, const uuid& invite_id, const digest& token);

struct row {
    uuid id{};
    kind what{};
    std::optional<uuid> user_id;
    std::string recipient;
    std::optional<std::string> name;
    std::string facts;
    std::optional<std::vector<std::uint8_t>> sealed_token;
    std::int32_t attempts = 0; ///< before this one
    timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(row, (),
                      (id, what, user_id, recipient, name, facts, sealed_token, attempts, created_at))

/** Take the letter that is due the longest and lock it: a transaction begins, and ends with one of the three
    calls below. A worker that dies lets go of it with its connection. Needs a pool of one connection that
   nobody else uses.
    @return nothing, and no transaction, if none is due */
awaitable<std::optional<row>> take(pool& db);

/// It has been sent: forget it.
awaitable<void> settle(pool& db, uuid id);

/// It could not be sent now. @param cause for the operator
awaitable<void> postpone(pool& db, uuid id, std::chrono::milliseconds wait, std::string cause);

/// It never will be. It is kept, without its token, until the purge.
awaitable<void> give_up(pool& db, uuid id, std::string cause);

/// End whatever transaction is left over.
awaitable<void> let_go(pool& db);

/// How many letters there are, and how old the oldest is that waits.
struct tally {
    std::int64_t waiting = 0;
    std::int64_t given_up = 0;
    std::int64_t oldest_seconds = 0;
};
BOOST_DESCRIBE_STRUCT(tally, (), (waiting, given_up, oldest_seconds))

awaitable<tally> count(pool& db);

} // namespace db::outbox
