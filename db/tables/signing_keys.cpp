#include "db/tables/signing_keys.hpp"

#include "db/postgres/columns.hpp"

namespace db::signing_keys {

static const statement list_keys{"signing_keys_list", "SELECT " + columns<row>() + R"(
    FROM signing_keys
    WHERE retires_at IS NULL OR retires_at > now()
    ORDER BY signs_from DESC, created_at DESC, kid)"};

awaitable<std::vector<row>> list(pool& db)
{
    auto found = co_await db.run(list_keys);
    co_return found.as_vector<row>();
}

// The unique index on the current key of an algorithm decides between concurrent processes: the others wait,
// then read its row.
static const statement insert_first_key{"signing_keys_insert_first", R"(
    INSERT INTO signing_keys (kid, algorithm, public_jwk, sealed_key, signs_from)
    VALUES ($1, $2, $3, $4, now())
    ON CONFLICT (algorithm) WHERE retires_at IS NULL DO NOTHING)"};

awaitable<std::vector<row>> ensure(pool& db, draft first)
{
    batch work;
    work.add(insert_first_key, first.kid, first.algorithm, first.public_jwk, first.sealed_key);
    work.add(list_keys);
    auto answers = co_await db.run(std::move(work));
    co_return answers.last().as_vector<row>();
}

static const statement retire_key{"signing_keys_retire", R"(
    UPDATE signing_keys SET retires_at = $2 WHERE algorithm = $1 AND retires_at IS NULL)"};

static const statement insert_next_key{"signing_keys_insert_next", R"(
    INSERT INTO signing_keys (kid, algorithm, public_jwk, sealed_key, signs_from)
    VALUES ($1, $2, $3, $4, $5))"};

awaitable<std::vector<row>> rotate(pool& db, draft next, timestamp signs_from, timestamp predecessor_until)
{
    batch work;
    work.add(retire_key, next.algorithm, predecessor_until);
    work.add(insert_next_key, next.kid, next.algorithm, next.public_jwk, next.sealed_key, signs_from);
    work.add(list_keys);
    auto answers = co_await db.run(std::move(work));
    co_return answers.last().as_vector<row>();
}

} // namespace db::signing_keys
