// Migrations of the database schema, with the normalization of text that some of them need.
#pragma once

#include "db/migrations/migrations.hpp"
#include "schemas/engine/types.hpp"

#include <string>

namespace server {

/// db::migrate() with the embedded migrations.
inline db::migration_report migrate_schema(const std::string& conninfo)
{
    db::text_normalizers normalizers;
    normalizers.email = &schemas::normalize_email;
    normalizers.domain = &schemas::normalize_domain;
    return db::migrate(conninfo, db::embedded_migrations(), normalizers);
}

} // namespace server
