#include "db/tables/avatars.hpp"

#include "db/tables/row_locks.hpp"

namespace db::avatars {

static const statement replace_avatar{"avatars_replace", R"(
    WITH stored AS (
        INSERT INTO avatars (user_id, content_type, bytes) VALUES ($1, $2, $3)
        ON CONFLICT (user_id) DO UPDATE
        SET version = avatars.version + 1, content_type = excluded.content_type, bytes = excluded.bytes
        RETURNING version)
    UPDATE users SET avatar_version = stored.version FROM stored WHERE id = $1)"};

awaitable<void> replace(pool& db, uuid user_id, std::string content_type, std::vector<std::uint8_t> bytes)
{
    batch work;
    add_locks(work, {.users = {user_id}}); // the user before the avatar, as a deletion of the account
    work.add(replace_avatar, user_id, content_type, bytes);
    co_await db.run(std::move(work));
}

static const statement remove_avatar{"avatars_remove", R"(
    WITH deleted AS (UPDATE avatars SET bytes = NULL WHERE user_id = $1)
    UPDATE users SET avatar_version = NULL WHERE id = $1)"};

awaitable<void> remove(pool& db, uuid user_id)
{
    batch work;
    add_locks(work, {.users = {user_id}}); // the user before the avatar, as a deletion of the account
    work.add(remove_avatar, user_id);
    co_await db.run(std::move(work));
}

static const statement find_avatar{"avatars_find", R"(
    SELECT version, content_type, CASE WHEN $4 THEN bytes ELSE ''::bytea END AS bytes
    FROM avatars
    WHERE user_id = $1 AND bytes IS NOT NULL
      AND (user_id = $2
           OR EXISTS (SELECT FROM memberships owner
                      WHERE owner.user_id = $1
                        AND (owner.workspace_id = $3
                             OR $3 IS NULL AND owner.workspace_id IN
                                 (SELECT workspace_id FROM memberships WHERE user_id = $2)))))"};

awaitable<std::optional<row>> find(pool& db, uuid user_id, std::optional<uuid> viewer,
                                   std::optional<uuid> workspace, content wanted)
{
    auto found = co_await db.run(find_avatar, user_id, viewer, workspace, wanted == content::bytes);
    co_return found.as_optional<row>();
}

} // namespace db::avatars
