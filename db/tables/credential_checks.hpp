// In-transaction credential checks: a batch fails if its caller's credential is no longer valid.
#pragma once

#include "db/postgres/batch.hpp"
#include "db/postgres/error.hpp"
#include "db/principals/principal.hpp"

namespace db {

/** Credential check at the start of a batch that creates, widens or returns a credential. The batch fails
    with credential_was_revoked() if the caller's own credential was revoked or its membership ended, and with
    rights_have_changed() if its role, its scopes, its expiry, the ownership or the minting policy of the
    workspace is not the caller's any more. A later revocation waits for the batch, so that no work of a
    revoked credential in flight has an effect. Adds one result that the caller skips. */
void require_valid_credential(batch& work, const principal& caller);

/** As above, and locks the caller's workspace exclusively until the batch ends: concurrent changes of its
    members and their roles are serialized. */
void require_valid_credential_exclusive(batch& work, const principal& caller);

/** Credential check for a batch that relies on a password verified earlier: it fails in the same way if the
    password was changed since, or the account disabled. Where both checks are needed, lock the rows of both
    first (db/tables/row_locks.hpp): this one takes the stronger lock on the user.
    @param version as read with the hash that was verified */
void require_unchanged_password(batch& work, const uuid& user_id, std::int32_t version);

/// True if a batch failed because of one of these checks.
bool credential_was_revoked(const failure& error);

/// True if a batch failed because the caller's rights are others now: load the caller and check it again.
bool rights_have_changed(const failure& error);

} // namespace db
