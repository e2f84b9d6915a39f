#include "db/tables/workspaces.hpp"

#include "db/postgres/columns.hpp"

namespace db::workspaces {

static const statement find_workspace{"workspaces_find", rows::of_one_workspace,
                                      "SELECT " + columns<row>() + " FROM workspaces WHERE id = $1"};

awaitable<std::optional<row>> find(pool& db, uuid id)
{
    auto found = co_await db.run_in_workspace(id, find_workspace, id);
    co_return found.as_optional<row>();
}

static const statement find_workspace_setup{"workspaces_find_setup", rows::of_one_workspace,
                                            "SELECT " + columns<row>() +
                                                R"(, has_verified_domain(workspaces) AS has_verified_domain
    FROM workspaces WHERE id = $1)"};

namespace {

struct proof {
    bool has_verified_domain = false;
};
BOOST_DESCRIBE_STRUCT(proof, (), (has_verified_domain))

} // namespace

std::optional<setup> read_setup(const result& answer)
{
    auto workspace = answer.as_optional<row>();
    if (!workspace)
        return std::nullopt;
    return setup{std::move(*workspace), answer.as_one<proof>().has_verified_domain};
}

awaitable<std::optional<setup>> find_setup(pool& db, uuid id)
{
    auto found = co_await db.run_in_workspace(id, find_workspace_setup, id);
    co_return read_setup(found);
}

static const statement insert_workspace{"workspaces_insert", R"(
    INSERT INTO workspaces (id, name, owner_id) VALUES ($1, $2, $3)
    RETURNING )" + columns<row>()};

void add_insert(batch& work, const uuid& id, std::string_view name, const uuid& owner_id)
{
    work.add(insert_workspace, id, name, owner_id);
}

static const statement update_workspace{"workspaces_update", rows::of_one_workspace, R"(
    UPDATE workspaces
    SET name = coalesce($2, name), members_can_mint_keys = coalesce($3, members_can_mint_keys),
        join_policy = coalesce($4, join_policy), join_domain = CASE WHEN $5 THEN $6 ELSE join_domain END,
        named_by = CASE WHEN $2 IS NULL THEN named_by
                        ELSE coalesce($7, (SELECT created_by FROM api_keys WHERE id = $8)) END
    WHERE id = $1
    RETURNING )" + columns<row>() + ", has_verified_domain(workspaces) AS has_verified_domain"};

void add_update(batch& work, const uuid& id, const edit& changes)
{
    work.add(update_workspace, id, changes.name, changes.members_can_mint_keys, changes.join_policy,
             changes.join_domain.has_value(), changes.join_domain.value_or(std::nullopt), changes.user_id,
             changes.key_id);
}

} // namespace db::workspaces
