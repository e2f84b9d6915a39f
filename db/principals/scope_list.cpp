#include "db/principals/scope_list.hpp"

#include <boost/algorithm/string/join.hpp>
#include <boost/container_hash/hash.hpp>

#include <algorithm>

namespace db {

scope_list::shared::shared(std::vector<std::string> all)
    : names(std::move(all)), text(boost::algorithm::join(names, " "))
{}

const std::vector<std::string>& scope_list::names() const
{
    static const std::vector<std::string> none;
    return shared_ ? shared_->names : none;
}

std::size_t scope_lists::hash::operator()(const std::vector<std::string>& names) const
{
    return boost::hash_range(names.begin(), names.end());
}

scope_list scope_lists::share(std::vector<std::string> names)
{
    if (auto known = known_.find(names); known != known_.end())
        return *known;
    if (known_.size() >= sweep_at_)
        remove_unused();
    return *known_.insert(scope_list(std::move(names))).first;
}

void scope_lists::remove_unused()
{
    erase_if(known_, [](const scope_list& each) { return each.shared_->use_count() == 1; });
    sweep_at_ = std::max<std::size_t>(64, 2 * known_.size());
}

} // namespace db
