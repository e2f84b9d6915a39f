#include "db/postgres/known_server.hpp"

#include <map>

namespace db {

// The timeline is the first part of the name of the present WAL file, since the control file's changes only
// with the first checkpoint after a promotion. Any role may call these functions, unless EXECUTE was revoked
// from PUBLIC.
const statement identify_server{"known_server_identify", R"(
    SELECT CASE WHEN NOT pg_is_in_recovery()
                     AND current_setting('default_transaction_read_only') = 'off' THEN 't' ELSE 'f' END,
           (SELECT system_identifier FROM pg_control_system())::text,
           CASE WHEN pg_is_in_recovery() THEN '0'
                ELSE left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) END)"};

std::shared_ptr<known_server> known_server::of(const std::string& conninfo)
{
    static std::mutex mutex;
    static std::map<std::string, std::weak_ptr<known_server>> all;
    std::scoped_lock lock(mutex);
    auto& known = all[conninfo];
    auto out = known.lock();
    if (!out)
        known = out = std::make_shared<known_server>();
    return out;
}

std::optional<std::uint64_t> known_server::accept(const server_identity& reached)
{
    std::scoped_lock lock(mutex_);
    if (reached.system == identity_.system && reached.timeline < identity_.timeline)
        return std::nullopt;
    auto number = number_.load(std::memory_order_relaxed);
    if (reached != identity_) {
        identity_ = reached;
        number_.store(++number, std::memory_order_release);
    }
    return number;
}

} // namespace db
