#include "schemas/engine/validation_error.hpp"

#include <algorithm>

namespace schemas {

location path::steps() const
{
    location out;
    for (auto at = this; at; at = at->parent_) {
        if (at->is_index_)
            out.emplace_back(at->index_);
        else
            out.emplace_back(std::string(at->name_));
    }
    std::reverse(out.begin(), out.end());
    return out;
}

void validation_errors::add(const path& at, std::string_view type, std::string msg)
{
    ++count_;
    if (kept_.size() < max_kept)
        kept_.push_back({at.steps(), std::move(msg), std::string(type)});
}

} // namespace schemas
