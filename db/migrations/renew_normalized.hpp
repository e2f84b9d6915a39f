// Migration 0010: the normalized forms of stored email addresses and domains.
#pragma once

#include "db/migrations/blocking_connection.hpp"
#include "db/migrations/text_normalizers.hpp"

#include <vector>

namespace db {

/** Renews the normalized form of every stored email address and domain that can have another one than before:
    those beyond ASCII, and those with capitals. Where accounts turn out to have the same address, one keeps
    it, by this order: verified, not disabled, oldest. The others release it: they keep everything else,
   including sessions, keys and sign-in through a provider, and may choose another address; accounts are never
    merged. Of several open invites of a workspace to one address, the one sent last stays open.

    Runs in the caller's transaction.
    @param collisions receives the accounts that had the same address
    @throw failure as a statement does, and if there are such rows without normalizers */
void renew_normalized(blocking_connection& db, const text_normalizers& normalizers,
                      std::vector<address_collision>& collisions);

} // namespace db
