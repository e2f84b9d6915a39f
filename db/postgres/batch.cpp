#include "db/postgres/batch.hpp"

#include "db/postgres/row_security.hpp"

namespace db {

std::size_t batch::append(const batch& other, const statement* without)
{
    if (auto fault = other.fault())
        throw *fault;
    if (is_confined_ && !other.workspace_)
        throw failure(failure_kind::misuse, "a batch without a workspace cannot follow one in a workspace");
    if (other.workspace_) {
        add(set_workspace_role, *other.workspace_);
        is_confined_ = true;
    }
    auto first_result = commands_.size();
    auto first_param = params_.size();
    for (auto command : other.commands_) {
        if (command.stmt == without)
            continue;
        command.first_param += first_param;
        commands_.push_back(command);
    }
    params_.append(other.params_);
    return first_result;
}

} // namespace db
