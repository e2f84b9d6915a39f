#include "db/postgres/prepared_statements.hpp"

#include "db/postgres/sqlstate.hpp"

#include <utility>

namespace db {

prepared_statements::prepared_statements() : states_(statement::count()) {}

void prepared_statements::add(const statement& used)
{
    if (used.index() >= states_.size())
        states_.resize(statement::count());
    states_[used.index()] = state::requested;
    requested_.push_back(&used);
}

void prepared_statements::take(const PGresult* answer)
{
    if (requested_.empty())
        throw failure(failure_kind::unavailable, "protocol desync: an answer that matches no Parse");
    auto& asked = *requested_.front();
    requested_.pop_front();
    if (PQresultStatus(answer) == PGRES_COMMAND_OK) {
        states_[asked.index()] = state::prepared;
        refusals_.erase(asked.index());
        return;
    }
    auto why = failure_of_statement(asked.name(), answer);
    if (why.sqlstate() == sqlstate::duplicate_prepared_statement)
        throw failure(failure_kind::unavailable, why.what(), why.sqlstate());
    states_[asked.index()] = state::absent;
    refusals_.insert_or_assign(asked.index(), std::move(why));
}

const failure* prepared_statements::refusal(const statement& used) const
{
    auto found = refusals_.find(used.index());
    return found == refusals_.end() ? nullptr : &found->second;
}

} // namespace db
