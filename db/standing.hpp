// Whether who asks may still ask, decided in the transaction that does what was asked.
#pragma once

#include "db/batch.hpp"
#include "db/error.hpp"
#include "db/principal.hpp"

namespace db {

/** Begin a batch that makes, widens or hands out a credential. The batch fails, with standing_was_lost(), if the
    caller's own credential has been revoked or its role changed; a revocation that comes later waits for the
    batch. So what a revoked credential has still under way yields nothing. Answers one row of no interest. */
void require_standing(batch& work, const principal& who);

/// True if a batch failed because of require_standing().
bool standing_was_lost(const failure& error);

} // namespace db
