// Mail budgets: emails an hour for each recipient, sender and the installation; what exceeds them is dropped.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/tables/outbox.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <vector>

namespace db::mail_budgets {

/// Emails an hour; 0: unlimited. The trigger outbox_admit (0011_mail_admission.sql) enforces them.
struct limits {
    /// To one recipient, of kinds that share a budget; half as many of a kind of notice. A verified address
    /// is counted by its account, any other without plus tag and dots.
    std::int32_t recipient = 20;

    /// On behalf of one user, or of a workspace's keys; ten times as many a day after their verification.
    std::int32_t sender = 100;

    /// Of one class: resets, other proofs of an address, notices, all else.
    std::int32_t installation = 10'000;
};

/// Sets the limits of the whole installation: those of the server that started last.
/// @return whether they were others before
awaitable<bool> store(pool& db, limits now);

/// The budget that an email exceeded.
BOOST_DEFINE_ENUM_CLASS(reason, recipient, sender, installation)

struct drop_count {
    outbox::kind kind{};
    mail_budgets::reason reason{};
    std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(drop_count, (), (kind, reason, total))

/// The emails dropped since the installation, by all nodes. Adds those of the last moments to the totals.
awaitable<std::vector<drop_count>> count_drops(pool& db);

} // namespace db::mail_budgets
