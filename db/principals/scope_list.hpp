// Interned scope lists of API keys: few distinct lists serve very many keys.
#pragma once

#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>
#include <boost/unordered/unordered_flat_set.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace db {

/** An immutable list of scopes of the size of a pointer; copies share it. Counted without atomics: it belongs
    to one core. */
class scope_list {
public:
    scope_list() = default;
    scope_list(std::vector<std::string> names) : shared_(new shared(std::move(names))) {}

    const std::vector<std::string>& names() const;

    /// The names, separated by spaces (RFC 6749, section 3.3); lives as long as a copy of this list.
    std::string_view text() const { return shared_ ? std::string_view(shared_->text) : std::string_view(); }

    operator const std::vector<std::string>&() const { return names(); }
    auto begin() const { return names().begin(); }
    auto end() const { return names().end(); }
    bool empty() const { return names().empty(); }

private:
    friend class scope_lists;
    struct shared : boost::intrusive_ref_counter<shared, boost::thread_unsafe_counter> {
        explicit shared(std::vector<std::string> all);
        std::vector<std::string> names;
        std::string text;
    };

    boost::intrusive_ptr<const shared> shared_;
};

/// Interns lists: equal ones share memory.
class scope_lists {
public:
    scope_list share(std::vector<std::string> names);

    std::size_t size() const { return known_.size(); }

private:
    struct hash {
        using is_transparent = void;
        std::size_t operator()(const std::vector<std::string>& names) const;
        std::size_t operator()(const scope_list& of) const { return (*this)(of.names()); }
    };
    struct same {
        using is_transparent = void;
        bool operator()(const scope_list& left, const scope_list& right) const
        {
            return left.names() == right.names();
        }
        bool operator()(const std::vector<std::string>& left, const scope_list& right) const
        {
            return left == right.names();
        }
        bool operator()(const scope_list& left, const std::vector<std::string>& right) const
        {
            return left.names() == right;
        }
    };

    void remove_unused();

    boost::unordered_flat_set<scope_list, hash, same> known_;

    /// The size at which unused lists are removed; follows the number in use.
    std::size_t sweep_at_ = 64;
};

} // namespace db
