#include "db/postgres/prepared_statements.hpp"

#include "db/postgres/sqlstate.hpp"

#include <utility>

namespace db {

prepared_statements::prepared_statements() : is_asked_(statement::count()) {}

void prepared_statements::add(const statement& used)
{
    if (used.index() >= is_asked_.size())
        is_asked_.resize(statement::count());
    is_asked_[used.index()] = true;
    requested_.push_back(&used);
}

void prepared_statements::take(const PGresult* answer)
{
    if (requested_.empty())
        throw failure(failure_kind::unavailable, "protocol desync: an answer that matches no Parse");
    auto& asked = *requested_.front();
    requested_.pop_front();
    if (PQresultStatus(answer) == PGRES_COMMAND_OK) {
        refusals_.erase(asked.index());
        return;
    }
    auto why = failure_of_statement(asked.name(), answer);
    if (why.sqlstate() == sqlstate::duplicate_prepared_statement)
        throw failure(failure_kind::unavailable, why.what(), why.sqlstate());
    is_asked_[asked.index()] = false;
    refusals_.insert_or_assign(asked.index(), std::move(why));
}

const failure* prepared_statements::refusal(const statement& used) const
{
    auto found = refusals_.find(used.index());
    return found == refusals_.end() ? nullptr : &found->second;
}

} // namespace db
