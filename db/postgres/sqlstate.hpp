// SQLSTATE codes that this program compares with: PostgreSQL's own and those that the migrations raise.
#pragma once

#include <string_view>

/** Class LK is Latchkey's: db/migrations raises it with `RAISE EXCEPTION ... USING ERRCODE`. PostgreSQL's
    codes are those of its appendix A and carry its names. */
namespace db::sqlstate {

/// The caller's credential was revoked, or its membership ended, before the transaction locked it.
inline constexpr std::string_view credential_revoked = "LK001";

/// A one-time token was used, superseded, or has expired.
inline constexpr std::string_view invalid_one_time_token = "LK002";

/// The deletion of an account would leave a workspace with other members without its owner.
inline constexpr std::string_view workspace_without_owner = "LK003";

/// An account is no longer in the state in which a provider login found it.
inline constexpr std::string_view account_changed = "LK004";

/// A provider account is linked to another user already.
inline constexpr std::string_view grant_linked_elsewhere = "LK005";

/// The user is a member of the workspace already.
inline constexpr std::string_view already_member = "LK006";

/// The workspace's owner can be neither removed nor demoted.
inline constexpr std::string_view owner_protected = "LK007";

/// The workspace would be left without an admin who can act.
inline constexpr std::string_view last_admin = "LK008";

/// The rights of the caller's credential changed before the transaction locked it.
inline constexpr std::string_view rights_changed = "LK009";

inline constexpr std::string_view foreign_key_violation = "23503";
inline constexpr std::string_view unique_violation = "23505";
inline constexpr std::string_view serialization_failure = "40001";
inline constexpr std::string_view deadlock_detected = "40P01";
inline constexpr std::string_view read_only_sql_transaction = "25006";
inline constexpr std::string_view duplicate_prepared_statement = "42P05";
inline constexpr std::string_view invalid_sql_statement_name = "26000";
inline constexpr std::string_view feature_not_supported = "0A000";

} // namespace db::sqlstate
