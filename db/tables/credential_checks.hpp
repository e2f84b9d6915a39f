// Whether who asks may still ask, decided in the transaction that does what was asked.
#pragma once

#include "db/postgres/batch.hpp"
#include "db/postgres/error.hpp"
#include "db/principals/principal.hpp"

namespace db {

/** Begin a batch that makes, widens or hands out a credential. The batch fails, with standing_was_lost(), if
   the caller's own credential has been revoked or its role changed; a revocation that comes later waits for
   the batch. So what a revoked credential has still under way yields nothing. Answers one row of no interest.
 */
void require_standing(batch& work, const principal& who);

/** The same, and the caller's workspace is this batch's alone until it has ended: of several that change who
   belongs to it, and as what, one after the other decides and writes. */
void require_sole_standing(batch& work, const principal& who);

/** What rests on a password that was checked some time before: the batch fails likewise, if it has been
   replaced or voided meanwhile, or the account disabled. Where both are needed this one goes first: it takes
   the stronger lock.
    @param version as read with what was checked */
void require_password_version(batch& work, const uuid& user_id, std::int32_t version);

/// True if a batch failed because of one of these.
bool standing_was_lost(const failure& error);

} // namespace db
