// Fixture: a database with two users in a workspace, and one core that uses it.
#pragma once

#include "db/principals/invalidation_bus.hpp"
#include "db/principals/principals.hpp"
#include "db/principals/transaction.hpp"
#include "db/tables/api_keys.hpp"
#include "db/tables/sessions.hpp"
#include "db/tables/users.hpp"
#include "tests/support/database.hpp"
#include "tests/support/io.hpp"

#include <boost/uuid/random_generator.hpp>
#include <boost/uuid/string_generator.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <cstring>

namespace db::test {

/// Ids in ascending order, as the server's are.
inline db::uuid new_id()
{
    static std::uint64_t count = 0;
    db::uuid id = boost::uuids::random_generator()();
    ++count;
    for (std::size_t i = 0; i < 8; ++i)
        id.data[i] = static_cast<std::uint8_t>(count >> (56 - 8 * i));
    return id;
}

inline db::digest new_digest()
{
    db::digest out;
    for (std::size_t half : {0u, 16u}) {
        auto id = boost::uuids::random_generator()();
        std::memcpy(out.data() + half, id.data, 16);
    }
    return out;
}

inline db::timestamp from_now(std::chrono::microseconds later)
{
    return std::chrono::floor<std::chrono::microseconds>(std::chrono::system_clock::now()) + later;
}

inline db::audit::entry event(std::string_view action)
{
    db::audit::entry out;
    out.id = new_id();
    out.action = action;
    out.ip = "192.0.2.1";
    out.user_agent = "test";
    out.request_id = "r1";
    return out;
}

/// One core of a server.
struct core {
    explicit core(const support::database& data, db::invalidation_bus& changes,
                  db::principals::config settings = {})
        : db(io, pipeline_settings(data), 2), lookups(io, pipeline_settings(data), 2),
          principals(io, lookups, settings), registration(changes.register_core(io, principals))
    {}

    static db::pipeline::config pipeline_settings(const support::database& data)
    {
        db::pipeline::config out;
        out.conninfo = data.conninfo();
        return out;
    }

    boost::asio::io_context io{1};
    db::pool db;
    db::pool lookups;
    db::principals principals;
    db::invalidation_bus::registration registration;
};

struct key {
    db::uuid id;
    std::string prefix;
    db::digest digest;
};

/// Ada owns a workspace in which Bob is a member.
struct database_fixture {
    database_fixture()
    {
        ada = add_user("ada@example.org");
        bob = add_user("bob@example.org");
        workspace = new_id();
        data.sql("INSERT INTO workspaces (id, name, owner_id) VALUES ('" + to_string(workspace) +
                 "', 'Engines', '" + to_string(ada) + "')");
        add_member(workspace, ada, "admin");
        add_member(workspace, bob, "member");
    }

    template <class Body>
    auto run(Body body)
    {
        return support::run(one.io, std::move(body));
    }

    /// Fill one batch with `fill` and run it.
    template <class Fill>
    db::results commit(Fill fill)
    {
        return run([&] {
            db::batch work;
            fill(work);
            return one.db.run(std::move(work));
        });
    }

    db::uuid add_user(const std::string& email)
    {
        auto id = new_id();
        data.sql("INSERT INTO users (id, email, email_normalized, password_hash) VALUES ('" + to_string(id) +
                 "', '" + email + "', '" + email + "', 'hash')");
        return id;
    }

    void add_member(const db::uuid& workspace_id, const db::uuid& user_id, const std::string& role)
    {
        data.sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + to_string(workspace_id) +
                 "', '" + to_string(user_id) + "', '" + role + "')");
    }

    db::uuid add_workspace(const std::string& name, const db::uuid& owner)
    {
        auto id = new_id();
        data.sql("INSERT INTO workspaces (id, name, owner_id) VALUES ('" + to_string(id) + "', '" + name +
                 "', '" + to_string(owner) + "')");
        add_member(id, owner, "admin");
        return id;
    }

    /// In the fixture's workspace.
    std::optional<db::uuid> membership_of(const db::uuid& user)
    {
        auto id = data.sql("SELECT id FROM memberships WHERE workspace_id = '" + to_string(workspace) +
                           "' AND user_id = '" + to_string(user) + "'");
        return id.empty() ? std::nullopt : std::optional(boost::uuids::string_generator()(id));
    }

    key add_key(const db::uuid& owner, std::optional<db::timestamp> expires = {})
    {
        key made{new_id(), "", new_digest()};
        made.prefix = to_string(made.id).substr(24);
        commit([&](db::batch& work) {
            db::api_keys::draft draft;
            draft.id = made.id;
            draft.prefix = made.prefix;
            draft.digest = made.digest;
            draft.name = "ci";
            draft.scopes = {"content:read"};
            draft.workspace_id = workspace;
            draft.user_id = owner;
            draft.created_by = owner;
            draft.expires_at = expires;
            work.in_workspace(workspace);
            db::api_keys::add_insert(work, draft);
        });
        return made;
    }

    db::uuid add_session(const db::uuid& user, std::chrono::seconds ttl = std::chrono::hours(1))
    {
        static const std::vector<std::uint8_t> salt(16, 7);
        auto draft = session_draft(user, ttl);
        draft.salt = salt;
        return add_session(draft);
    }

    db::sessions::draft session_draft(const db::uuid& user, std::chrono::seconds ttl = std::chrono::hours(1))
    {
        db::sessions::draft out;
        out.id = new_id();
        out.user_id = user;
        out.workspace_id = workspace;
        out.expires_at = from_now(ttl);
        out.ip = "192.0.2.1";
        out.user_agent = "browser";
        return out;
    }

    db::uuid add_session(const db::sessions::draft& draft)
    {
        auto id = draft.id;
        commit([&](db::batch& work) { db::sessions::add_insert(work, draft); });
        return id;
    }

    /// The audit events of a workspace, the newest first.
    std::vector<db::audit::row> events_of(const db::uuid& workspace_id)
    {
        return run([&] {
                   db::audit::query all;
                   all.workspace_id = workspace_id;
                   return db::audit::list(one.db, std::move(all));
               })
            .rows;
    }

    support::database data;
    db::invalidation_bus changes;
    core one{data, changes};
    db::uuid ada, bob, workspace;
};

} // namespace db::test
